import { describe, expect, test } from 'vitest';
import { chosenRules, coverage, daysMax, daysOf, eventColumns, huntOf, isFalling, sortedRules, type Backtest, type Rule } from './rules';

function rule(id: string, over: Partial<Rule> = {}): Rule {
  return {
    id, kind: 'rule', alerting: true, title: id, importance: 'medium', format: 'sigma', path: `${id}.yml`, author: '', description: '', techniques: [], tactics: [],
    references: [], false_positives: [], hits: 0, enabled: true, own_importance: 'medium', exclusions: 0, warnings: [], evaluated: 0,
    cost_share: 0, ...over,
  };
}
const ids = (rules: Rule[]) => rules.map((one) => one.id);
const all = { text: '', importance: [], technique: '' };

describe('chosenRules', () => {
  const rules = [
    rule('a', { title: 'Curl by root', techniques: ['T1105'] }),
    rule('b', { importance: 'critical', techniques: ['T1059.004'] }),
    rule('c', { hits: 7, description: 'A shell of Root' }),
  ];
  test('needs every word, in any place and case', () => {
    expect(ids(chosenRules(rules, { ...all, text: 'ROOT' }))).toEqual(['a', 'c']);
    expect(ids(chosenRules(rules, { ...all, text: ' root  curl ' }))).toEqual(['a']);
    expect(chosenRules(rules, { ...all, text: 'nothing' })).toEqual([]);
  });
  test('narrows by importance and technique', () => {
    expect(ids(chosenRules(rules, { ...all, importance: ['critical', 'high'] }))).toEqual(['b']);
    expect(ids(chosenRules(rules, { ...all, technique: 'T1059' }))).toEqual(['b']);
    expect(ids(chosenRules(rules, { ...all, technique: 'T10' }))).toEqual([]);
  });
});

describe('sortedRules', () => {
  const rules = [
    rule('a', { importance: 'low', cost_share: 0.5 }),
    rule('b', { importance: 'critical', last_hit: '2026-01-01T00:00:00Z' }),
    rule('c', { importance: 'critical', hits: 7, enabled: false }),
  ];
  test('has the most important first, then the most hits, then the title', () => {
    expect(ids(sortedRules(rules, 'importance', false))).toEqual(['c', 'b', 'a']);
    expect(ids(sortedRules(rules, 'importance', true))).toEqual(['a', 'b', 'c']);
  });
  test('says which way round', () => {
    expect([isFalling('hits', false), isFalling('hits', true), isFalling('title', false), isFalling('title', true)]).toEqual([true, false, false, true]);
  });
  test('sorts by figures', () => {
    expect(ids(sortedRules(rules, 'cost', false))).toEqual(['a', 'b', 'c']);
    expect(ids(sortedRules(rules, 'last_hit', false))).toEqual(['b', 'a', 'c']);
    expect(ids(sortedRules(rules, 'state', false))).toEqual(['c', 'a', 'b']);
  });
});

describe('coverage', () => {
  const cells = (rules: Rule[]) => coverage(rules).map(({ tactic, techniques }) => [tactic, ...techniques.map((one) => one.technique)]);
  test('has the tactics in their order, each technique with all of its rules', () => {
    const columns = coverage([
      rule('a', { tactics: ['impact', 'execution'], techniques: ['T1059.004', 'T1059'] }),
      rule('b', { tactics: ['impact', 'execution'], techniques: ['T1059'], importance: 'high' }),
      rule('c', { techniques: ['T9999'] }),
      rule('d', { tactics: ['made-up'], techniques: ['T1'] }),
      rule('e', { tactics: ['discovery'] }),
    ]);
    expect(columns.map((one) => one.tactic)).toEqual(['execution', 'impact', '', 'made-up']);
    expect(columns[0]!.techniques.map((one) => [one.technique, ids(one.rules), one.importance]))
      .toEqual([['T1059', ['a', 'b'], 'high'], ['T1059.004', ['a'], 'medium']]);
  });
  test('puts a technique below the tactics that its rules have in common', () => {
    expect(cells([
      rule('a', { tactics: ['impact', 'execution'], techniques: ['T1059.004', 'T1485'] }),
      rule('b', { tactics: ['execution'], techniques: ['T1059'] }),
    ])).toEqual([['execution', 'T1059', 'T1059.004', 'T1485'], ['impact', 'T1485']]);
    expect(cells([rule('a', { tactics: ['impact'], techniques: ['T1'] }), rule('b', { tactics: ['execution'], techniques: ['T1'] })]))
      .toEqual([['execution', 'T1'], ['impact', 'T1']]);
  });
  test('of nothing is empty', () => expect(coverage([])).toEqual([]));
});

describe('daysOf', () => {
  test('has every day that the range touches', () => {
    const days = daysOf({ since: '2026-02-27T23:00:00Z', until: '2026-03-02T00:00:00Z', days: [{ day: '2026-03-01', hits: 4 }] });
    expect(days).toEqual([{ day: '2026-02-27', hits: 0 }, { day: '2026-02-28', hits: 0 }, { day: '2026-03-01', hits: 4 }]);
  });
  test('is bounded and bears nonsense', () => {
    expect(daysOf({ since: '1990-01-01T00:00:00Z', until: '2026-01-01T00:00:00Z', days: [] })).toHaveLength(daysMax);
    expect(daysOf({ since: 'x', until: 'y', days: [] })).toEqual([]);
    expect(daysOf({ since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z', days: [] })).toEqual([]);
  });
});

const found = {
  since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z',
  columns: [{ name: 'process.entity_id', type: 'id' }, { name: 'user.name', type: 'keyword' }, { name: 'host.name', type: 'keyword' }],
  rows: [['7', 'root', null], ['7', null, ''], ['8', 'root', null]],
} as unknown as Backtest;

describe('the events found', () => {
  test('show the usual columns that hold something', () => expect(eventColumns(found).map((one) => [one.name, one.index])).toEqual([['user.name', 1]]));
  test('lead to a hunt for their processes', () => {
    expect(huntOf(found)).toBe('process.entity_id = "7" OR process.entity_id = "8" | since 2026-01-01T00:00:00Z | until 2026-01-02T00:00:00Z');
    expect(huntOf({ ...found, rows: [] })).toBe('');
  });
});
