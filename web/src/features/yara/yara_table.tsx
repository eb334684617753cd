import { Select, Switch } from '@mantine/core';
import type { Importance } from '@/shared/api/client';
import { useMayChange } from '@/shared/api/session';
import { importanceNames, importances } from '@/shared/ui/importance';
import { Ago } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { fileName, type YaraRule } from './yara';
import { useChangeYaraRule } from './yara_queries';
import css from './yara.module.css';

const own = 'own';
const choices = [{ value: own, label: "The rule's own" }, ...importances.map((one) => ({ value: one, label: importanceNames[one] }))];

function Row({ rule }: { rule: YaraRule }) {
  const mayChange = useMayChange();
  const change = useChangeYaraRule(rule.name);
  const fixed = !mayChange || change.isPending;
  return (
    <tr data-yara-rule={rule.name} className={rule.enabled ? undefined : css.off}>
      <td>
        <Switch size="xs" aria-label={`Rule is on: ${rule.name}`} disabled={fixed}
          checked={change.isPending ? change.variables.enabled ?? rule.enabled : rule.enabled}
          onChange={(event) => change.mutate({ enabled: event.currentTarget.checked })} />
      </td>
      <td className={css.nameCell}>
        <span className={css.name}>{rule.name}</span>
        {change.isError && <div role="alert" className={css.error}>{change.error.message}</div>}
      </td>
      <td className={css.file} title={rule.file}>{fileName(rule.file)}</td>
      <td>
        <Select aria-label={`Importance of ${rule.name}`} size="xs" w={150} data={choices} allowDeselect={false} disabled={fixed} value={rule.importance ?? own}
          onChange={(value) => change.mutate({ importance: (value ?? own) as Importance | 'own' })} />
      </td>
      <td>{rule.changed_by && rule.changed ? <>{rule.changed_by} <span className="dim"><Ago time={rule.changed} /></span></> : <span className="dim">—</span>}</td>
    </tr>
  );
}

export function YaraTable({ rules }: { rules: YaraRule[] }) {
  return (
    <div className={ui.tableWrap}>
      <table className={ui.table} aria-label="YARA rules">
        <thead><tr><th>On</th><th>Rule</th><th>File</th><th>Importance</th><th>Changed by</th></tr></thead>
        <tbody>{rules.map((rule) => <Row key={`${rule.file} ${rule.name}`} rule={rule} />)}</tbody>
      </table>
    </div>
  );
}
