import { useHotkeys } from '@mantine/hooks';
import { useRef } from 'react';
import { Link } from 'react-router';
import { ImportanceBadge, Technique } from '@/shared/ui/importance';
import ui from '@/shared/ui/ui.module.css';
import { tacticName, type Rule } from './rules';
import css from './rules.module.css';

function RuleRow({ rule }: { rule: Rule }) {
  return (
    <tr data-rule={rule.id}>
      <td><ImportanceBadge importance={rule.importance} /></td>
      <td className={css.titleCell}>
        <Link to={`/rules/${encodeURIComponent(rule.id)}`} className={css.title} data-rule-link={rule.id}>{rule.title}</Link>
        <div className={`${css.path} mono`} title={rule.path}>{rule.path}</div>
      </td>
      <td>
        <div className={css.tags}>
          {rule.techniques.length > 0 ? rule.techniques.map((id) => <Technique key={id} id={id} />) : <span className="dim">—</span>}
        </div>
      </td>
      <td>{rule.tactics.map(tacticName).join(', ') || <span className="dim">—</span>}</td>
      <td>{rule.format}</td>
      <td className={`${ui.right} mono`}>{rule.hits.toLocaleString('en')}</td>
    </tr>
  );
}

// The focused title is the cursor, as in the table of alerts.
export function RuleTable({ rules }: { rules: Rule[] }) {
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
          <tr><th>Importance</th><th>Rule</th><th>Technique</th><th>Tactics</th><th>Format</th><th className={ui.right} title="Detections of all time">Hits</th></tr>
        </thead>
        <tbody>{rules.map((rule) => <RuleRow key={rule.id} rule={rule} />)}</tbody>
      </table>
    </div>
  );
}
