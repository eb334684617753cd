import { Button, SegmentedControl, Select } from '@mantine/core';
import { IconCalendarRepeat, IconPlayerPlay, IconZoomQuestion } from '@tabler/icons-react';
import { useMemo, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import { ApiError, type Diagnostic, type HuntResult } from '@/shared/api/client';
import { useMayChange } from '@/shared/api/session';
import { isAggregate, narrow, pipeValue, withPipe } from '@/shared/query_text/query_text';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { ColumnChooser } from './column_chooser';
import { fieldOf, shownColumns } from './columns';
import { ContextForm, type Origin } from './context_form';
import { ExportMenu } from './export_menu';
import { Histogram } from './histogram';
import { rowsMax, useFields, useHistogram, useHunt, type Hunted } from './hunt_queries';
import { observablesOf } from './observables';
import { QueryBuilder } from './query_builder';
import { QueryEditor } from './query_editor';
import { ResultTable } from './result_table';
import { RowDetails } from './row_details';
import { SavedHunts, SaveHunt } from './saved_hunts';
import { useBuilder } from './use_builder';
import { ValueMenu, type Picked, type ValueActions } from './value_menu';
import css from './hunt.module.css';

const queryFirst = 'EventType = "process" | since 24h';
const sinceChoices = [
  { value: '15m', label: 'Last 15 minutes' }, { value: '1h', label: 'Last hour' }, { value: '24h', label: 'Last 24 hours' },
  { value: '7d', label: 'Last 7 days' }, { value: '30d', label: 'Last 30 days' }, { value: 'all', label: 'All time' },
];

// What was run and which columns are shown stand in the address: a hunt is shared by its link.
function useHuntAddress() {
  const [params, setParams] = useSearchParams();
  const query = params.get('q') ?? queryFirst;
  const columns = useMemo(() => params.get('columns')?.split(',').filter(Boolean) ?? [], [params]);
  const [run, setRun] = useState(0);
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(params);
    if (name === 'q' || value) next.set(name, value);
    else next.delete(name);
    setParams(next);
  };
  return {
    query, columns, run,
    // Another query is run because it is another; the two changes would come one after the other, and run the old one.
    runQuery: (text: string) => {
      if (text.trim() === query) setRun((count) => count + 1);
      else change('q', text.trim());
    },
    setColumns: (names: string[]) => change('columns', names.join(',')),
  };
}

function SinceControl({ query, onChange }: { query: string; onChange: (query: string) => void }) {
  const since = pipeValue(query, 'since') ?? 'all';
  const choices = sinceChoices.some((choice) => choice.value === since) ? sinceChoices : [...sinceChoices, { value: since, label: `Since ${since}` }];
  return (
    <Select aria-label="Time range" w={170} data={choices} value={since}
      onChange={(value) => value && onChange(withPipe(withPipe(query, 'until', ''), 'since', value === 'all' ? '' : value))} />
  );
}

function Mistake({ diagnostic }: { diagnostic: Diagnostic }) {
  return <pre className={css.mistake} role="alert" data-testid="query-mistake">{diagnostic.rendered}</pre>;
}

function Summary({ result, children }: { result: Hunted; children: React.ReactNode }) {
  const count = result.rows.length;
  return (
    <div className={css.summary}>
      <span>
        <strong>{count.toLocaleString('en')}</strong> {count === 1 ? 'row' : 'rows'}
        <span className="dim">{result.ended ? ` in ${result.took_ms} ms` : ' so far'}</span>
        {result.partial && <span className={css.partial}> · {result.partial_why || 'there are more'}</span>}
        {!result.partial && count >= rowsMax && <span className={css.partial}> · no more than {rowsMax.toLocaleString('en')} are shown</span>}
      </span>
      <span className={ui.spacer} />
      {children}
    </div>
  );
}

interface ResultsProps {
  query: string;
  result: Hunted;
  chosen: string[];
  setColumns: (names: string[]) => void;
  actions: ValueActions;
  onFindSame: (origin: Origin) => void;
}

function originOf(result: HuntResult, row: number): Origin {
  const cells = result.rows[row]!;
  const time = fieldOf(result, cells, '@timestamp');
  return { observables: observablesOf(result, cells), ...(time && { time }) };
}

function Results({ query, result, chosen, setColumns, actions, onFindSame }: ResultsProps) {
  const [picked, setPicked] = useState<Picked>();
  const [selected, setSelected] = useState<number>();
  const columns = useMemo(() => shownColumns(result, chosen), [result, chosen]);
  const open = selected !== undefined && selected < result.rows.length ? selected : undefined;
  return (
    <section className={`${ui.card} ${css.resultCard}`} aria-label="Results" data-query={result.query} aria-busy={!result.ended}>
      <Summary result={result}>
        {result.rows.length > 0 && <ExportMenu query={query} columns={columns.map((column) => column.name)} />}
        <ColumnChooser result={result} shown={columns.map((column) => column.name)} onChange={setColumns} />
      </Summary>
      {result.rows.length === 0 ? (
        <Empty title="Nothing matches" icon={<IconZoomQuestion size={30} stroke={1.4} aria-hidden />}>A longer time range or fewer conditions may find something.</Empty>
      ) : (
        <div className={css.split}>
          <ResultTable result={result} columns={columns} selected={open} onPick={setPicked}
            onSelect={(row) => setSelected(row === selected ? undefined : row)} />
          {open !== undefined && <RowDetails result={result} row={open} onPick={setPicked} onClose={() => setSelected(undefined)}
            onFindSame={() => onFindSame(originOf(result, open))} />}
        </div>
      )}
      {picked && <ValueMenu picked={picked} actions={actions} onClose={() => setPicked(undefined)} />}
    </section>
  );
}

type Mode = 'text' | 'builder' | 'context';
const modes: { value: Mode; label: string }[] = [
  { value: 'text', label: 'Text' }, { value: 'builder', label: 'Builder' }, { value: 'context', label: 'Find the same' },
];

// One query in three modes, and what is said of it before it is run.
function useQueryModes(query: string) {
  const [text, setText] = useState(query);
  const [ran, setRan] = useState(query);
  const [mode, setMode] = useState<Mode>('text');
  const [origin, setOrigin] = useState<Origin>();
  const [diagnostic, setDiagnostic] = useState<Diagnostic>();
  if (ran !== query) {
    // The address changed: a run, a link, the browser's back button.
    setRan(query);
    setText(query);
  }
  const builder = useBuilder(text, setText, mode === 'builder');
  return {
    text, setText, mode, setMode, origin, setOrigin, builder, setDiagnostic,
    diagnostic: mode === 'text' ? diagnostic : undefined,
    // What is to be run; nothing while the builder holds something that is no query.
    current: async () => mode === 'builder' && !builder.unreadable ? builder.printed() : text,
  };
}

function QueryCard({ modes: query, mistake, onRun, card }: {
  modes: ReturnType<typeof useQueryModes>; mistake: Diagnostic | undefined; onRun: (text?: string) => void; card: React.RefObject<HTMLElement | null>;
}) {
  const fields = useFields();
  return (
    <section ref={card} className={`${ui.card} ${css.editorCard}`} aria-label="Query"
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && query.mode === 'builder') onRun();
      }}>
      <div className={css.modes}>
        <SegmentedControl size="xs" aria-label="Write the query as" value={query.mode} onChange={(mode) => query.setMode(mode as Mode)} data={modes} />
      </div>
      {query.mode === 'text' && (
        <QueryEditor value={query.text} fields={fields.data} onChange={query.setText} onRun={onRun} onDiagnostic={query.setDiagnostic} />
      )}
      {query.mode === 'builder' && <QueryBuilder builder={query.builder} fields={fields.data} text={query.text} />}
      {query.mode === 'context' && (
        <ContextForm key={query.origin ? JSON.stringify(query.origin) : 'value'} origin={query.origin} onForget={() => query.setOrigin(undefined)}
          onQuery={(text) => {
            query.setMode('builder');
            onRun(text);
          }} />
      )}
      {query.mode === 'text' && (mistake ? <Mistake diagnostic={mistake} /> : (
        <p className={css.hint}><kbd>Ctrl</kbd> <kbd>Enter</kbd> runs it · <kbd>Ctrl</kbd> <kbd>Space</kbd> lists the fields · click a value below to narrow</p>
      ))}
    </section>
  );
}

export function HuntPage() {
  const { query, columns, run, runQuery, setColumns } = useHuntAddress();
  const modes = useQueryModes(query);
  const { text, current } = modes;
  const [saving, setSaving] = useState(false);
  const mayChange = useMayChange();
  const card = useRef<HTMLElement>(null);
  const hunt = useHunt({ query, run });
  const histogram = useHistogram({ query, run }, !hunt.isFetching);
  const refused = hunt.error instanceof ApiError ? hunt.error.diagnostic : undefined;
  const mistake = modes.diagnostic ?? (text.trim() === query ? refused : undefined);
  const runCurrent = async () => {
    const now = await current();
    if (now !== undefined) runQuery(now);
  };
  const actions: ValueActions = {
    narrow: (condition, how) => runQuery(narrow(text, condition, how)),
    setTime: (bound, time) => runQuery(withPipe(text, bound, time)),
  };
  const findSame = (origin: Origin) => {
    modes.setOrigin(origin);
    modes.setMode('context');
    card.current?.scrollIntoView({ block: 'nearest' });
  };

  return (
    <div className={`${ui.page} ${css.page}`}>
      <div className={ui.pageHead}>
        <h1>Hunt</h1>
        <span className={ui.spacer} />
        <SinceControl query={text} onChange={runQuery} />
        {mayChange && (
          <Button variant="default" leftSection={<IconCalendarRepeat size={14} />} disabled={isAggregate(text)} onClick={() => setSaving(true)}>Save and schedule</Button>
        )}
        <Button leftSection={<IconPlayerPlay size={14} />} loading={hunt.isFetching} onClick={() => void runCurrent()}>Run</Button>
      </div>
      <QueryCard modes={modes} mistake={mistake} card={card} onRun={(now) => now === undefined ? void runCurrent() : runQuery(now)} />
      {histogram.data && !isAggregate(query) && histogram.data.buckets.length > 0 && (
        <section className={`${ui.card} ${css.histogramCard}`} aria-label="Events over time">
          <Histogram widthUs={histogram.data.width_us} buckets={histogram.data.buckets}
            onPick={(from, to) => runQuery(withPipe(withPipe(text, 'until', to), 'since', from))} />
        </section>
      )}
      {hunt.isPending && <section className={ui.card}><Loading what="results" /></section>}
      {hunt.isError && !refused && <section className={ui.card}><Failure error={hunt.error} retry={() => void hunt.refetch()} /></section>}
      {hunt.data && !hunt.isError && <Results query={query} result={hunt.data} chosen={columns} setColumns={setColumns} actions={actions} onFindSame={findSame} />}
      <SavedHunts />
      {saving && <SaveHunt query={text} onClose={() => setSaving(false)} />}
    </div>
  );
}
