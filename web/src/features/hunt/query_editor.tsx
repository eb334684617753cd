// The editor of hunting text. It lives in a shadow root: there CodeMirror hands its styles to the browser as objects, not
// as style elements, which the content security policy forbids.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching } from '@codemirror/language';
import { EditorState, Prec } from '@codemirror/state';
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import type { Diagnostic } from '@/shared/api/client';
import type { FieldTable } from './hunt_queries';
import { completer, huntingLanguage, nodeLinter } from './language';
import css from './hunt.module.css';

const look = EditorView.theme({
  '&': { fontSize: '13px', backgroundColor: 'transparent', color: 'var(--mantine-color-text)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-content': { fontFamily: 'var(--mono)', padding: '9px 0', caretColor: 'var(--mantine-color-text)', lineHeight: '1.55', fontVariantLigatures: 'none' },
  '.cm-line': { padding: '0 12px' },
  '.cm-scroller': { maxHeight: '150px', overflow: 'auto' },
  '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
  '.cm-placeholder': { color: 'var(--mantine-color-placeholder)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-soft)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: 'none' },
  '.cm-lintRange-error': {
    backgroundImage: 'none', textDecoration: 'underline wavy var(--danger)', textUnderlineOffset: '3px', textDecorationSkipInk: 'none',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--surface)', color: 'var(--mantine-color-text)', border: '1px solid var(--border-strong)',
    borderRadius: '6px', boxShadow: '0 6px 20px rgb(0 0 0 / 14%)',
  },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '12px', maxHeight: '260px' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px', lineHeight: '1.5' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--surface-selected)', color: 'var(--mantine-color-text)' },
  '.cm-completionDetail': { color: 'var(--mantine-color-dimmed)', fontStyle: 'normal', marginLeft: '12px' },
  '.cm-completionMatchedText': { textDecoration: 'none', color: 'var(--accent)', fontWeight: '600' },
  '.cm-completionInfo': { padding: '6px 10px', maxWidth: '300px', fontSize: '12px', fontFamily: 'var(--mantine-font-family)' },
  '.cm-completionIcon': { display: 'none' },
  '.cm-diagnostic': { padding: '6px 10px', borderLeft: '3px solid var(--danger)', fontSize: '12px' },
});

export interface EditorProps {
  value: string;
  fields: FieldTable | undefined;
  onChange: (text: string) => void;
  onRun: (text: string) => void;
  onDiagnostic: (diagnostic: Diagnostic | undefined) => void;
}

export function QueryEditor(props: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  // The editor is made once; what it calls is always the latest.
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' });
    const run = (editor: EditorView) => {
      latest.current.onRun(editor.state.doc.toString());
      return true;
    };
    const editor = new EditorView({
      root,
      parent: root as unknown as Element,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          history(), drawSelection(), bracketMatching(), closeBrackets(), EditorView.lineWrapping,
          Prec.highest(keymap.of([{ key: 'Mod-Enter', run }])),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          placeholder('EventType = "process" AND FileName CONTAINS "curl"'),
          huntingLanguage,
          autocompletion({ override: [completer(() => latest.current.fields)], icons: false }),
          nodeLinter((diagnostic) => latest.current.onDiagnostic(diagnostic)),
          EditorView.contentAttributes.of({ 'aria-label': 'Hunting query' }),
          EditorView.updateListener.of((update) => update.docChanged && latest.current.onChange(update.state.doc.toString())),
          look,
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, []);

  // A query that comes from elsewhere: a click on a value, an address.
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === props.value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: props.value } });
  }, [props.value]);

  return <div ref={host} className={css.editor} data-testid="query-editor" />;
}
