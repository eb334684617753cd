// Buckets of a histogram with the empty ones in place.

export interface Bucket {
  fromMs: number;
  toMs: number;
  count: number;
}

export const barsMax = 500;
const barsLeast = 40;

// The node may leave out empty buckets. A few bars alone would be as broad as walls: empty ones stand around them.
export function filled(buckets: { time: string; count: number }[], widthUs: number): Bucket[] {
  const widthMs = widthUs / 1000;
  const known = buckets.map((bucket) => ({ at: Date.parse(bucket.time), count: bucket.count }))
    .filter((bucket) => Number.isFinite(bucket.at)).sort((a, b) => a.at - b.at);
  if (known.length === 0 || !(widthMs > 0)) return [];
  const first = known[0]!.at;
  const span = Math.round((known.at(-1)!.at - first) / widthMs) + 1;
  const before = Math.max(0, Math.floor((barsLeast - span) / 2));
  const length = Math.min(Math.max(span, barsLeast), barsMax);
  const bars = Array.from({ length }, (_, index) => {
    const fromMs = first + (index - before) * widthMs;
    return { fromMs, toMs: fromMs + widthMs, count: 0 };
  });
  for (const bucket of known) {
    const bar = bars[Math.round((bucket.at - first) / widthMs) + before];
    if (bar) bar.count += bucket.count;
  }
  return bars;
}
