import { describe, expect, it } from 'vitest';
import type { ScanObject } from '@/shared/api/client';
import { waitedFor, withObject } from './object_queries';

const object = (id: string, verdict: ScanObject['verdict'] = 'processing') => ({ id, verdict }) as ScanObject;
const shown = (pages: { objects: ScanObject[] }[]) => pages.map((page) => page.objects.map((one) => `${one.id} ${one.verdict}`));

describe('withObject', () => {
  const pages = [{ objects: [object('3'), object('2')], next_cursor: '2' }, { objects: [object('1')] }];
  it('puts a fresh state in place, in any list', () => {
    for (const list of ['all', 'narrowed'] as const) {
      expect(shown(withObject(pages, object('1', 'detect'), list))).toEqual([['3 processing', '2 processing'], ['1 detect']]);
    }
  });
  it('puts a new one first where nothing is left out', () => {
    expect(shown(withObject(pages, object('4'), 'all'))[0]).toEqual(['4 processing', '3 processing', '2 processing']);
    expect(withObject(pages, object('4'), 'narrowed')).toBe(pages);
    expect(shown(withObject([], object('4'), 'all'))).toEqual([['4 processing']]);
  });
});

describe('waitedFor', () => {
  it('takes the oldest that are being judged', () => {
    expect(waitedFor([object('4'), object('3'), object('2', 'detect'), object('1')])).toEqual(new Set(['3', '1']));
  });
});
