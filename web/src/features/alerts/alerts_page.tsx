import { MultiSelect, SegmentedControl, TextInput } from '@mantine/core';
import { IconSearch, IconShieldCheck } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import type { AlertStatus, Importance } from '@/shared/api/client';
import { useMayChange, useSession } from '@/shared/api/session';
import { importanceNames, importances } from '@/shared/ui/importance';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { AlertTable } from './alert_table';
import { alertsShownMax, useAlerts, useChangeAlert } from './live_alerts';
import { containsText, type AlertFilters } from './ranking';
import css from './alerts.module.css';

const statusChoices: Record<string, AlertStatus[]> = { open: ['new', 'in_progress'], new: ['new'], closed: ['closed'], all: [] };

// Filters stand in the address, so that a view can be shared.
function useFilters() {
  const [params, setParams] = useSearchParams();
  const show = params.get('show') ?? 'open';
  const importance = params.get('importance') ?? '';
  const hostId = params.get('host') ?? '';
  const filters = useMemo<AlertFilters>(() => ({
    status: statusChoices[show] ?? statusChoices.open!,
    importance: importances.filter((one) => importance.split(',').includes(one)),
    hostId,
  }), [show, importance, hostId]);
  const set = (name: string, value: string) => setParams((before) => {
    const next = new URLSearchParams(before);
    if (value) next.set(name, value);
    else next.delete(name);
    return next;
  }, { replace: true });
  return { show, filters, set };
}

function Keys() {
  return (
    <p className={css.keys}>
      <span><kbd>j</kbd> <kbd>k</kbd> move</span>
      <span><kbd>Enter</kbd> open</span>
      <span><kbd>a</kbd> take</span>
      <span><kbd>c</kbd> close</span>
      <span><kbd>r</kbd> reopen</span>
      <span><kbd>/</kbd> search</span>
    </p>
  );
}

export function AlertsPage() {
  const { show, filters, set } = useFilters();
  const [text, setText] = useState('');
  const alerts = useAlerts(filters);
  const change = useChangeAlert();
  const mayChange = useMayChange();
  const user = useSession().data?.user ?? '';
  const rows = useMemo(() => alerts.data?.alerts.filter((alert) => containsText(alert, text)) ?? [], [alerts.data, text]);
  const act = {
    take: (id: string) => mayChange && change.mutate({ id, status: 'in_progress', assignee: user }),
    close: (id: string) => mayChange && change.mutate({ id, status: 'closed' }),
    reopen: (id: string) => mayChange && change.mutate({ id, status: 'new' }),
  };
  const narrowed = filters.importance.length > 0 || filters.hostId !== '' || text !== '';

  return (
    <div className={ui.page}>
      <div className={ui.pageHead}>
        <h1>Alerts</h1>
        <SegmentedControl aria-label="Status" value={show} onChange={(value) => set('show', value)}
          data={[{ value: 'open', label: 'Open' }, { value: 'new', label: 'New' }, { value: 'closed', label: 'Closed' }, { value: 'all', label: 'All' }]} />
        <MultiSelect aria-label="Importance" placeholder={filters.importance.length ? '' : 'Any importance'} w={220} clearable
          data={importances.map((one) => ({ value: one, label: importanceNames[one] }))}
          value={filters.importance} onChange={(value: Importance[]) => set('importance', value.join(','))} />
        <TextInput aria-label="Search in these alerts" id="alert-search" placeholder="Title, host, user, command…" w={260}
          leftSection={<IconSearch size={14} />} value={text} onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()} />
        <span className={ui.spacer} />
        {alerts.data && <span className="dim">{rows.length} of {alerts.data.total}</span>}
      </div>
      {change.isError && <p role="alert" className={css.changeError}>{change.error.message}</p>}
      <section className={ui.card} aria-label="Alerts">
        {alerts.isPending && <Loading what="alerts" />}
        {alerts.isError && <Failure error={alerts.error} retry={() => void alerts.refetch()} />}
        {alerts.data && rows.length === 0 && (narrowed || show !== 'open'
          ? <Empty title="No alert matches">Widen the filters above.</Empty>
          : <Empty title="Nothing needs you" icon={<IconShieldCheck size={30} stroke={1.4} color="var(--ok)" aria-hidden />}>
              New alerts appear here by themselves.</Empty>)}
        {rows.length > 0 && <AlertTable alerts={rows} act={act} />}
      </section>
      {alerts.data && alerts.data.total > alertsShownMax && (
        <p className="dim">The {alertsShownMax} most important are shown; the filters narrow them.</p>
      )}
      {rows.length > 0 && <Keys />}
    </div>
  );
}
