import { describe, expect, test } from 'vitest';
import type { ProcessNode } from '@/shared/api/client';
import { ancestorsShownMax, cardHeight, cardWidth, layoutTree, mergeNodes, pathToRoot, tableRows } from './layout';

function node(id: string, parent: string, more: Partial<ProcessNode> = {}): ProcessNode {
  return {
    entity_id: id, parent_entity_id: parent, pid: 1, name: id, user: 'root', children_more: false,
    images: [{ executable: `/bin/${id}`, command_line: id }], ...more,
  };
}
const none = new Set<string>();
const shown = { closed: none, foldAncestors: 'show' } as const;

describe('layoutTree', () => {
  const family = [node('init', ''), node('sh', 'init'), node('curl', 'sh', { pid: 3 }), node('wc', 'sh', { pid: 4 })];

  test('places generations in columns and siblings in rows that do not overlap', () => {
    const { cards, edges } = layoutTree(family, 'sh', shown);
    const at = Object.fromEntries(cards.map((card) => [card.id, card]));
    expect(at.sh!.x - at.init!.x).toBeGreaterThan(cardWidth);
    expect(at.curl!.x).toBe(at.wc!.x);
    expect(at.wc!.y - at.curl!.y).toBeGreaterThanOrEqual(cardHeight);
    expect(edges).toHaveLength(3);
    expect(edges.filter((edge) => edge.onPath)).toEqual([{ from: 'init', to: 'sh', onPath: true }]);
  });

  test('hides the children of a folded card and says how many', () => {
    const { cards } = layoutTree(family, 'sh', { ...shown, closed: new Set(['sh']) });
    expect(cards.map((card) => card.id)).toEqual(['init', 'sh']);
    expect(cards[1]!.hiddenChildren).toBe(2);
  });

  test('folds old ancestors into one, but never a single one', () => {
    const chain = Array.from({ length: 8 }, (_, i) => node(`p${i}`, i ? `p${i - 1}` : ''));
    const { cards, folded } = layoutTree(chain, 'p7', { closed: none, foldAncestors: 'fold' });
    expect(cards).toHaveLength(ancestorsShownMax + 1);
    expect(folded.map((one) => one.entity_id)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4']);
    expect(layoutTree(chain.slice(4), 'p7', { closed: none, foldAncestors: 'fold' }).folded).toEqual([]);
  });

  test('ends at cycles and bears an unknown focus', () => {
    const circle = [node('a', 'b'), node('b', 'a')];
    expect(pathToRoot(circle, 'a')).toEqual(['a', 'b']);
    expect(layoutTree(circle, 'a', shown).cards).toHaveLength(2);
    expect(layoutTree([node('x', 'x')], 'x', shown).cards).toHaveLength(1);
    expect(layoutTree(family, 'nobody', shown).cards).toEqual([]);
  });

  test('lays out 2,000 nodes', () => {
    const many = [node('root', ''), ...Array.from({ length: 2000 }, (_, i) => node(`c${i}`, 'root'))];
    expect(layoutTree(many, 'root', shown).cards).toHaveLength(2001);
  });
});

describe('mergeNodes', () => {
  test('adds children and remembers whose were fetched', () => {
    const known = [node('sh', '', { children_more: true })];
    const merged = mergeNodes(known, [node('sh', '', { children_more: true }), node('curl', 'sh')], new Set(['sh']));
    expect(merged.map((one) => [one.entity_id, one.children_more])).toEqual([['sh', false], ['curl', false]]);
  });
  test('keeps the longer list of images', () => {
    const long = node('sh', '', { images: [{ executable: '/bin/sh', command_line: 'sh' }, { executable: '/bin/nc', command_line: 'nc' }] });
    expect(mergeNodes([long], [node('sh', '')], none)[0]!.images).toHaveLength(2);
  });
});

describe('tableRows', () => {
  test('walks depth first with the depth', () => {
    const rows = tableRows([node('a', ''), node('c', 'b'), node('b', 'a')], 'c');
    expect(rows.map((row) => [row.node.entity_id, row.depth])).toEqual([['a', 0], ['b', 1], ['c', 2]]);
  });
});
