import { describe, expect, test } from 'vitest';
import { barsMax, filled } from './buckets';

const minuteUs = 60_000_000;
const at = (minute: number, count: number) => ({ time: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(), count });

describe('filled', () => {
  test('puts the empty buckets in place', () => {
    const bars = filled([at(0, 3), at(59, 4)], minuteUs);
    expect(bars).toHaveLength(60);
    expect([bars[0]!.count, bars[1]!.count, bars[59]!.count]).toEqual([3, 0, 4]);
  });
  test('surrounds a single bucket', () => {
    const bars = filled([at(5, 9)], minuteUs);
    expect(bars.length).toBeGreaterThan(20);
    expect(bars.filter((bar) => bar.count > 0)).toEqual([{ fromMs: Date.parse(at(5, 0).time), toMs: Date.parse(at(6, 0).time), count: 9 }]);
  });
  test('is bounded and bears nonsense', () => {
    expect(filled([at(0, 1), at(100_000, 1)], minuteUs)).toHaveLength(barsMax);
    expect(filled([], minuteUs)).toEqual([]);
    expect(filled([{ time: 'never', count: 1 }], minuteUs)).toEqual([]);
    expect(filled([at(0, 1)], 0)).toEqual([]);
  });
});
