import { useMemo } from 'react';
import { stamp } from '@/shared/ui/time';
import css from './hunt.module.css';
import { filled, type Bucket } from './buckets';

const height = 64;

export interface HistogramProps {
  widthUs: number;
  buckets: { time: string; count: number }[];
  onPick: (from: string, to: string) => void;
}

function Bar({ bucket, x, top, onPick }: { bucket: Bucket; x: number; top: number; onPick: HistogramProps['onPick'] }) {
  const size = bucket.count === 0 ? 0 : Math.max(2, (bucket.count / top) * height);
  const from = new Date(bucket.fromMs).toISOString();
  const to = new Date(bucket.toMs).toISOString();
  return (
    <g className={css.bar} onClick={() => onPick(from, to)}>
      <title>{`${stamp(from)}: ${bucket.count.toLocaleString('en')} events. Click to see only these.`}</title>
      <rect className={css.barBack} x={x} y={0} width={1} height={height} />
      <rect className={css.barFront} x={x + 0.08} y={height - size} width={0.84} height={size} />
    </g>
  );
}

export function Histogram({ widthUs, buckets, onPick }: HistogramProps) {
  const bars = useMemo(() => filled(buckets, widthUs), [buckets, widthUs]);
  const top = Math.max(1, ...bars.map((bar) => bar.count));
  const total = bars.reduce((sum, bar) => sum + bar.count, 0);
  if (bars.length === 0) return null;
  const first = stamp(new Date(bars[0]!.fromMs).toISOString());
  const last = stamp(new Date(bars.at(-1)!.toMs).toISOString());
  return (
    <figure className={css.histogram} data-testid="histogram">
      <svg viewBox={`0 0 ${bars.length} ${height}`} preserveAspectRatio="none" role="img"
        aria-label={`${total.toLocaleString('en')} events between ${first} and ${last}, at most ${top.toLocaleString('en')} in a bar`}>
        {bars.map((bar, index) => <Bar key={bar.fromMs} bucket={bar} x={index} top={top} onPick={onPick} />)}
      </svg>
      <figcaption>
        <span>{first}</span>
        <span><strong>{total.toLocaleString('en')}</strong> events</span>
        <span>{last}</span>
      </figcaption>
    </figure>
  );
}
