import { Button, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconChevronLeft, IconHandStop } from '@tabler/icons-react';
import { Link, useParams } from 'react-router';
import { api, read, type Alert, type AlertStatus } from '@/shared/api/client';
import { useMayChange, useSession } from '@/shared/api/session';
import { ProcessTree } from '@/shared/process_tree/process_tree';
import { ImportanceBadge, statusNames, StatusBadge, Technique } from '@/shared/ui/importance';
import { Failure, Loading } from '@/shared/ui/states';
import { stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { Comments } from './comments';
import { EventFields } from './event_fields';
import { useAlert, useChangeAlert } from './live_alerts';
import { ObjectReport } from './object_report';
import { RuleCard } from './rule_card';
import css from './alerts.module.css';

function Head({ alert }: { alert: Alert }) {
  const change = useChangeAlert();
  const mayChange = useMayChange();
  const user = useSession().data?.user ?? '';
  return (
    <div className={css.head}>
      <div className={css.headText}>
        <Link to="/alerts" className={css.back}><IconChevronLeft size={14} aria-hidden /> Alerts</Link>
        <h1>{alert.title}</h1>
        <div className={css.tags}>
          <ImportanceBadge importance={alert.importance} />
          <StatusBadge status={alert.status} />
          {alert.techniques.map((id) => <Technique key={id} id={id} />)}
          {alert.tactics.map((tactic) => <span key={tactic} className="dim">{tactic.replaceAll(/[_-]/g, ' ')}</span>)}
        </div>
        {change.isError && <p role="alert" className={css.changeError}>{change.error.message}</p>}
      </div>
      {mayChange && (
        <div className={css.actions}>
          {alert.assignee !== user && (
            <Button variant="default" leftSection={<IconHandStop size={14} />} loading={change.isPending}
              onClick={() => change.mutate({ id: alert.id, status: 'in_progress', assignee: user })}>Take</Button>
          )}
          <Select aria-label="Status" w={130} value={alert.status} disabled={change.isPending}
            data={Object.entries(statusNames).map(([value, label]) => ({ value, label }))}
            onChange={(value) => value && change.mutate({ id: alert.id, status: value as AlertStatus })} />
        </div>
      )}
    </div>
  );
}

function Correlated({ correlation }: { correlation: NonNullable<Alert['correlation']> }) {
  return (
    <dl className={css.summary} aria-label="What was counted">
      {Object.entries(correlation.group).map(([field, value]) => [
        <dt key={field}>{field}</dt>, <dd key={`${field} value`} className="mono">{value}</dd>,
      ])}
      <dt>Events</dt><dd>{correlation.count} within {correlation.timespan_s} s</dd>
      <dt>Measured</dt><dd>{correlation.measured} <span className="dim">{correlation.type.replaceAll('_', ' ')}</span></dd>
    </dl>
  );
}

// Where the acting process runs, if that is a container.
function Place({ event }: { event: Alert['event'] }) {
  const container = event['container.name'] ?? event['container.id'];
  if (container === undefined) return null;
  const joined = (fields: string[], by: string) => fields.map((field) => event[field]).filter(Boolean).join(by);
  const image = joined(['container.image.name', 'container.image.tag'], ':');
  const pod = joined(['orchestrator.namespace', 'orchestrator.resource.name'], '/');
  const owner = joined(['orchestrator.resource.parent.type', 'orchestrator.resource.parent.name'], ' ');
  return (
    <>
      <dt>Container</dt>
      <dd>{container}{event['container.privileged'] === 'true' && <span className="dim"> privileged</span>}</dd>
      {image && <><dt>Image</dt><dd className="mono">{image}</dd></>}
      {pod && <><dt>Pod</dt><dd>{pod}{owner && <span className="dim"> {owner}</span>}</dd></>}
    </>
  );
}

function Summary({ alert }: { alert: Alert }) {
  return (
    <section className={ui.card} aria-label="Summary">
      <dl className={css.summary}>
        <dt>Host</dt><dd>{alert.host.name || '—'}</dd>
        <dt>User</dt><dd className="mono">{alert.user || '—'}</dd>
        <Place event={alert.event} />
        <dt>First event</dt><dd><time dateTime={alert.first_event}>{stamp(alert.first_event)}</time></dd>
        <dt>Last event</dt><dd><time dateTime={alert.last_event}>{stamp(alert.last_event)}</time></dd>
        <dt>Detections</dt><dd>{alert.detections}</dd>
        <dt>Assignee</dt><dd>{alert.assignee || <span className="dim">nobody</span>}</dd>
      </dl>
      {alert.message && <p className={css.message}>{alert.message}</p>}
      {alert.correlation && <Correlated correlation={alert.correlation} />}
      {alert.process && (
        <pre className={css.commandLine} tabIndex={0} aria-label="Command line of the acting process">
          {alert.process.command_line || alert.process.executable}
        </pre>
      )}
      {alert.object && (
        <pre className={css.commandLine} tabIndex={0} aria-label="Object">
          <Link to={`/objects/${encodeURIComponent(alert.object.id)}`}>{alert.object.name}</Link>{'  '}{alert.object.sha256}
        </pre>
      )}
    </section>
  );
}

function Tree({ alert }: { alert: Alert }) {
  const tree = useQuery({
    queryKey: ['alert_tree', alert.id],
    staleTime: Infinity,
    queryFn: () => read(api.GET('/alerts/{id}/tree', { params: { path: { id: alert.id } } })),
  });
  if (tree.isPending) return <section className={ui.card}><Loading what="the process tree" /></section>;
  if (tree.isError) return <section className={ui.card}><Failure error={tree.error} retry={() => void tree.refetch()} /></section>;
  return <ProcessTree key={alert.id} tree={tree.data} hostId={alert.host.id} />;
}

export function AlertPage() {
  const { id = '' } = useParams();
  const alert = useAlert(id);
  if (alert.isPending) return <Loading what="the alert" />;
  if (alert.isError) return <Failure error={alert.error} retry={() => void alert.refetch()} />;
  return (
    <div className={ui.page}>
      <Head alert={alert.data} />
      <Summary alert={alert.data} />
      {alert.data.process && <Tree alert={alert.data} />}
      {alert.data.object && <ObjectReport id={alert.data.object.id} source={alert.data.source} />}
      <div className={css.columns}>
        <EventFields alert={alert.data} />
        <div className={css.stack}>
          <RuleCard alert={alert.data} />
          <Comments alert={alert.data} />
        </div>
      </div>
    </div>
  );
}
