// Pure geometry of the process tree: from nodes as the node sends them to cards with places and edges. Ancestors stand
// left, children right; older ancestors than a few are folded into one card.
import { hierarchy, tree } from 'd3-hierarchy';
import type { ProcessNode } from '@/shared/api/client';

export const cardWidth = 248;
export const cardHeight = 92;
export const columnStep = cardWidth + 46;
const rowGap = 14;
export const ancestorsShownMax = 2;

export interface Card {
  id: string;
  node: ProcessNode;
  x: number;
  y: number;
  // Children that are known but hidden because this card is folded.
  hiddenChildren: number;
  shownChildren: number;
  // On the way from the root to the process in question.
  onPath: boolean;
}

export interface Layout {
  cards: Card[];
  edges: { from: string; to: string; onPath: boolean }[];
  // Older ancestors left out, oldest first; they stand before the first card.
  folded: ProcessNode[];
}

// Puts newly fetched nodes over known ones. A fresh answer knows better whether a node has more children, but for those
// that were fetched already.
export function mergeNodes(known: ProcessNode[], fetched: ProcessNode[], complete: ReadonlySet<string>): ProcessNode[] {
  const byId = new Map(known.map((node) => [node.entity_id, node]));
  for (const node of fetched) {
    const before = byId.get(node.entity_id);
    // Images only grow: a process can have run one more program since.
    const images = before && before.images.length > node.images.length ? before.images : node.images;
    byId.set(node.entity_id, { ...node, images, children_more: node.children_more && !complete.has(node.entity_id) });
  }
  return [...byId.values()];
}

// The ids from a process up to its oldest known ancestor, the process first. Ends at a cycle, which hostile or torn
// telemetry could hold.
export function pathToRoot(nodes: ProcessNode[], focus: string): string[] {
  const byId = new Map(nodes.map((node) => [node.entity_id, node]));
  const path: string[] = [];
  const seen = new Set<string>();
  for (let at = byId.get(focus); at && !seen.has(at.entity_id); at = byId.get(at.parent_entity_id)) {
    seen.add(at.entity_id);
    path.push(at.entity_id);
  }
  return path;
}

interface Branch {
  node: ProcessNode;
  children: Branch[];
  hidden: number;
}

function childrenOf(nodes: ProcessNode[]): Map<string, ProcessNode[]> {
  const children = new Map<string, ProcessNode[]>();
  for (const node of nodes) {
    if (node.parent_entity_id === node.entity_id) continue;
    const list = children.get(node.parent_entity_id) ?? [];
    list.push(node);
    children.set(node.parent_entity_id, list);
  }
  for (const list of children.values()) list.sort((a, b) => (a.start ?? '').localeCompare(b.start ?? '') || a.pid - b.pid);
  return children;
}

function branch(node: ProcessNode, children: Map<string, ProcessNode[]>, closed: ReadonlySet<string>, seen: Set<string>): Branch {
  seen.add(node.entity_id);
  const below = (children.get(node.entity_id) ?? []).filter((child) => !seen.has(child.entity_id));
  if (closed.has(node.entity_id)) return { node, children: [], hidden: below.length };
  return { node, children: below.map((child) => branch(child, children, closed, seen)), hidden: 0 };
}

export interface LayoutOptions {
  closed: ReadonlySet<string>;
  foldAncestors: 'fold' | 'show';
}

export function layoutTree(nodes: ProcessNode[], focus: string, { closed, foldAncestors }: LayoutOptions): Layout {
  const byId = new Map(nodes.map((node) => [node.entity_id, node]));
  const path = pathToRoot(nodes, focus);
  if (path.length === 0) return { cards: [], edges: [], folded: [] };
  // Folding one card would not save a place.
  const fold = foldAncestors === 'fold' && path.length - 1 > ancestorsShownMax + 1;
  const rootIndex = fold ? ancestorsShownMax : path.length - 1;
  const folded = path.slice(rootIndex + 1).reverse().map((id) => byId.get(id)!);
  const root = branch(byId.get(path[rootIndex]!)!, childrenOf(nodes), closed, new Set());

  const placed = tree<Branch>().nodeSize([cardHeight + rowGap, columnStep])
    .separation((a, b) => (a.parent === b.parent ? 1 : 1.15))(hierarchy(root));
  const onPath = new Set(path);
  const cards: Card[] = [];
  const edges: Layout['edges'] = [];
  placed.each((at) => {
    const id = at.data.node.entity_id;
    cards.push({
      id, node: at.data.node, x: at.y, y: at.x, onPath: onPath.has(id),
      hiddenChildren: at.data.hidden, shownChildren: at.data.children.length,
    });
    if (at.parent) edges.push({ from: at.parent.data.node.entity_id, to: id, onPath: onPath.has(id) });
  });
  return { cards, edges, folded };
}

// The same tree as rows of a table, depth first.
export interface TreeRow {
  node: ProcessNode;
  depth: number;
}

export function tableRows(nodes: ProcessNode[], focus: string): TreeRow[] {
  const path = pathToRoot(nodes, focus);
  const root = nodes.find((node) => node.entity_id === path.at(-1));
  if (!root) return [];
  const rows: TreeRow[] = [];
  const walk = (at: Branch, depth: number) => {
    rows.push({ node: at.node, depth });
    for (const child of at.children) walk(child, depth + 1);
  };
  walk(branch(root, childrenOf(nodes), new Set(), new Set()), 0);
  return rows;
}
