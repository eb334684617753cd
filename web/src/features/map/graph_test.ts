import { describe, expect, test } from 'vitest';
import {
  answered, describe as wordsOf, failed, itemsOf, keyOf, loading, moreShown, shortTitle, shownAtFirst, startOf, stepFrom, toggled,
  type MapAnswer, type MapNode, type MapState, type Relation,
} from './graph';
import { itemAt, placeOf } from './paint';

const process = (id: string): MapNode => ({ kind: 'process', id, name: `name of ${id}`, host_id: 'h' });
const file = (path: string): MapNode => ({ kind: 'file', id: path, host_id: 'h' });

function neighbour(node: MapNode, relation: Relation, direction: 'out' | 'in' = 'out'): MapAnswer['neighbours'][number] {
  return { node, relation, direction, count: 2, first: '2026-01-31T12:00:00Z', last: '2026-01-31T12:00:01Z', notes: [] };
}
function answer(node: MapNode, neighbours: MapAnswer['neighbours'], more: MapAnswer['more'] = []): MapAnswer {
  return { node, neighbours, more, partial: false };
}
function titles(state: MapState): string[] {
  return itemsOf(state).map((item) => `${'  '.repeat(item.depth)}${item.label && `${item.label}: `}${item.kind === 'more' ? `${item.count} more` : item.entry.node.id}`);
}

const shell = process('shell');
const opened = answered(startOf(shell), keyOf(shell), answer(shell, [
  neighbour(process('child'), 'started'), neighbour(process('parent'), 'started', 'in'), neighbour(file('/tmp/x'), 'wrote'), neighbour(file('/tmp/y'), 'wrote'),
]));

describe('a map', () => {
  test('grows from its focus; the parent becomes its root', () => {
    expect(titles(opened)).toEqual(['parent', '  started: shell', '    started: child', '    wrote: /tmp/x', '    /tmp/y']);
    expect(opened.focus).toBe(keyOf(shell));
  });
  test('keeps the focus in sight where its parents open and close', () => {
    const parent = process('parent');
    const siblings = Array.from({ length: 40 }, (_, i) => neighbour(process(`sibling ${i}`), 'started'));
    const wide = answered(opened, keyOf(parent), answer(parent, [...siblings, neighbour(shell, 'started')]));
    expect(titles(wide)).toContain('  started: shell');
    expect(titles(wide)).toContain(`  ${40 - shownAtFirst + 1} more`);
    const closed = toggled(wide, keyOf(parent));
    expect(titles(closed)).toEqual(titles(opened));
  });
  test('has each node once; what else it does is a line across', () => {
    const child = process('child');
    const both = answered(opened, keyOf(child), answer(child, [neighbour(shell, 'started', 'in'), neighbour(file('/tmp/x'), 'read')]));
    expect(titles(both).filter((title) => title.includes('/tmp/x'))).toHaveLength(1);
    expect(both.entries.get(keyOf(child))!.across.map((one) => one.to)).toEqual([keyOf(file('/tmp/x'))]);
  });
  test('shows some of a group, then more, then asks the node for the rest', () => {
    const files = Array.from({ length: 70 }, (_, i) => neighbour(file(`/tmp/${i}`), 'wrote'));
    let state = answered(startOf(shell), keyOf(shell), answer(shell, files, [{ relation: 'wrote', direction: 'out', count: 30 }]));
    const more = () => itemsOf(state).find((item) => item.kind === 'more');
    expect(more()).toMatchObject({ count: 70 - shownAtFirst + 30, toFetch: false });
    state = moreShown(state, more()!);
    expect(more()).toMatchObject({ count: 40, toFetch: false });
    state = moreShown(state, more()!);
    expect(more()).toMatchObject({ count: 30, toFetch: true });
    const rest = Array.from({ length: 30 }, (_, i) => neighbour(file(`/tmp/${70 + i}`), 'wrote'));
    state = answered(state, keyOf(shell), answer(shell, [...files, ...rest]));
    expect(more()).toBeUndefined();
    expect(itemsOf(state)).toHaveLength(101);
  });
  test('says that it loads, and that it failed', () => {
    const child = keyOf(process('child'));
    expect(wordsOf(itemsOf(loading(opened, child))[2]!)).toBe('Process name of child, started, 2 events, loading');
    expect(failed(loading(opened, child), child, 'no').entries.get(child)).toMatchObject({ state: 'failed', error: 'no', open: false });
  });
  test('ends where processes are their own parents', () => {
    const self = answered(startOf(shell), keyOf(shell), answer(shell, [neighbour(shell, 'started'), neighbour(shell, 'started', 'in')]));
    expect(titles(self)).toEqual(['shell']);
    const parent = process('parent');
    const circle = answered(opened, keyOf(parent), answer(parent, [neighbour(shell, 'started', 'in'), neighbour(shell, 'started')]));
    expect(titles(circle)).toEqual(titles(opened));
  });
  test('takes files of two hosts for two', () => {
    expect(keyOf(file('/x'))).not.toBe(keyOf({ ...file('/x'), host_id: 'other' }));
    expect(keyOf({ kind: 'address', id: '::1', host_id: 'a' })).toBe(keyOf({ kind: 'address', id: '::1' }));
  });
});

describe('places', () => {
  test('of no two items are the same, and a click finds them', () => {
    const items = itemsOf(opened);
    const places = items.map((item) => JSON.stringify(placeOf(item)));
    expect(new Set(places).size).toBe(items.length);
    items.forEach((item, index) => {
      const { x, y } = placeOf(item);
      expect(itemAt(items, x + 5, y + 10)).toBe(index);
    });
    expect(itemAt(items, -5, 10)).toBeUndefined();
    expect(itemAt(items, 300, 10)).toBeUndefined();
  });
  test('above what opens stay', () => {
    const child = process('child');
    const after = answered(opened, keyOf(child), answer(child, [neighbour(file('/a'), 'wrote'), neighbour(file('/b'), 'wrote')]));
    const rows = (state: MapState) => Object.fromEntries(itemsOf(state).map((item) => [item.key, item.row]));
    const before = rows(opened);
    expect(rows(after)).toMatchObject({ ...before, [keyOf(file('/tmp/x'))]: before[keyOf(file('/tmp/x'))]! + 1, [keyOf(file('/tmp/y'))]: before[keyOf(file('/tmp/y'))]! + 1 });
  });
  test('are walked by keys', () => {
    const items = itemsOf(opened);
    expect(stepFrom(items, 1, 'left')).toBe(0);
    expect(stepFrom(items, 0, 'right')).toBe(1);
    expect(stepFrom(items, 2, 'down')).toBe(3);
    expect(stepFrom(items, 3, 'up')).toBe(2);
    expect(stepFrom(items, 4, 'down')).toBe(4);
    expect(stepFrom(items, 0, 'left')).toBe(0);
    expect(stepFrom(items, 2, 'home')).toBe(0);
    expect(stepFrom(items, 2, 'end')).toBe(4);
  });
});

test('a title is cut where there is no room; of a path the end stays', () => {
  expect(shortTitle(file('/usr/lib/long/name.so'), 10)).toBe('…g/name.so');
  expect(shortTitle(process('x'), 6)).toBe('name …');
});

test('five thousand nodes are placed in a moment', () => {
  let state = startOf(shell);
  const processes = Array.from({ length: 10 }, (_, i) => process(`p${i}`));
  state = answered(state, keyOf(shell), answer(shell, processes.map((node) => neighbour(node, 'started'))));
  for (const node of processes) {
    state = answered(state, keyOf(node), answer(node, Array.from({ length: 500 }, (_, i) => neighbour(file(`/${node.id}/${i}`), 'wrote'))));
    for (let i = 0; i < 3; i++) state = moreShown(state, itemsOf(state).find((item) => item.kind === 'more' && item.entry.node === state.entries.get(keyOf(node))!.node)!);
  }
  const started = performance.now();
  const items = itemsOf(state);
  expect(performance.now() - started).toBeLessThan(1000);
  expect(items).toHaveLength(5011);
  expect(new Set(items.map((item) => JSON.stringify(placeOf(item)))).size).toBe(5011);
});
