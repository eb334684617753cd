// Keeps the builder's rows and the hunting text the same: text that comes from elsewhere is read by the node, rows that
// change are printed by it.
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError, api, read, type Diagnostic } from '@/shared/api/client';
import { outlineOf, rootOf, rowAt, type Row } from './outline';

const printDelayMs = 150;

export interface Draft {
  root: Row;
  pipes: string[];
}

export interface BuilderMistake {
  message: string;
  row?: number;  // id of the row that it is about
  diagnostic?: Diagnostic;
}

export interface Builder {
  draft: Draft | undefined;
  mistake: BuilderMistake | undefined;
  unreadable: BuilderMistake | undefined;  // the text has no outline
  change: (edit: (draft: Draft) => Draft) => void;
  // The text of the rows as they are now; nothing where they cannot be printed.
  printed: () => Promise<string | undefined>;
}

function mistakeOf(error: unknown): BuilderMistake {
  const message = error instanceof Error ? error.message : String(error);
  return { message, ...(error instanceof ApiError && error.diagnostic && { diagnostic: error.diagnostic }) };
}

function mistakeIn(root: Row, answer: { diagnostic?: Diagnostic; path?: number[] }): BuilderMistake | undefined {
  if (!answer.diagnostic) return undefined;
  const { message, hint } = answer.diagnostic;
  const row = answer.path && rowAt(root, answer.path);
  return { message: hint ? `${message}: ${hint}` : message, diagnostic: answer.diagnostic, ...(row && { row: row.id }) };
}

export function useBuilder(text: string, onText: (text: string) => void, active: boolean): Builder {
  const [draft, setDraft] = useState<Draft>();
  const [mistake, setMistake] = useState<BuilderMistake>();
  const [unreadable, setUnreadable] = useState<BuilderMistake>();
  const latest = useRef<Draft>(undefined);
  const says = useRef<string>(undefined);  // the text that the rows are
  const timer = useRef<number>(undefined);
  const printing = useRef<Promise<string | undefined>>(undefined);
  const turn = useRef(0);  // an answer to what is no longer the question is dropped
  const outer = useRef({ text, onText });
  useEffect(() => {
    outer.current = { text, onText };
  });

  useEffect(() => {
    if (!active || text === says.current) return;
    window.clearTimeout(timer.current);
    timer.current = undefined;
    printing.current = undefined;
    const mine = ++turn.current;
    read(api.POST('/hunts/outline', { body: { query: text } })).then((outline) => {
      if (mine !== turn.current) return;
      const next = { root: rootOf(outline.where), pipes: outline.pipes ?? [] };
      latest.current = next;
      says.current = text;
      setDraft(next);
      setUnreadable(undefined);
      // The path is from the node's root, which may have got a group around it.
      const wrapped = outline.where.negated || (outline.where.kind !== 'all' && outline.where.kind !== 'any');
      const path = outline.path && (wrapped ? [0, ...outline.path] : outline.path);
      setMistake(mistakeIn(next.root, { ...outline, path }));
    }, (error: unknown) => {
      if (mine !== turn.current) return;
      says.current = undefined;
      setUnreadable(mistakeOf(error));
    });
  }, [text, active]);

  const print = useCallback(async (): Promise<string | undefined> => {
    window.clearTimeout(timer.current);
    timer.current = undefined;
    const mine = ++turn.current;
    const { root, pipes } = latest.current!;
    const body = { where: outlineOf(root), pipes: pipes.filter((pipe) => pipe.trim() !== '') };
    try {
      const answer = await read(api.POST('/hunts/print', { body }));
      if (mine !== turn.current) return undefined;
      says.current = answer.query;
      setMistake(mistakeIn(root, answer));
      outer.current.onText(answer.query);
      return answer.query;
    } catch (error) {
      if (mine === turn.current) setMistake(mistakeOf(error));
      return undefined;
    }
  }, []);

  const change = useCallback((edit: (draft: Draft) => Draft) => {
    if (!latest.current) return;
    latest.current = edit(latest.current);
    setDraft(latest.current);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      printing.current = print();
    }, printDelayMs);
  }, [print]);

  const printed = useCallback(async () => {
    // Whoever presses Run has left the box that he typed in: what it said has arrived, but may not be printed.
    if (timer.current !== undefined) printing.current = print();
    return printing.current ? await printing.current : outer.current.text;
  }, [print]);

  return { draft, mistake, unreadable, change, printed };
}
