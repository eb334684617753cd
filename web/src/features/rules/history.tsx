// Runs a rule over stored history: hits a day and the newest events, before or after it is switched on.
import { Button, Select } from '@mantine/core';
import { IconHistory, IconZoomQuestion } from '@tabler/icons-react';
import { useState } from 'react';
import { ApiError } from '@/shared/api/client';
import { HuntLink } from '@/shared/ui/hunt_link';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import { stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { useBacktest, type Subject } from './rule_queries';
import { daysOf, eventColumns, huntOf, type Backtest, type DayBar, type EventColumn } from './rules';
import css from './rules.module.css';

const sinceChoices = [
  { value: '24h', label: 'Last 24 hours' }, { value: '7d', label: 'Last 7 days' }, { value: '30d', label: 'Last 30 days' },
  { value: '90d', label: 'Last 90 days' }, { value: '365d', label: 'Last year' },
];
const height = 90;
const barWidthMax = 1 / 12; // of the chart: few days are no walls

function count(hits: number): string {
  return `${hits.toLocaleString('en')} ${hits === 1 ? 'hit' : 'hits'}`;
}

function Days({ days, total }: { days: DayBar[]; total: number }) {
  const top = Math.max(1, ...days.map((one) => one.hits));
  const slots = Math.max(days.length, Math.round(1 / barWidthMax));
  const before = (slots - days.length) / 2;
  if (days.length === 0) return null;
  return (
    <figure className={css.days} data-testid="days">
      <svg viewBox={`0 0 ${slots} ${height}`} preserveAspectRatio="none" role="img"
        aria-label={`${count(total)} between ${days[0]!.day} and ${days.at(-1)!.day}, at most ${top.toLocaleString('en')} a day`}>
        {days.map(({ day, hits }, index) => {
          const size = hits === 0 ? 0 : Math.max(2, (hits / top) * height);
          return (
            <g key={day} className={css.day}>
              <title>{`${day}: ${count(hits)}`}</title>
              <rect className={css.dayBack} x={before + index} y={0} width={1} height={height} />
              <rect className={css.dayFront} x={before + index + 0.08} y={height - size} width={0.84} height={size} />
            </g>
          );
        })}
      </svg>
      <figcaption><span>{days[0]!.day}</span><span>days in UTC</span><span>{days.at(-1)!.day}</span></figcaption>
    </figure>
  );
}

function cellText(column: EventColumn, value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  return column.type === 'time' ? stamp(String(value), 'millisecond') : String(value);
}

function Events({ found }: { found: Backtest }) {
  const columns = eventColumns(found);
  return (
    <div className={`${ui.tableWrap} ${css.events}`} tabIndex={0} role="region" aria-label="Newest events">
      <table className={ui.table}>
        <thead><tr>{columns.map((column) => <th key={column.name}>{column.name}</th>)}</tr></thead>
        <tbody>
          {found.rows.map((row, index) => (
            <tr key={index}>
              {columns.map((column) => {
                const text = cellText(column, row[column.index]);
                return <td key={column.name} className={`mono ${css.eventCell}`} title={text}>{text}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Found({ found }: { found: Backtest }) {
  const hunt = huntOf(found);
  return (
    <>
      <div className={css.summary} role="status">
        <span><strong>{count(found.hits_total)}</strong> <span className="dim">since {stamp(found.since)}, in {found.took_ms} ms</span></span>
        {found.partial && <span className={css.partial}>{found.partial_why || 'there may be more'}</span>}
        <span className={ui.spacer} />
        {hunt && <HuntLink query={hunt}>Hunt for these processes</HuntLink>}
      </div>
      {found.hits_total === 0 ? (
        <Empty title="It would not have fired" icon={<IconZoomQuestion size={30} stroke={1.4} aria-hidden />}>No stored event of this time matches the rule.</Empty>
      ) : (
        <>
          <Days days={daysOf(found)} total={found.hits_total} />
          <Events found={found} />
          {found.rows.length < found.hits_total && <p className={css.note}>The newest {found.rows.length} events are shown.</p>}
        </>
      )}
    </>
  );
}

export function Mistake({ rendered }: { rendered: string }) {
  return <pre className={css.mistake} tabIndex={0}>{rendered}</pre>;
}

export function History({ subject, ready = true }: { subject: Subject; ready?: boolean }) {
  const [since, setSince] = useState('30d');
  const backtest = useBacktest();
  const run = () => backtest.mutate({ subject, since });
  const diagnostic = backtest.error instanceof ApiError ? backtest.error.diagnostic : undefined;
  return (
    <section className={ui.card} aria-label="Run over history">
      <div className={ui.cardHead}>
        <h2>Run over history</h2>
        <span className={ui.spacer} />
        <Select aria-label="Time range" w={150} data={sinceChoices} value={since} onChange={(value) => value && setSince(value)} />
        <Button leftSection={<IconHistory size={14} />} loading={backtest.isPending} disabled={!ready} onClick={run}>Run over history</Button>
      </div>
      {backtest.isIdle && <p className={css.note}>What would the rule have found? This makes no alerts.</p>}
      {backtest.isPending && <Loading what="hits" />}
      {diagnostic && <div role="alert"><Mistake rendered={diagnostic.rendered} /></div>}
      {backtest.isError && !diagnostic && <Failure error={backtest.error} retry={run} />}
      {backtest.data && <Found found={backtest.data} />}
    </section>
  );
}
