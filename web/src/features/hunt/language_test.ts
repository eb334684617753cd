import { CompletionContext } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import { describe, expect, test } from 'vitest';
import type { FieldTable } from './hunt_queries';
import { completer, lintOf } from './language';

const table: FieldTable = {
  fields: [{ name: 'process.name', type: 'text', operators: ['='], aliases: ['FileName'], help: 'last part of the path' }],
  event_types: [{ name: 'process', help: 'a program was started' }],
};

function labelsAt(text: string): string[] {
  const state = EditorState.create({ doc: text });
  return completer(() => table)(new CompletionContext(state, text.length, false))?.options.map((one) => one.label) ?? [];
}

describe('completer', () => {
  test('offers canonical names and aliases', () => {
    expect(labelsAt('proc')).toEqual(expect.arrayContaining(['process.name', 'FileName', 'CONTAINS']));
  });
  test('offers event types behind EventType', () => {
    expect(labelsAt('EventType = "pr')).toEqual(['process']);
    expect(labelsAt('event.type == ')).toEqual(['process']);
  });
  test('offers pipes behind |, nothing inside a string', () => {
    expect(labelsAt('a = 1 | si')).toContain('since');
    expect(labelsAt('a = "some te')).toEqual([]);
  });
});

describe('lintOf', () => {
  const diagnostic = { code: 'Q1', line: 1, column: 1, length: 8, message: 'not known', hint: '', rendered: '' };
  test('covers what the node points at', () => {
    expect(lintOf('EventTyp = "x"', diagnostic)).toMatchObject({ from: 0, to: 8, message: 'not known' });
  });
  test('stays inside the text where the mistake is its end', () => {
    expect(lintOf('a =', { ...diagnostic, column: 4, length: 1, hint: 'a value' })).toMatchObject({ from: 2, to: 3, message: 'not known: a value' });
  });
});
