// What the builder holds: the outline of a query as rows with ids, changed by whole values. The node reads text into it and
// prints it; nothing here parses or prints hunting text.
import type { Schema } from '@/shared/api/client';
import type { FieldTable } from './hunt_queries';

export type OutlineNode = Schema['OutlineNode'];
export type OutlineValue = Schema['OutlineValue'];
export type Operator = NonNullable<OutlineNode['operator']>;
export type FieldType = FieldTable['fields'][number]['type'];

export interface Row {
  id: number;
  kind: OutlineNode['kind'];
  negated: boolean;
  children: Row[];
  field: string;
  operator: Operator;
  opposite: boolean;
  quantifier: OutlineNode['quantifier'];
  values: OutlineValue[];
  text: string;
}

let lastId = 0;

export function newRow(row: Partial<Omit<Row, 'id'>> & Pick<Row, 'kind'>): Row {
  return {
    id: ++lastId, negated: false, children: [], field: '', operator: '=', opposite: false, quantifier: undefined, values: [], text: '', ...row,
  };
}

export function rowOf(node: OutlineNode): Row {
  return newRow({ ...node, kind: node.kind, children: (node.children ?? []).map(rowOf), values: node.values ?? [] });
}

// The root that the builder shows is always a group without NOT.
export function rootOf(node: OutlineNode): Row {
  const row = rowOf(node);
  const plainGroup = (row.kind === 'all' || row.kind === 'any') && !row.negated;
  return plainGroup ? row : newRow({ kind: 'all', children: [row] });
}

export function isGroup(row: Row): boolean {
  return row.kind === 'all' || row.kind === 'any';
}

// Whether the row says something yet.
function isWhole(row: Row): boolean {
  if (isGroup(row)) return row.children.some(isWhole);
  if (row.kind === 'text') return row.text.trim() !== '';
  return row.field.trim() !== '' && (row.operator === 'EXISTS' || row.values.length > 0);
}

// The outline to send, without rows that are not filled in.
export function outlineOf(row: Row): OutlineNode {
  const negated = row.negated ? { negated: true } : {};
  if (isGroup(row)) return { kind: row.kind, ...negated, children: row.children.filter(isWhole).map(outlineOf) };
  if (row.kind === 'text') return { kind: 'text', ...negated, text: row.text };
  const exists = row.operator === 'EXISTS';
  return {
    kind: 'test', ...negated, field: row.field.trim(), operator: row.operator, ...(row.opposite && { opposite: true }),
    ...(row.quantifier && !exists && { quantifier: row.quantifier }), values: exists ? [] : row.values,
  };
}

// The row that the node means by positions in the outline that was sent.
export function rowAt(root: Row, path: number[]): Row | undefined {
  let row: Row | undefined = root;
  for (const at of path) row = row?.children.filter(isWhole)[at];
  return row;
}

export function changed(root: Row, id: number, change: (row: Row) => Row): Row {
  if (root.id === id) return change(root);
  return { ...root, children: root.children.map((child) => changed(child, id, change)) };
}

export function without(root: Row, id: number): Row {
  return { ...root, children: root.children.filter((child) => child.id !== id).map((child) => without(child, id)) };
}

// The row inside of a new group that takes its place.
export function wrapped(root: Row, id: number): Row {
  return changed(root, id, (row) => newRow({ kind: 'any', children: [row] }));
}

export function levelsOf(row: Row): number {
  return 1 + Math.max(0, ...row.children.map(levelsOf));
}

// As many as the node shows; see src/query/outline.h.
export const levelsMax = 7;

// ---- operators

export interface OperatorChoice {
  value: string;
  label: string;
  operator: Operator;
  opposite: boolean;
}

const words: [Operator, string, string][] = [
  ['=', 'is', 'is not'], ['IN', 'is one of', 'is none of'], ['CONTAINS', 'contains', 'does not contain'],
  ['STARTS', 'starts with', 'does not start with'], ['ENDS', 'ends with', 'does not end with'], ['LIKE', 'is like', 'is not like'],
  ['MATCHES', 'matches (regex)', 'does not match (regex)'], ['CIDR', 'lies in network', 'does not lie in network'],
  ['<', '<', ''], ['<=', '≤', ''], ['>', '>', ''], ['>=', '≥', ''], ['EXISTS', 'exists', 'is absent'],
];

const all: OperatorChoice[] = words.flatMap(([operator, label, opposite]) => [
  { value: operator, label, operator, opposite: false },
  ...(opposite ? [{ value: `NOT ${operator}`, label: opposite, operator, opposite: true }] : []),
]);

export function choiceOf(row: Pick<Row, 'operator' | 'opposite'>): OperatorChoice {
  return all.find((choice) => choice.operator === row.operator && choice.opposite === row.opposite) ?? all[0]!;
}

// The field that a name stands for first; names are read in any case.
export function fieldNamed(table: FieldTable | undefined, name: string): FieldTable['fields'][number] | undefined {
  const wanted = name.trim().toLowerCase();
  if (!table || wanted === '') return undefined;
  if (wanted.startsWith('attributes.')) return table.fields.find((field) => field.name === 'attributes');
  return table.fields.find((field) => field.name.toLowerCase() === wanted)
    ?? table.fields.find((field) => field.aliases.some((alias) => alias.toLowerCase() === wanted));
}

// Those of the field; all of them where it is not known. What the row has stays among them.
export function choicesFor(field: FieldTable['fields'][number] | undefined, row: Pick<Row, 'operator' | 'opposite'>): OperatorChoice[] {
  const own = choiceOf(row);
  return all.filter((choice) => choice === own || !field || field.operators.includes(choice.operator));
}

// ---- values, as people type and see them

const wildcardOperators: Operator[] = ['=', 'IN', 'LIKE'];
const behindField = ' (field)';

function isWordType(type: FieldType | undefined): boolean {
  return type === 'integer' || type === 'time' || type === 'ip';
}

// A value as it stands in its box. * and ? are wildcards where the operator has them; meant as characters, a backslash
// stands before them.
export function shownValue(value: OutlineValue, operator: Operator, type: FieldType | undefined): string {
  if (value.kind === 'word' && !isWordType(type) && !/^\d/.test(value.text)) return value.text + behindField;
  if (value.kind !== 'text' || !wildcardOperators.includes(operator) || !/[*?]/.test(value.text)) return value.text;
  return value.text.replace(/[\\*?]/g, '\\$&');
}

// The value that a box says, for a field of the type.
export function typedValue(text: string, operator: Operator, type: FieldType | undefined): OutlineValue {
  if (operator === 'MATCHES') return { kind: 'regex', text };
  if (text.endsWith(behindField)) return { kind: 'word', text: text.slice(0, -behindField.length) };
  if (isWordType(type) && /^[^\s()|,=!<>"'*?]+$/.test(text)) return { kind: 'word', text };
  if (!wildcardOperators.includes(operator) || !/[*?]/.test(text)) return { kind: 'text', text };
  const literal = text.replace(/\\([\\*?])/g, '$1');
  const hasWildcard = /[*?]/.test(text.replace(/\\[\\*?]/g, ''));
  return hasWildcard ? { kind: 'pattern', text } : { kind: 'text', text: literal };
}

// The values that boxes say, each kept as it is where its box has not changed.
export function typedValues(shown: string[], row: Pick<Row, 'operator' | 'values'>, type: FieldType | undefined): OutlineValue[] {
  const kept = new Map(row.values.map((value) => [shownValue(value, row.operator, type), value]));
  return shown.map((text) => kept.get(text) ?? typedValue(text, row.operator, type));
}

// The row with another operator or field: its values are what their boxes say then.
export function withOperator(row: Row, choice: OperatorChoice, type: FieldType | undefined): Row {
  const values = row.values.map((value) => typedValue(shownValue(value, row.operator, type), choice.operator, type));
  return { ...row, operator: choice.operator, opposite: choice.opposite, values };
}

export function withField(row: Row, name: string, table: FieldTable | undefined): Row {
  const before = fieldNamed(table, row.field);
  const after = fieldNamed(table, name);
  const fits = !after || after.operators.includes(row.operator);
  const values = row.values.map((value) => typedValue(shownValue(value, row.operator, before?.type), fits ? row.operator : '=', after?.type));
  return { ...row, field: name, values, ...(!fits && { operator: '=' as const, opposite: false }) };
}
