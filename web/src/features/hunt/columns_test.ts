import { describe, expect, test } from 'vitest';
import type { HuntResult } from '@/shared/api/client';
import { present, shownColumns } from './columns';

function result(names: string[], rows: (string | number | null)[][]): HuntResult {
  return { columns: names.map((name) => ({ name, field: name, type: 'text' as const })), rows, partial: false, took_ms: 1 };
}
const names = (columns: { name: string }[]) => columns.map((column) => column.name);

describe('shownColumns', () => {
  const wide = ['process.name', '@timestamp', 'file.path', ...Array.from({ length: 20 }, (_, i) => `x.${i}`)];

  test('shows the usual ones that hold something, in the usual order', () => {
    expect(names(shownColumns(result(wide, [['curl', 't', null]]), []))).toEqual(['@timestamp', 'process.name']);
  });
  test('shows all where the query chose a few', () => {
    expect(names(shownColumns(result(['value', 'count'], [['curl', 3]]), []))).toEqual(['value', 'count']);
  });
  test('shows what was chosen, as far as it exists', () => {
    expect(names(shownColumns(result(wide, []), ['x.3', 'gone', 'file.path']))).toEqual(['x.3', 'file.path']);
  });
});

test('present leaves out absent fields', () => {
  expect(present(result(['a', 'b', 'c'], []), ['1', null, '']).map((one) => one.column.name)).toEqual(['a']);
});
