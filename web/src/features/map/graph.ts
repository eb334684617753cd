// The map as values: what is known of each node, what of it is shown, and where. A node keeps the place where it appeared
// first; what else it has to do with others is a line across. Nothing above a node that opens moves.
import type { Schema } from '@/shared/api/client';

export type MapNode = Schema['MapNode'];
export type MapAnswer = Schema['MapAnswer'];
export type MapKind = Schema['MapKind'];
export type Relation = Schema['MapRelation'];
export type Direction = Schema['MapDirection'];
export type Link = Omit<MapAnswer['neighbours'][number], 'node'>;

export interface Entry {
  key: string;
  node: MapNode;
  parent?: string;   // where it hangs; the root hangs nowhere
  link?: Link;       // between its parent and it, as the parent's answer said
  children: string[];
  across: { to: string; link: Link }[];  // neighbours that hang elsewhere
  open: boolean;
  state: 'unknown' | 'loading' | 'known' | 'failed';
  error: string;     // empty: none
  partial: boolean;
  more: MapAnswer['more'];            // what the node found beside its answer
  shown: Record<string, number>;      // how many of a group, where that is not the usual number
}

export interface MapState {
  focus: string;
  root: string;
  entries: ReadonlyMap<string, Entry>;
}

export const shownAtFirst = 12;
const shownFactor = 5;
export const limitAtFirst = 200;
export const limitMax = 2000;

export function keyOf(node: Pick<MapNode, 'kind' | 'id' | 'host_id'>): string {
  // A path is a file of one host; the others are the same everywhere.
  return node.kind === 'file' ? `file ${node.host_id ?? ''} ${node.id}` : `${node.kind} ${node.id}`;
}

function entryOf(node: MapNode, parent?: string, link?: Link): Entry {
  return {
    key: keyOf(node), node, children: [], across: [], open: false, state: 'unknown', error: '', partial: false, more: [], shown: {},
    ...(parent !== undefined && { parent }), ...(link && { link }),
  };
}

export function startOf(node: MapNode): MapState {
  const entry = entryOf(node);
  return { focus: entry.key, root: entry.key, entries: new Map([[entry.key, entry]]) };
}

function withEntry(state: MapState, key: string, change: (entry: Entry) => Entry): MapState {
  const entry = state.entries.get(key);
  return entry ? { ...state, entries: new Map(state.entries).set(key, change(entry)) } : state;
}

export function loading(state: MapState, key: string): MapState {
  return withEntry(state, key, (entry) => ({ ...entry, open: true, state: 'loading', error: '' }));
}

export function failed(state: MapState, key: string, error: string): MapState {
  return withEntry(state, key, (entry) => ({ ...entry, state: 'failed', error, open: false }));
}

export function toggled(state: MapState, key: string): MapState {
  return withEntry(state, key, (entry) => ({ ...entry, open: !entry.open }));
}

function isParentLink(link: Link): boolean {
  return link.relation === 'started' && link.direction === 'in';
}

// The state with what the node said about one of its nodes. Processes that come again keep what was known of them.
export function answered(state: MapState, key: string, answer: MapAnswer): MapState {
  const asked = state.entries.get(key);
  if (!asked) return state;
  const entries = new Map(state.entries);
  let root = state.root;
  const children = [...asked.children];
  const across: Entry['across'] = [];
  let parent = asked.parent;
  for (const { node, ...link } of answer.neighbours) {
    const other = keyOf(node);
    if (other === key) continue;
    const known = entries.get(other);
    if (!known && isParentLink(link) && key === root) {
      // The parent of the root is the root from now on.
      entries.set(other, { ...entryOf(node), children: [key] });
      root = other;
      parent = other;
    } else if (!known) {
      entries.set(other, entryOf(node, key, link));
      children.push(other);
    } else if (known.parent !== key && parent !== other) {
      across.push({ to: other, link });
    } else if (known.parent === key) {
      entries.set(other, { ...known, link, node: { ...known.node, ...node } });
    }
  }
  entries.set(key, {
    ...asked, error: '', node: { ...asked.node, ...answer.node }, children, across, ...(parent !== undefined && { parent }),
    open: true, state: 'known', partial: answer.partial, more: answer.more,
  });
  return { ...state, root, entries };
}

// ---- what is shown

export interface Item {
  key: string;          // of the entry, or of the group that has more
  kind: 'node' | 'more';
  entry: Entry;         // of a "more": the one that has them
  group: string;
  count: number;        // of a "more": how many are hidden
  toFetch: boolean;     // of a "more": some of them are still with the node
  depth: number;
  row: number;
  parent: number;       // index of its parent's item; -1 of the root
  label: string;        // of the first of a group: what it has to do with its parent
}

export function groupOf(link: Link | undefined): string {
  return link ? `${link.relation} ${link.direction}` : 'started out';
}

const relationNames: Record<Relation, [string, string]> = {
  started: ['started', 'started by'], ran: ['ran', 'ran as'], wrote: ['wrote', 'written by'], read: ['read', 'read by'],
  loaded: ['loaded', 'loaded by'], connected: ['connected to', 'connected by'], accepted: ['accepted from', 'accepted by'],
  looked_up: ['looked up', 'looked up by'], resolved: ['is', 'named'], acted_on: ['acted on', 'acted on by'], hosts: ['ran', 'ran on'],
};

export function relationName(relation: Relation, direction: Direction): string {
  return relationNames[relation][direction === 'out' ? 0 : 1];
}

// From the focus up to the root: shown even where their parents are closed.
function chainOf(state: MapState): Set<string> {
  const chain = new Set<string>();
  for (let key: string | undefined = state.focus; key !== undefined && !chain.has(key); key = state.entries.get(key)?.parent) chain.add(key);
  return chain;
}

interface Group {
  name: string;
  keys: string[];
  more: number;  // with the node
}

function groupsOf(state: MapState, entry: Entry): Group[] {
  const groups = new Map<string, Group>();
  const group = (name: string) => {
    let found = groups.get(name);
    if (!found) groups.set(name, found = { name, keys: [], more: 0 });
    return found;
  };
  for (const key of entry.children) group(groupOf(state.entries.get(key)!.link)).keys.push(key);
  for (const { relation, direction, count } of entry.more) group(`${relation} ${direction}`).more += count;
  return [...groups.values()];
}

function labelOf(group: string): string {
  const [relation, direction] = group.split(' ') as [Relation, Direction];
  return relationName(relation, direction);
}

// All that is shown, a node before what hangs from it. Rows are counted so that the first child stands beside its parent.
export function itemsOf(state: MapState): Item[] {
  const items: Item[] = [];
  const chain = chainOf(state);
  let row = 0;
  const visit = (key: string, depth: number, parent: number, label: string, first: boolean): void => {
    const entry = state.entries.get(key)!;
    if (!first) row++;
    const at = items.length;
    items.push({ key, kind: 'node', entry, group: groupOf(entry.link), count: 0, toFetch: false, depth, row, parent, label });
    let firstChild = true;
    for (const group of groupsOf(state, entry)) {
      const wanted = entry.open ? entry.shown[group.name] ?? shownAtFirst : 0;
      const shown = group.keys.filter((child, i) => i < wanted || chain.has(child) || state.entries.get(child)!.open && entry.open);
      shown.forEach((child, i) => {
        visit(child, depth + 1, at, i === 0 ? labelOf(group.name) : '', firstChild);
        firstChild = false;
      });
      const hidden = group.keys.length - shown.length + group.more;
      if (!entry.open || hidden === 0) continue;
      if (!firstChild) row++;
      firstChild = false;
      items.push({
        key: `${key} ${group.name} more`, kind: 'more', entry, group: group.name, count: hidden, toFetch: group.keys.length === shown.length,
        depth: depth + 1, row, parent: at, label: shown.length === 0 ? labelOf(group.name) : '',
      });
    }
  };
  visit(state.root, 0, -1, '', true);
  return items;
}

export function moreShown(state: MapState, item: Item): MapState {
  return withEntry(state, item.entry.key, (entry) => ({
    ...entry, shown: { ...entry.shown, [item.group]: (entry.shown[item.group] ?? shownAtFirst) * shownFactor },
  }));
}

// ---- words

export function titleOf(node: MapNode): string {
  switch (node.kind) {
    case 'process': return node.name || node.executable?.split('/').at(-1) || node.id.slice(0, 8);
    case 'host': return node.name || node.id;
    default: return node.id;
  }
}

// As many characters as there is room for; of a path the end is what tells.
export function shortTitle(node: MapNode, room: number): string {
  const title = titleOf(node);
  if (title.length <= room) return title;
  return node.kind === 'file' ? `…${title.slice(1 - room)}` : `${title.slice(0, room - 1)}…`;
}

export const kindNames: Record<MapKind, string> = { process: 'Process', file: 'File', address: 'Address', domain: 'Domain', host: 'Host' };

export function describe(item: Item): string {
  if (item.kind === 'more') return `${item.count} more that ${titleOf(item.entry.node)} ${labelOf(item.group)}`;
  const { node, link, open, state } = item.entry;
  const relation = link ? `, ${relationName(link.relation, link.direction)}, ${link.count} ${link.count === 1 ? 'event' : 'events'}` : '';
  return `${kindNames[node.kind]} ${titleOf(node)}${node.pid ? ` ${node.pid}` : ''}${relation}, ${state === 'loading' ? 'loading' : open ? 'open' : 'closed'}`;
}

// ---- keys

export type Step = 'up' | 'down' | 'left' | 'right' | 'home' | 'end';

// Where a key leads to from an item: up and down within the column, left to the parent, right to the first child.
export function stepFrom(items: Item[], at: number, step: Step): number {
  const item = items[at];
  if (!item) return 0;
  switch (step) {
    case 'home': return 0;
    case 'end': return items.length - 1;
    case 'left': return item.parent < 0 ? at : item.parent;
    case 'right': return items[at + 1]?.parent === at ? at + 1 : at;
    case 'down': {
      const next = items.findIndex((one, i) => i > at && one.depth === item.depth);
      return next < 0 ? at : next;
    }
    case 'up': {
      for (let i = at - 1; i >= 0; i--) if (items[i]!.depth === item.depth) return i;
      return at;
    }
  }
}
