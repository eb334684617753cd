import { useHotkeys } from '@mantine/hooks';
import { useRef } from 'react';
import { Link } from 'react-router';
import type { Alert } from '@/shared/api/client';
import { ImportanceBadge, StatusBadge, Technique, toneOf } from '@/shared/ui/importance';
import { Ago } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import css from './alerts.module.css';

export interface Actions {
  take: (id: string) => void;
  close: (id: string) => void;
  reopen: (id: string) => void;
}

function what(alert: Alert): string {
  return alert.process ? alert.process.command_line || alert.process.executable : alert.object?.name ?? '';
}

function AlertRow({ alert }: { alert: Alert }) {
  return (
    <tr className={`${css.row} ${css[toneOf(alert.importance)]}`} data-alert={alert.id}>
      <td className={css.strip}><ImportanceBadge importance={alert.importance} /></td>
      <td className={css.title}>
        <Link to={`/alerts/${encodeURIComponent(alert.id)}`} className={css.titleLink} data-alert-link={alert.id}>{alert.title}</Link>
        <div className={`${css.command} mono`} title={what(alert)}>{what(alert)}</div>
      </td>
      <td>
        <div className={css.techniques}>
          {alert.techniques.length > 0 ? alert.techniques.map((id) => <Technique key={id} id={id} />) : <span className="dim">—</span>}
        </div>
      </td>
      <td>{alert.host.name || <span className="dim">—</span>}</td>
      <td className="mono">{alert.user}</td>
      <td className={ui.right}>{alert.detections}</td>
      <td><StatusBadge status={alert.status} />{alert.assignee && <div className={css.assignee}>{alert.assignee}</div>}</td>
      <td className={css.when}><Ago time={alert.updated} /></td>
    </tr>
  );
}

// Keyboard first: the focused title is the cursor, so that Enter opens it and a screen reader says it.
export function AlertTable({ alerts, act }: { alerts: Alert[]; act: Actions }) {
  const table = useRef<HTMLTableElement>(null);
  const links = () => [...(table.current?.querySelectorAll<HTMLAnchorElement>('[data-alert-link]') ?? [])];
  const cursor = () => links().indexOf(document.activeElement as HTMLAnchorElement);
  const move = (step: number) => {
    const all = links();
    const at = cursor();
    const next = all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + step))];
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
  };
  const on = (action: (id: string) => void) => () => {
    const id = links()[cursor()]?.dataset.alertLink;
    if (id) action(id);
  };
  useHotkeys([
    ['j', () => move(1)],
    ['k', () => move(-1)],
    ['a', on(act.take)],
    ['c', on(act.close)],
    ['r', on(act.reopen)],
    ['/', () => document.getElementById('alert-search')?.focus()],
  ]);
  return (
    <div className={ui.tableWrap}>
      <table className={ui.table} ref={table}>
        <thead>
          <tr>
            <th>Importance</th><th>Alert</th><th>Technique</th><th>Host</th><th>User</th>
            <th className={ui.right}>Detections</th><th>Status</th><th>Updated</th>
          </tr>
        </thead>
        <tbody>{alerts.map((alert) => <AlertRow key={alert.id} alert={alert} />)}</tbody>
      </table>
    </div>
  );
}
