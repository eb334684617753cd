import { describe, expect, test } from 'vitest';
import { isAggregate, narrow, offsetOf, pipeValue, quote, splitQuery, testOf, withPipe } from './query_text';

describe('quote', () => {
  test('escapes quotes, backslashes and wildcards', () => {
    expect(quote('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(quote('rm -rf /tmp/* ?')).toBe('"rm -rf /tmp/\\* \\?"');
  });
  test('escapes control characters and keeps the rest', () => {
    expect(quote('a\nb\tc\r\u0000')).toBe('"a\\nb\\tc\\x0d\\x00"');
    expect(quote("it's ünï 🙂")).toBe('"it\'s ünï 🙂"');
  });
});

describe('splitQuery', () => {
  test('ignores pipes in quotes', () => {
    expect(splitQuery(`process.command_line CONTAINS "curl | sh" | since 7d`)).toEqual({
      body: 'process.command_line CONTAINS "curl | sh"',
      pipes: ['since 7d'],
    });
    expect(splitQuery(`a = 'x\\'|' | limit 5|`)).toEqual({ body: `a = 'x\\'|'`, pipes: ['limit 5'] });
  });
});

describe('testOf', () => {
  test('writes numbers bare and the rest quoted', () => {
    expect(testOf('process.pid', 'integer', 42)).toBe('process.pid = 42');
    expect(testOf('destination.ip', 'ip', '127.0.0.1')).toBe('destination.ip = "127.0.0.1"');
    expect(testOf('user.name', 'text', 'a*')).toBe('user.name = "a\\*"');
  });
});

describe('narrow', () => {
  const root = 'user.name = "root"';
  test('is the condition itself for an empty query', () => {
    expect(narrow('', root, 'only')).toBe(root);
    expect(narrow('| since 1h', root, 'without')).toBe(`NOT ${root} | since 1h`);
  });
  test('goes before the pipes', () => {
    expect(narrow('a = 1 | since 7d | limit 5', root, 'only')).toBe(`a = 1 AND ${root} | since 7d | limit 5`);
  });
  test('puts a loose OR in parentheses, and only then', () => {
    expect(narrow('a = 1 OR b = 2', root, 'only')).toBe(`(a = 1 OR b = 2) AND ${root}`);
    expect(narrow('(a = 1 or b = 2)', root, 'without')).toBe(`(a = 1 or b = 2) AND NOT ${root}`);
    expect(narrow('(a = 1) or (b = 2)', root, 'only')).toBe(`((a = 1) or (b = 2)) AND ${root}`);
    expect(narrow('a = "this or that"', root, 'only')).toBe(`a = "this or that" AND ${root}`);
    expect(narrow('a = "x \\" or y"', root, 'only')).toBe(`a = "x \\" or y" AND ${root}`);
  });
  test('does not repeat the last condition', () => {
    const once = narrow('a = 1', root, 'only');
    expect(narrow(once, root, 'only')).toBe(once);
  });
});

describe('pipes', () => {
  test('are read, set in place, added first and removed', () => {
    expect(pipeValue('a = 1 | SINCE 7d | limit 5', 'since')).toBe('7d');
    expect(pipeValue('a = "| since 7d"', 'since')).toBeUndefined();
    expect(withPipe('a = 1 | limit 5 | since 7d', 'since', '1h')).toBe('a = 1 | limit 5 | since 1h');
    expect(withPipe('a = 1 | limit 5', 'since', '1h')).toBe('a = 1 | since 1h | limit 5');
    expect(withPipe('a = 1 | since 1h', 'since', '')).toBe('a = 1');
  });
  test('tell figures from events', () => {
    expect(isAggregate('a = 1 | count by user.name top 5')).toBe(true);
    expect(isAggregate('a = "| count by x" | since 1d')).toBe(false);
  });
});

describe('offsetOf', () => {
  test('counts code points, not UTF-16 units', () => {
    expect(offsetOf('a = "🙂" AND b', 1, 6)).toBe(5);
    expect(offsetOf('a = "🙂" AND b', 1, 9)).toBe(9);
    expect(offsetOf('a = 1\nAND bad = 2', 2, 5)).toBe(10);
    expect(offsetOf('abc', 9, 99)).toBe(3);
  });
});
