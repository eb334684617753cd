// The hunting language for the editor: colours, completion from the field table, and the node's diagnostics as lint.
import { type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { linter, type Diagnostic as Lint } from '@codemirror/lint';
import { tags } from '@lezer/highlight';
import type { Diagnostic } from '@/shared/api/client';
import { endsInString, offsetOf } from '@/shared/query_text/query_text';
import { checkQuery, type FieldTable } from './hunt_queries';

const logic = /^(?:and|or|not)$/i;
const operator = /^(?:contains|starts|ends|with|matches|like|cidr|in|exists|any|all)$/i;
const pipeName = /^(?:since|until|sort|limit|fields|count|distinct|rare|by|per|top|asc|desc)$/i;

interface LexState {
  behindPipe: boolean;
}

const lexer = StreamLanguage.define<LexState>({
  startState: () => ({ behindPipe: false }),
  token(stream, state) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^"(?:\\.|[^"\\])*"?/) || stream.match(/^'(?:\\.|[^'\\])*'?/)) return 'string';
    if (stream.eat('|')) {
      state.behindPipe = true;
      return 'meta';
    }
    if (stream.match(/^(?:!(?=[a-z])|[=!<>]+|[(),])/i)) return 'punctuation';
    if (stream.match(/^\d[\w.:+-]*/)) return 'number';
    if (stream.match(/^[@\w][\w.@-]*/)) {
      const word = stream.current();
      if (state.behindPipe && pipeName.test(word)) return 'meta';
      if (logic.test(word)) return 'keyword';
      return operator.test(word) ? 'operator' : 'propertyName';
    }
    stream.next();
    return null;
  },
});

const colours = HighlightStyle.define([
  { tag: tags.string, color: 'var(--code-string)' },
  { tag: tags.number, color: 'var(--code-number)' },
  { tag: tags.keyword, color: 'var(--code-keyword)', fontWeight: '600' },
  { tag: tags.operator, color: 'var(--code-keyword)' },
  { tag: tags.propertyName, color: 'var(--code-field)' },
  { tag: tags.meta, color: 'var(--code-pipe)', fontWeight: '600' },
  { tag: tags.punctuation, color: 'var(--mantine-color-text)' },
]);

export const huntingLanguage = [lexer, syntaxHighlighting(colours)];

const operatorWords = ['CONTAINS', 'STARTS', 'ENDS', 'MATCHES', 'LIKE', 'CIDR', 'IN', 'EXISTS', 'AND', 'OR', 'NOT'];
const pipes: Completion[] = [
  { label: 'since', info: 'Events from then on: since 24h, since 2026-01-31T12:00:00Z' },
  { label: 'until', info: 'Events before then' },
  { label: 'sort', info: 'sort time desc' },
  { label: 'limit', info: 'limit 100' },
  { label: 'fields', info: 'The columns: fields time, host.name, process.name' },
  { label: 'count by', info: 'count by process.name top 10' },
  { label: 'count per', info: 'count per hour' },
  { label: 'distinct', info: 'distinct host.name' },
  { label: 'rare', info: 'rare process.executable by host.name' },
];

export function completions(table: FieldTable): Completion[] {
  return table.fields.flatMap((field) => [
    { label: field.name, type: 'property', detail: field.type, info: field.help, boost: 2 },
    ...field.aliases.map((alias) => ({ label: alias, type: 'variable', detail: field.name, info: field.help })),
  ]);
}

// Fields anywhere a word stands; pipes behind |; event types behind EventType =.
export function completer(table: () => FieldTable | undefined) {
  return (context: CompletionContext): CompletionResult | null => {
    const known = table();
    const before = context.state.sliceDoc(0, context.pos);
    const kind = /(?:event\.type|EventType)\s*(?:==?|!=|IN\s*\()\s*(["']?)(\w*)$/i.exec(before);
    if (kind && known) {
      const quoteChar = kind[1]!;
      return {
        from: context.pos - kind[2]!.length,
        options: known.event_types.map((type) => ({
          label: type.name, type: 'enum', info: type.help, apply: quoteChar ? type.name + quoteChar : `"${type.name}"`,
        })),
      };
    }
    if (endsInString(before)) return null;
    const word = context.matchBefore(/[@\w][\w.@-]*/);
    if (!word && !context.explicit) return null;
    const from = word?.from ?? context.pos;
    if (/\|\s*\w*$/.test(before)) return { from, options: pipes };
    const words = operatorWords.map((label) => ({ label, type: 'keyword', boost: -1 }));
    return { from, options: [...(known ? completions(known) : []), ...words] };
  };
}

export function lintOf(text: string, diagnostic: Diagnostic): Lint {
  const from = Math.min(offsetOf(text, diagnostic.line, diagnostic.column), text.length);
  const end = offsetOf(text, diagnostic.line, diagnostic.column + diagnostic.length);
  // At the end of the text there is nothing to underline: the character before it stands for it.
  const start = from === text.length ? Math.max(0, from - 1) : from;
  const message = diagnostic.hint ? `${diagnostic.message}: ${diagnostic.hint}` : diagnostic.message;
  return { from: start, to: Math.max(start, Math.min(text.length, Math.max(end, start + 1))), severity: 'error', message };
}

const lintDelayMs = 350;

export function nodeLinter(report: (diagnostic: Diagnostic | undefined) => void) {
  return linter(async (view) => {
    const text = view.state.doc.toString();
    const diagnostic = text.trim() === '' ? undefined : await checkQuery(text);
    if (view.state.doc.toString() !== text) return [];
    report(diagnostic);
    return diagnostic ? [lintOf(text, diagnostic)] : [];
  }, { delay: lintDelayMs });
}
