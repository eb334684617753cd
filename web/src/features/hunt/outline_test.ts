import { describe, expect, test } from 'vitest';
import type { FieldTable } from './hunt_queries';
import {
  changed, choicesFor, fieldNamed, newRow, outlineOf, rootOf, rowAt, shownValue, typedValue, typedValues, without, withField, withOperator, wrapped, choiceOf,
  type Operator, type OutlineNode,
} from './outline';

const table: FieldTable = {
  fields: [
    { name: 'process.name', type: 'text', operators: ['=', '!=', 'CONTAINS', 'IN', 'EXISTS'], aliases: ['FileName'], help: '' },
    { name: 'process.pid', type: 'integer', operators: ['=', '!=', '<', 'IN', 'EXISTS'], aliases: ['PID'], help: '' },
    { name: 'attributes', type: 'text', operators: ['=', '<', 'EXISTS'], aliases: [], help: '' },
  ],
  event_types: [],
};
const one: OutlineNode = { kind: 'test', field: 'PID', operator: '=', values: [{ kind: 'word', text: '1' }] };
const nested: OutlineNode = {
  kind: 'all', children: [one, { kind: 'any', negated: true, children: [one, { kind: 'text', text: 'x = 1' }] }],
};

describe('an outline', () => {
  test('comes back as it was', () => {
    expect(outlineOf(rootOf(nested))).toEqual(nested);
  });
  test('has a group without NOT as its root', () => {
    expect(outlineOf(rootOf(one))).toEqual({ kind: 'all', children: [one] });
    expect(outlineOf(rootOf({ kind: 'any', negated: true, children: [one] }))).toEqual({ kind: 'all', children: [{ kind: 'any', negated: true, children: [one] }] });
  });
  test('is sent without rows that are not filled in, and places still mean the right ones', () => {
    const root = rootOf(nested);
    const half = { ...root, children: [newRow({ kind: 'test' }), newRow({ kind: 'any' }), newRow({ kind: 'text', text: ' ' }), ...root.children] };
    expect(outlineOf(half)).toEqual(nested);
    expect(rowAt(half, [1, 1])?.text).toBe('x = 1');
    expect(rowAt(half, [])).toBe(half);
    expect(rowAt(half, [7, 1])).toBeUndefined();
  });
  test('is changed, wrapped and shortened anywhere', () => {
    const root = rootOf(nested);
    const inner = root.children[1]!.children[0]!;
    expect(rowAt(changed(root, inner.id, (row) => ({ ...row, field: 'x' })), [1, 0])?.field).toBe('x');
    expect(outlineOf(rowAt(wrapped(root, inner.id), [1, 0])!)).toEqual({ kind: 'any', children: [one] });
    expect(outlineOf(without(root, inner.id)).children?.[1]?.children).toHaveLength(1);
  });
});

describe('operators', () => {
  test('are those of the field, and the one that is there', () => {
    const labels = (name: string, operator: Operator = '=') => choicesFor(fieldNamed(table, name), { operator, opposite: false }).map((choice) => choice.label);
    expect(labels('pid')).toEqual(['is', 'is not', 'is one of', 'is none of', '<', 'exists', 'is absent']);
    expect(labels('PID', 'CONTAINS')).toContain('contains');
    expect(labels('filename')).not.toContain('<');
    expect(labels('attributes.Some')).toEqual(['is', 'is not', '<', 'exists', 'is absent']);
    expect(labels('no such field').length).toBeGreaterThan(15);
  });
  test('that a new field does not have give way', () => {
    const row = newRow({ kind: 'test', field: 'PID', operator: '<', values: [{ kind: 'word', text: '7' }] });
    expect(withField(row, 'FileName', table)).toMatchObject({ operator: '=', values: [{ kind: 'text', text: '7' }] });
    expect(withField(row, 'unknown', table)).toMatchObject({ operator: '<' });
  });
});

describe('values', () => {
  test.each([
    ['curl', '=', 'text', { kind: 'text', text: 'curl' }],
    ['*curl?', '=', 'text', { kind: 'pattern', text: '*curl?' }],
    ['what\\?', '=', 'text', { kind: 'text', text: 'what?' }],
    ['C:\\\\*', 'IN', 'text', { kind: 'pattern', text: 'C:\\\\*' }],
    ['C:\\Windows', '=', 'text', { kind: 'text', text: 'C:\\Windows' }],
    ['\\\\host', '=', 'text', { kind: 'text', text: '\\\\host' }],
    ['a*', 'CONTAINS', 'text', { kind: 'text', text: 'a*' }],
    ['a.*\\s', 'MATCHES', 'text', { kind: 'regex', text: 'a.*\\s' }],
    ['now-30d', '>', 'time', { kind: 'word', text: 'now-30d' }],
    ['10.0.0.0/8', '=', 'ip', { kind: 'word', text: '10.0.0.0/8' }],
    ['10.*', '=', 'ip', { kind: 'pattern', text: '10.*' }],
    ['1 OR x = 2', '=', 'integer', { kind: 'text', text: '1 OR x = 2' }],
    ['user.name (field)', 'CONTAINS', 'text', { kind: 'word', text: 'user.name' }],
  ] as const)('%s of %s', (text, operator, type, value) => {
    expect(typedValue(text, operator, type)).toEqual(value);
    expect(shownValue(value, operator, type)).toBe(text);
  });
  test('that are both text and wildcards are told apart', () => {
    for (const text of ['a*', '\\*', '\\\\?', '*\\']) {
      const value = { kind: 'text' as const, text };
      expect(typedValue(shownValue(value, '=', 'text'), '=', 'text')).toEqual(value);
    }
  });
  test('stay what they are where their boxes do not change', () => {
    const row = newRow({ kind: 'test', field: 'FileName', values: [{ kind: 'word', text: '7' }] });
    expect(typedValues(['7', '8'], row, 'text')).toEqual([{ kind: 'word', text: '7' }, { kind: 'text', text: '8' }]);
  });
  test('follow a change of the operator', () => {
    const row = newRow({ kind: 'test', field: 'FileName', values: [{ kind: 'pattern', text: 'a*' }] });
    const contains = withOperator(row, choiceOf({ operator: 'CONTAINS', opposite: true }), 'text');
    expect(contains).toMatchObject({ operator: 'CONTAINS', opposite: true, values: [{ kind: 'text', text: 'a*' }] });
    expect(withOperator(contains, choiceOf({ operator: 'MATCHES', opposite: false }), 'text').values).toEqual([{ kind: 'regex', text: 'a*' }]);
  });
});
