// Hunts that run by schedule: a dialog that saves the one at hand, and the list of those that are saved.
import { Button, Modal, Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, read, type Importance, type Schema } from '@/shared/api/client';
import { useMayChange } from '@/shared/api/session';
import { withPipe } from '@/shared/query_text/query_text';
import { HuntLink } from '@/shared/ui/hunt_link';
import { ImportanceBadge, importanceNames, importances } from '@/shared/ui/importance';
import { Failure } from '@/shared/ui/states';
import { Ago, Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import css from './hunt.module.css';

type SavedHunt = Schema['SavedHunt'];

const refreshMs = 15_000;
const intervals = [
  { value: '1m', label: 'Every minute' }, { value: '15m', label: 'Every 15 minutes' }, { value: '1h', label: 'Every hour' },
  { value: '24h', label: 'Every day' }, { value: '7d', label: 'Every week' },
];
const key = ['saved hunts'];

function useSaved() {
  return useQuery({ queryKey: key, refetchInterval: refreshMs, queryFn: () => read(api.GET('/hunts/saved')) });
}

function useChange<T>(change: (input: T) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => queries.invalidateQueries({ queryKey: key }) });
}

// The time of a scheduled hunt is its schedule's.
export function scheduled(query: string): string {
  return withPipe(withPipe(query, 'since', ''), 'until', '');
}

export function SaveHunt({ query, onClose }: { query: string; onClose: () => void }) {
  const [name, setName] = useState('');
  const [interval, setInterval] = useState('1h');
  const [importance, setImportance] = useState<Importance>('medium');
  const text = scheduled(query);
  const save = useChange((body: { name: string; query: string; interval: string; importance: Importance }) =>
    read(api.POST('/hunts/saved', { body })));
  const diagnostic = save.error instanceof ApiError ? save.error.diagnostic : undefined;
  return (
    <Modal opened onClose={onClose} title="Save and schedule" size={560}>
      <form onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ name, query: text, interval, importance }, { onSuccess: onClose });
      }}>
        <p className={css.saveText}>What it finds becomes an alert, each event once.</p>
        <pre className={css.saveQuery} tabIndex={0} aria-label="Query to save">{text}</pre>
        <TextInput label="Name" description="Title of its alerts" required maxLength={200} value={name} data-autofocus onChange={(event) => setName(event.currentTarget.value)} />
        <Select label="Runs" data={intervals} value={interval} allowDeselect={false} onChange={(value) => value && setInterval(value)} />
        <Select label="Importance" data={importances.map((one) => ({ value: one, label: importanceNames[one] }))} value={importance}
          allowDeselect={false} onChange={(value) => value && setImportance(value as Importance)} />
        {diagnostic && <pre className={css.mistake} role="alert">{diagnostic.rendered}</pre>}
        {save.isError && !diagnostic && <p className={css.saveError} role="alert">{save.error.message}</p>}
        <div className={css.saveButtons}>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={save.isPending} disabled={name.trim() === ''}>Save</Button>
        </div>
      </form>
    </Modal>
  );
}

function Row({ hunt }: { hunt: SavedHunt }) {
  const mayChange = useMayChange();
  const path = { params: { path: { id: hunt.id } } };
  const turn = useChange((enabled: boolean) => read(api.PATCH('/hunts/saved/{id}', { ...path, body: { enabled } })));
  const run = useChange(() => read(api.POST('/hunts/saved/{id}/run', path)));
  const remove = useChange(() => read(api.DELETE('/hunts/saved/{id}', path)));
  const failed = turn.error ?? run.error ?? remove.error;
  return (
    <tr data-saved-hunt={hunt.id}>
      <td><Switch size="xs" aria-label={`Hunt is on: ${hunt.name}`} checked={hunt.enabled} disabled={!mayChange || turn.isPending} onChange={(event) => turn.mutate(event.currentTarget.checked)} /></td>
      <td><ImportanceBadge importance={hunt.importance} /></td>
      <td className={css.saved}>
        <HuntLink query={hunt.query}>{hunt.name}</HuntLink>
        <div className="dim mono">{hunt.query}</div>
        {(hunt.problem ?? failed?.message) && <div className={css.saveError}>{hunt.problem ?? failed?.message}</div>}
      </td>
      <td><Ago time={hunt.last_run} /></td>
      <td>{hunt.next_run ? <Stamp time={hunt.next_run} /> : '—'}</td>
      <td className={`${ui.right} mono`} title={`the latest run found ${hunt.last_found} events, ${hunt.last_new} of them new`}>
        {hunt.detections.toLocaleString('en')}{hunt.last_beyond > 0 && <div className={css.partial}>{hunt.last_beyond.toLocaleString('en')} left out</div>}
      </td>
      <td className={ui.right}>
        {mayChange && (
          <span className={css.savedActions}>
            <Button size="compact-xs" variant="default" loading={run.isPending} aria-label={`Run ${hunt.name} now`} onClick={() => run.mutate(undefined)}>Run now</Button>
            <Button size="compact-xs" variant="default" loading={remove.isPending} aria-label={`Delete ${hunt.name}`} onClick={() => remove.mutate(undefined)}>Delete</Button>
          </span>
        )}
      </td>
    </tr>
  );
}

// Nothing is shown where nothing is saved: the page is for the hunt at hand.
export function SavedHunts() {
  const saved = useSaved();
  if (saved.isError) return <section className={ui.card} aria-label="Saved hunts"><Failure error={saved.error} retry={() => void saved.refetch()} /></section>;
  const hunts = saved.data?.hunts ?? [];
  if (hunts.length === 0) return null;
  return (
    <section className={`${ui.card} ${css.savedCard}`} aria-label="Saved hunts">
      <div className={ui.cardHead}><h2>Saved hunts</h2><span className="dim">run by schedule and make alerts</span></div>
      <div className={`${ui.tableWrap} ${css.savedTable}`} tabIndex={0} role="region" aria-label="Table of saved hunts">
        <table className={ui.table}>
          <thead><tr><th>On</th><th>Importance</th><th>Hunt</th><th>Last run</th><th>Next run</th><th className={ui.right}>Events found</th><th className={ui.right}>Do</th></tr></thead>
          <tbody>{hunts.map((hunt) => <Row key={hunt.id} hunt={hunt} />)}</tbody>
        </table>
      </div>
    </section>
  );
}
