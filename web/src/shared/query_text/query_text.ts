// Edits hunting text without parsing it as a whole: finds the pipes outside of quotes, writes values as literals, adds a
// test, sets a pipe. The node parses; what stands here must only never break a query that was right.

export type CellValue = string | number | null;
export type FieldKind = 'text' | 'keyword' | 'id' | 'hash' | 'integer' | 'time' | 'ip';

const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '*': '\\*', '?': '\\?' };

// A quoted string that means exactly these characters: on the right of `=` an asterisk and a question mark are wildcards.
export function quote(value: string): string {
  let out = '"';
  for (const char of value) {
    const code = char.codePointAt(0)!;
    if (escapes[char]) out += escapes[char];
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else out += char;
  }
  return `${out}"`;
}

export interface QueryParts {
  body: string;
  pipes: string[];
}

// Splits at each `|` that stands outside of quotes.
export function splitQuery(text: string): QueryParts {
  const parts: string[] = [];
  let start = 0;
  let quoteChar = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quoteChar) {
      if (char === '\\') i++;
      else if (char === quoteChar) quoteChar = '';
    } else if (char === '"' || char === "'") {
      quoteChar = char;
    } else if (char === '|') {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  const [body = '', ...pipes] = parts.map((part) => part.trim());
  return { body, pipes: pipes.filter((pipe) => pipe !== '') };
}

// True if the text ends inside of a quoted string.
export function endsInString(text: string): boolean {
  let quoteChar = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (!quoteChar) quoteChar = char === '"' || char === "'" ? char : '';
    else if (char === '\\') i++;
    else if (char === quoteChar) quoteChar = '';
  }
  return quoteChar !== '';
}

export function joinQuery({ body, pipes }: QueryParts): string {
  return [body, ...pipes.map((pipe) => `| ${pipe}`)].filter((part) => part !== '').join(' ');
}

// True if the text has OR outside of quotes and parentheses: then an AND behind it would bind to its last part alone.
function hasLooseOr(body: string): boolean {
  let depth = 0;
  for (const token of body.matchAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[()]|[^\s()"']+/gs)) {
    const word = token[0];
    if (word === '(') depth++;
    else if (word === ')') depth--;
    else if (depth === 0 && /^or$/i.test(word)) return true;
  }
  return false;
}

// The test that a clicked value stands for.
export function testOf(field: string, kind: FieldKind, value: Exclude<CellValue, null>): string {
  if (kind === 'integer' || typeof value === 'number') return `${field} = ${value}`;
  return `${field} = ${quote(value)}`;
}

export type Narrowing = 'only' | 'without';

// The query with one more condition; the same text if the condition is its last one already.
export function narrow(text: string, condition: string, how: Narrowing): string {
  const { body, pipes } = splitQuery(text);
  const added = how === 'only' ? condition : `NOT ${condition}`;
  if (body === '') return joinQuery({ body: added, pipes });
  if (body === added || body.endsWith(` AND ${added}`)) return joinQuery({ body, pipes });
  const kept = hasLooseOr(body) ? `(${body})` : body;
  return joinQuery({ body: `${kept} AND ${added}`, pipes });
}

function pipeName(pipe: string): string {
  return /^\S*/.exec(pipe)![0].toLowerCase();
}

// What stands behind a pipe's name; undefined if the query has no such pipe.
export function pipeValue(text: string, name: string): string | undefined {
  const pipe = splitQuery(text).pipes.find((one) => pipeName(one) === name);
  return pipe?.slice(name.length).trim();
}

// Sets a pipe, or takes it away where the value is empty.
export function withPipe(text: string, name: string, value: string): string {
  const { body, pipes } = splitQuery(text);
  const made = value === '' ? [] : [`${name} ${value}`];
  const at = pipes.findIndex((pipe) => pipeName(pipe) === name);
  const others = pipes.filter((pipe) => pipeName(pipe) !== name);
  const place = at < 0 ? 0 : Math.min(at, others.length);
  return joinQuery({ body, pipes: [...others.slice(0, place), ...made, ...others.slice(place)] });
}

// Pipes that show figures instead of events.
export function isAggregate(text: string): boolean {
  return splitQuery(text).pipes.some((pipe) => ['count', 'distinct', 'rare'].includes(pipeName(pipe)));
}

// A place in the text from the node's line and column, which count code points from 1.
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  let offset = 0;
  for (let i = 0; i < Math.min(line - 1, lines.length - 1); i++) offset += lines[i]!.length + 1;
  const current = lines[Math.min(line - 1, lines.length - 1)] ?? '';
  return offset + [...current].slice(0, column - 1).join('').length;
}
