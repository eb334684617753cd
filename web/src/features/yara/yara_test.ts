import { expect, test } from 'vitest';
import { changedOnly, chosen, fileName, outcomeOf, type YaraRule } from './yara';

const rules: YaraRule[] = [
  { name: 'Loader_Generic', file: '/etc/redoubt/yara/loaders.yar', enabled: true },
  { name: 'eicar', file: '/etc/redoubt/yara/test.yar', enabled: false, changed_by: 'anna', changed: '2026-01-01T00:00:00Z' },
];

test('rules are found by name and by file, in any case', () => {
  expect(chosen(rules, ' LOADER ', '').map((rule) => rule.name)).toEqual(['Loader_Generic']);
  expect(chosen(rules, 'test.yar', '').map((rule) => rule.name)).toEqual(['eicar']);
  expect(chosen(rules, '', '')).toHaveLength(2);
  expect(chosen(rules, '', changedOnly).map((rule) => rule.name)).toEqual(['eicar']);
});

test('the outcome of a trial says what was left out', () => {
  const trial = { tried: 1, skipped: 0, complete: true, hits: [], refused: [] };
  expect(outcomeOf(trial)).toBe('0 hits in 1 content');
  expect(outcomeOf({ ...trial, tried: 1200, skipped: 2, complete: false })).toBe('0 hits in 1,200 contents; 2 could not be tried; the time was not enough for all');
});

test('a file is called by the end of its path', () => {
  expect(fileName('/a/b.yar')).toBe('b.yar');
  expect(fileName('b.yar')).toBe('b.yar');
});
