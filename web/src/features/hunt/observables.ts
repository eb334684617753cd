// "Find the same": what an analyst starts from (a hash, an address, …) as conditions on every field that may have it, and
// which of these an event has.
import type { HuntResult } from '@/shared/api/client';
import type { CellValue } from '@/shared/query_text/query_text';
import type { OutlineNode, OutlineValue } from './outline';

export type QuestionId = 'hash' | 'address' | 'domain' | 'path' | 'program' | 'arguments' | 'user' | 'host' | 'process' | 'container';

interface Question {
  id: QuestionId;
  name: string;
  hint: string;
  // Fields whose value is one of these; of the second list, contains it.
  fields: string[];
  within?: string[];
}

export const questions: Question[] = [
  { id: 'hash', name: 'Hash', hint: 'SHA-256, SHA-1 or MD5 of a program or file', fields: [] },
  { id: 'address', name: 'Address', hint: '192.0.2.7 or a network, 192.0.2.0/24', fields: ['source.ip', 'destination.ip', 'host.ip'] },
  { id: 'domain', name: 'Domain', hint: 'evil.example, with all names below it', fields: [] },
  { id: 'path', name: 'File path', hint: '/tmp/x, or with wildcards: /tmp/*.sh', fields: ['file.path', 'file.previous.path', 'file.target_path', 'process.executable', 'process.script'] },
  { id: 'program', name: 'Program', hint: 'curl', fields: ['process.name', 'process.parent.name', 'target.process.name'] },
  { id: 'arguments', name: 'Arguments', hint: 'a part of a command line', fields: [], within: ['process.command_line', 'process.parent.command_line'] },
  { id: 'user', name: 'User', hint: 'root', fields: ['user.name', 'user.effective.name', 'user.target.name', 'user.changes.effective.name'] },
  { id: 'host', name: 'Host', hint: 'name of a host', fields: ['host.name'] },
  { id: 'process', name: 'Process', hint: 'its id of 32 digits: what it did, its children, who acted on it', fields: ['process.entity_id', 'process.parent.entity_id', 'target.process.entity_id'] },
  { id: 'container', name: 'Container', hint: 'its id', fields: ['container.id'] },
];

export function questionOf(id: QuestionId): Question {
  return questions.find((question) => question.id === id)!;
}

const hashFields: Record<number, string> = { 32: 'md5', 40: 'sha1', 64: 'sha256' };
const hexadecimal = /^[0-9a-f]+$/i;

// What a pasted value most likely is.
export function guess(text: string): QuestionId | undefined {
  const value = text.trim();
  if (value === '') return undefined;
  if (hexadecimal.test(value) && hashFields[value.length]) return 'hash';
  if (/^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/.test(value) || /^[0-9a-f]*:[0-9a-f:.]*(\/\d{1,3})?$/i.test(value)) return 'address';
  if (value.startsWith('/') || /^[a-z]:\\/i.test(value)) return 'path';
  if (/\s/.test(value)) return 'arguments';
  return /^[\w-]+(\.[\w-]+)+$/.test(value) ? 'domain' : undefined;
}

function test(field: string, operator: OutlineNode['operator'], ...values: OutlineValue[]): OutlineNode {
  return { kind: 'test', field, operator, values };
}

function exactOr(text: string): OutlineValue {
  return { kind: /[*?]/.test(text) ? 'pattern' : 'text', text };
}

// True of every event that has the value anywhere where such a value stands.
export function conditionOf(id: QuestionId, text: string): OutlineNode {
  const value = text.trim();
  const question = questionOf(id);
  if (id === 'hash') {
    const kind = hashFields[value.length] ?? 'sha256';
    const operator = hashFields[value.length] ? '=' : 'STARTS';
    return { kind: 'any', children: ['process', 'file'].map((what) => test(`${what}.hash.${kind}`, operator, { kind: 'text', text: value })) };
  }
  if (id === 'domain') {
    const below: OutlineValue[] = [{ kind: 'text', text: value }, { kind: 'pattern', text: `*.${value.replace(/[\\*?]/g, '\\$&')}` }];
    return { kind: 'any', children: ['dns.question.name', 'destination.domain', 'source.domain'].map((field) => test(field, '=', ...below)) };
  }
  const plain = id === 'process' || id === 'container' || id === 'address';
  const one: OutlineValue = plain ? { kind: 'text', text: value } : exactOr(value);
  const children = [
    ...question.fields.map((field) => test(field, '=', one)),
    ...(question.within ?? []).map((field) => test(field, 'CONTAINS', { kind: 'text', text: value })),
  ];
  return children.length === 1 ? children[0]! : { kind: 'any', children };
}

export interface Observable {
  question: QuestionId;
  field: string;
  value: string;
}

const observed: [string, QuestionId][] = [
  ['process.hash.sha256', 'hash'], ['file.hash.sha256', 'hash'], ['process.hash.md5', 'hash'], ['file.hash.md5', 'hash'],
  ['destination.ip', 'address'], ['source.ip', 'address'], ['dns.question.name', 'domain'], ['destination.domain', 'domain'],
  ['file.path', 'path'], ['file.previous.path', 'path'], ['process.executable', 'path'], ['process.script', 'path'],
  ['process.name', 'program'], ['process.parent.name', 'program'], ['process.command_line', 'arguments'],
  ['user.name', 'user'], ['user.target.name', 'user'], ['host.name', 'host'],
  ['process.entity_id', 'process'], ['process.parent.entity_id', 'process'], ['target.process.entity_id', 'process'], ['container.id', 'container'],
];

// Each value once a question.
export function observablesOf(result: HuntResult, row: CellValue[]): Observable[] {
  const found: Observable[] = [];
  for (const [field, question] of observed) {
    const at = result.columns.findIndex((column) => column.field === field);
    const value = at < 0 ? undefined : row[at];
    if (value === null || value === undefined || value === '') continue;
    const text = String(value);
    if (!found.some((one) => one.question === question && one.value === text)) found.push({ question, field, value: text });
  }
  return found;
}

// What an event said is compared as it is: its wildcards are characters.
export function conditionOfObservable({ question, value }: Observable): OutlineNode {
  const literal = (node: OutlineNode): OutlineNode => node.kind === 'test'
    ? { ...node, values: node.values!.map((one) => one.kind === 'pattern' && one.text === value ? { kind: 'text', text: value } : one) }
    : { ...node, children: node.children!.map(literal) };
  return literal(conditionOf(question, value));
}

export function joined(kind: 'all' | 'any', chosen: Observable[]): OutlineNode {
  const conditions = chosen.map(conditionOfObservable);
  return { kind, children: conditions.flatMap((one) => one.kind === kind ? one.children! : [one]) };
}

export interface TimeAround {
  time?: string;  // of the event
  span: string;   // "15m" around it, or of the last; "all"
}

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export function pipesAround({ time, span }: TimeAround): string[] {
  if (span === 'all') return [];
  if (!time) return [`since ${span}`];
  const half = Number(span.slice(0, -1)) * units[span.slice(-1)]!;
  const at = Date.parse(time);
  return [`since ${new Date(at - half).toISOString()}`, `until ${new Date(at + half).toISOString()}`];
}
