import { useEffect, useState } from 'react';

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

// Local date and time to the millisecond: what an analyst reads beside a log.
export function stamp(iso: string | undefined, precision: 'second' | 'millisecond' = 'second'): string {
  const at = new Date(iso ?? '');
  if (Number.isNaN(at.getTime())) return iso ?? '';
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  return precision === 'second' ? `${day} ${time}` : `${day} ${time}.${pad(at.getMilliseconds(), 3)}`;
}

export function clock(iso: string | undefined): string {
  return stamp(iso).slice(11);
}

export function ago(iso: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - new Date(iso).getTime()) / 1000));
  if (Number.isNaN(seconds)) return '';
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

const tickMs = 5_000;

// "3 min ago", kept true; the exact time is in the title.
export function Ago({ time }: { time: string | undefined }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), tickMs);
    return () => clearInterval(timer);
  }, []);
  if (!time) return <span className="dim">never</span>;
  return <time dateTime={time} title={`${stamp(time, 'millisecond')} (${time})`}>{ago(time, Math.max(now, Date.now()))}</time>;
}

export function Stamp({ time }: { time: string | undefined }) {
  if (!time) return <span className="dim">—</span>;
  return <time dateTime={time} title={time} className="mono">{stamp(time, 'millisecond')}</time>;
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
