import { describe, expect, it } from 'vitest';
import { sourceNameMax, sourceNameOf, summaryOf } from './feed';

describe('sourceNameOf', () => {
  it('makes a name of that of the file', () => {
    expect(sourceNameOf('abuse.ch hashes (3).csv')).toBe('abuse.ch-hashes-3');
    expect(sourceNameOf('../../etc/passwd')).toBe('etc-passwd');
    expect(sourceNameOf('main.hdb')).toBe('main');
    expect(sourceNameOf('…')).toBe('');
    expect(sourceNameOf('x'.repeat(200))).toHaveLength(sourceNameMax);
  });
});

describe('summaryOf', () => {
  it('says what became of a feed', () => {
    expect(summaryOf({ source: 'urlhaus', format: 'list', added: 12_345, removed: 1, skipped: 0, reasons: [] }))
      .toBe('urlhaus (list): 12,345 entries now, 1 entry removed, 0 lines skipped');
  });
});
