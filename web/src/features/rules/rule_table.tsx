import { Switch } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useRef } from 'react';
import { Link } from 'react-router';
import { tacticName, useAttack } from '@/shared/api/attack';
import { useMayChange } from '@/shared/api/session';
import { ImportanceBadge, Technique } from '@/shared/ui/importance';
import { Ago } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { useChangeRule } from './rule_queries';
import { isFalling, type Order, type Rule } from './rules';
import css from './rules.module.css';

export function RuleSwitch({ rule }: { rule: Rule }) {
  const change = useChangeRule(rule.id);
  const mayChange = useMayChange();
  return (
    <Switch size="xs" aria-label={`Rule is on: ${rule.title}`} checked={change.isPending ? change.variables.enabled ?? rule.enabled : rule.enabled}
      disabled={!mayChange || change.isPending} onChange={(event) => change.mutate({ enabled: event.currentTarget.checked })}
      title={change.error?.message} />
  );
}

export function share(rule: Rule): string {
  return `${(rule.cost_share * 100).toFixed(1)} %`;
}

function RuleRow({ rule }: { rule: Rule }) {
  const attack = useAttack();
  return (
    <tr data-rule={rule.id} className={rule.enabled ? undefined : css.off}>
      <td><RuleSwitch rule={rule} /></td>
      <td><ImportanceBadge importance={rule.importance} /></td>
      <td className={css.titleCell}>
        <Link to={`/rules/${encodeURIComponent(rule.id)}`} className={css.title} data-rule-link={rule.id}>{rule.title}</Link>
        <div className={`${css.path} mono`} title={rule.path}>
          {rule.path}{rule.exclusions > 0 && ` · ${rule.exclusions} ${rule.exclusions === 1 ? 'exclusion' : 'exclusions'}`}
        </div>
      </td>
      <td>
        <div className={css.tags}>
          {rule.techniques.length > 0 ? rule.techniques.map((id) => <Technique key={id} id={id} />) : <span className="dim">—</span>}
        </div>
      </td>
      <td>{rule.tactics.map((one) => tacticName(attack, one)).join(', ') || <span className="dim">—</span>}</td>
      <td>{rule.format}</td>
      <td className={`${ui.right} mono`} title={`looked at on ${rule.evaluated.toLocaleString('en')} events since the node started`}>{share(rule)}</td>
      <td>{rule.last_hit ? <Ago time={rule.last_hit} /> : <span className="dim">—</span>}</td>
      <td className={`${ui.right} mono`}>{rule.hits.toLocaleString('en')}</td>
    </tr>
  );
}

export interface Sorting {
  order: Order;
  backwards: boolean;
  set: (order: Order, backwards: boolean) => void;
}

function Head({ name, order, sorting, title, right }: { name: string; order: Order; sorting: Sorting; title?: string; right?: boolean }) {
  const isIt = sorting.order === order;
  const direction = isFalling(order, sorting.backwards) ? 'descending' : 'ascending';
  return (
    <th aria-sort={isIt ? direction : undefined} className={right ? ui.right : undefined} title={title}>
      <button type="button" className={css.sort} onClick={() => sorting.set(order, isIt && !sorting.backwards)}>
        {name}{isIt && <span aria-hidden>{direction === 'descending' ? ' ↓' : ' ↑'}</span>}
      </button>
    </th>
  );
}

// The focused title is the cursor, as in the table of alerts.
export function RuleTable({ rules, sorting }: { rules: Rule[]; sorting: Sorting }) {
  const table = useRef<HTMLTableElement>(null);
  const move = (step: number) => {
    const links = [...(table.current?.querySelectorAll<HTMLAnchorElement>('[data-rule-link]') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    const next = links[at < 0 ? 0 : Math.max(0, Math.min(links.length - 1, at + step))];
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
  };
  useHotkeys([
    ['j', () => move(1)],
    ['k', () => move(-1)],
    ['/', () => document.getElementById('rule-search')?.focus()],
  ]);
  return (
    <div className={ui.tableWrap}>
      <table className={ui.table} ref={table}>
        <thead>
          <tr>
            <Head name="On" order="state" sorting={sorting} />
            <Head name="Importance" order="importance" sorting={sorting} />
            <Head name="Rule" order="title" sorting={sorting} />
            <th>Technique</th><th>Tactics</th>
            <Head name="Format" order="format" sorting={sorting} />
            <Head name="Cost" order="cost" sorting={sorting} right title="Share of the time that all rules take, sampled since the node started" />
            <Head name="Last hit" order="last_hit" sorting={sorting} />
            <Head name="Hits" order="hits" sorting={sorting} right title="Detections of all time" />
          </tr>
        </thead>
        <tbody>{rules.map((rule) => <RuleRow key={rule.id} rule={rule} />)}</tbody>
      </table>
    </div>
  );
}
