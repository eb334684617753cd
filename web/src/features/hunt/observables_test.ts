import { describe, expect, test } from 'vitest';
import type { HuntResult } from '@/shared/api/client';
import { conditionOf, conditionOfObservable, guess, joined, observablesOf, pipesAround, questions } from './observables';

const sha256 = 'a'.repeat(64);

describe('a pasted value', () => {
  test.each([
    [sha256, 'hash'], ['d41d8cd98f00b204e9800998ecf8427e', 'hash'], ['192.0.2.7', 'address'], ['10.0.0.0/8', 'address'], ['fd00::1', 'address'],
    ['/tmp/x', 'path'], ['C:\\Windows', 'path'], ['curl -s http://x', 'arguments'], ['evil.example', 'domain'], ['root', undefined], [' ', undefined],
  ])('%s is a question about %s', (text, question) => {
    expect(guess(text)).toBe(question);
  });
});

describe('the conditions of a question', () => {
  test('look at every field that may have the value', () => {
    for (const { id } of questions) {
      const node = conditionOf(id, ' abc ');
      const tests = node.kind === 'any' ? node.children! : [node];
      expect(tests.length, id).toBeGreaterThan(0);
      for (const one of tests) expect(one.values![0]!.text).toBe('abc');
    }
  });
  test('of a hash follow its length', () => {
    expect(conditionOf('hash', sha256).children!.map((one) => one.field)).toEqual(['process.hash.sha256', 'file.hash.sha256']);
    expect(conditionOf('hash', 'a'.repeat(40)).children![0]!.field).toBe('process.hash.sha1');
    expect(conditionOf('hash', 'abc').children![0]!.operator).toBe('STARTS');
  });
  test('of a domain find what is below it, and only that', () => {
    expect(conditionOf('domain', 'evil.example').children![0]!.values).toEqual([{ kind: 'text', text: 'evil.example' }, { kind: 'pattern', text: '*.evil.example' }]);
  });
  test('take wildcards from people, not from events', () => {
    expect(conditionOf('path', '/tmp/*.sh').children![0]!.values).toEqual([{ kind: 'pattern', text: '/tmp/*.sh' }]);
    const node = conditionOfObservable({ question: 'path', field: 'file.path', value: '/tmp/*' });
    expect(node.children!.every((one) => one.values![0]!.kind === 'text')).toBe(true);
  });
});

test('conditions are joined without groups in groups of a kind', () => {
  const chosen = [{ question: 'hash', field: 'process.hash.sha256', value: sha256 }, { question: 'user', field: 'user.name', value: 'root' }] as const;
  expect(joined('any', [...chosen]).children!.map((one) => one.kind)).toEqual(Array.from({ length: 6 }, () => 'test'));
  expect(joined('all', [...chosen]).children!.map((one) => one.kind)).toEqual(['any', 'any']);
});

test('an event has each observable once', () => {
  const result = {
    columns: [
      { name: 'process.executable', field: 'process.executable', type: 'text' }, { name: 'file.path', field: 'file.path', type: 'text' },
      { name: 'user.name', field: 'user.name', type: 'text' }, { name: 'process.hash.sha256', field: 'process.hash.sha256', type: 'hash' },
    ],
    rows: [], partial: false, took_ms: 0,
  } as HuntResult;
  expect(observablesOf(result, ['/bin/x', '/bin/x', '', sha256])).toEqual([
    { question: 'hash', field: 'process.hash.sha256', value: sha256 }, { question: 'path', field: 'file.path', value: '/bin/x' },
  ]);
});

test('time is around the event, or up to now', () => {
  expect(pipesAround({ span: 'all' })).toEqual([]);
  expect(pipesAround({ span: '24h' })).toEqual(['since 24h']);
  expect(pipesAround({ span: '15m', time: '2026-01-31T12:00:00Z' })).toEqual(['since 2026-01-31T11:45:00.000Z', 'until 2026-01-31T12:15:00.000Z']);
});
