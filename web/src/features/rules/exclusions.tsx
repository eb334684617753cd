// What a rule does not hold for: the list, and a form for one more.
import { Button, Select, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconShieldOff } from '@tabler/icons-react';
import { useState } from 'react';
import { ApiError } from '@/shared/api/client';
import { useMayChange } from '@/shared/api/session';
import { Badge } from '@/shared/ui/importance';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import { Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { Mistake } from './history';
import { useAddExclusion, useConditionMistake, useExclusions, useRemoveExclusion } from './rule_queries';
import type { Exclusion, Rule } from './rules';
import css from './rules.module.css';

const typingMs = 300;
const lives = [
  { value: '', label: 'Never' }, { value: '24h', label: 'In a day' }, { value: '7d', label: 'In a week' },
  { value: '30d', label: 'In 30 days' }, { value: '365d', label: 'In a year' },
];
const states = { on: { tone: 'good', name: 'In force' }, expired: { tone: 'neutral', name: 'Expired' }, broken: { tone: 'high', name: 'Broken' } } as const;

function Row({ exclusion, remove }: { exclusion: Exclusion; remove: ReturnType<typeof useRemoveExclusion> }) {
  const mayChange = useMayChange();
  const { tone, name } = states[exclusion.state];
  return (
    <tr data-exclusion={exclusion.id}>
      <td><Badge tone={tone}>{name}</Badge></td>
      <td>
        {exclusion.name}{!exclusion.rule_id && <span className="dim"> · all rules</span>}
        {exclusion.note && <div className="dim">{exclusion.note}</div>}
        {exclusion.problem && <div className={css.error}>{exclusion.problem}</div>}
      </td>
      <td className={css.condition}>{exclusion.condition}</td>
      <td>{exclusion.expires ? <Stamp time={exclusion.expires} /> : 'Never'}</td>
      <td>{exclusion.author}<div className="dim"><Stamp time={exclusion.created} /></div></td>
      <td className={ui.right}>
        {mayChange && (
          <Button size="compact-xs" variant="default" aria-label={`Remove exclusion ${exclusion.name}`} disabled={remove.isPending}
            onClick={() => remove.mutate(exclusion.id)}>Remove</Button>
        )}
      </td>
    </tr>
  );
}

function Form({ rule, condition: first, onDone }: { rule: Rule; condition: string; onDone: () => void }) {
  const [name, setName] = useState('');
  const [condition, setCondition] = useState(first);
  const [note, setNote] = useState('');
  const [expires, setExpires] = useState('');
  const [scope, setScope] = useState('rule');
  const [typed] = useDebouncedValue(condition, typingMs);
  const checked = useConditionMistake(typed);
  const mistake = typed === condition ? checked : undefined;
  const add = useAddExclusion();
  const save = () => add.mutate({
    name: name.trim() || condition.trim().slice(0, 100), condition, note, ...(expires && { expires }), ...(scope === 'rule' && { rule_id: rule.id }),
  }, { onSuccess: onDone });
  const refused = add.error instanceof ApiError ? add.error.diagnostic : undefined;
  const shown = mistake ?? refused;
  return (
    <form className={css.form} aria-label="New exclusion" onSubmit={(event) => { event.preventDefault(); save(); }}>
      <div className={css.wide}>
        <Textarea label="Condition" description="Hunting text: an event that it holds for makes no alert." classNames={{ input: css.condition! }}
          autosize minRows={2} maxRows={8} spellCheck={false} value={condition} placeholder={'process.parent.executable = "/usr/bin/apt"'}
          onChange={(event) => setCondition(event.currentTarget.value)} />
        {shown && <div role="alert"><Mistake rendered={shown.rendered} /></div>}
        {add.isError && !refused && <p role="alert" className={css.error}>{add.error.message}</p>}
      </div>
      <TextInput label="Name" value={name} maxLength={100} onChange={(event) => setName(event.currentTarget.value)} />
      <TextInput label="Note" value={note} maxLength={1000} onChange={(event) => setNote(event.currentTarget.value)} />
      <Select label="Ends" data={lives} value={expires} allowDeselect={false} onChange={(value) => setExpires(value ?? '')} />
      <Select label="For" data={[{ value: 'rule', label: 'This rule' }, { value: 'all', label: 'All rules' }]} value={scope} allowDeselect={false}
        onChange={(value) => setScope(value ?? 'rule')} />
      <div className={`${css.wide} ${css.buttons}`}>
        <Button variant="default" onClick={onDone}>Cancel</Button>
        <Button type="submit" loading={add.isPending} disabled={condition.trim() === '' || mistake !== undefined}>Add exclusion</Button>
      </div>
    </form>
  );
}

// `condition`: an exclusion that somebody came here to make.
export function Exclusions({ rule, condition }: { rule: Rule; condition: string }) {
  const mayChange = useMayChange();
  const [adding, setAdding] = useState(condition !== '');
  const exclusions = useExclusions(rule.id);
  const remove = useRemoveExclusion();
  const list = exclusions.data?.exclusions ?? [];
  return (
    <section className={ui.card} aria-label="Exclusions">
      <div className={ui.cardHead}>
        <h2>Exclusions</h2><span className="dim">what the rule does not hold for</span>
        <span className={ui.spacer} />
        {mayChange && !adding && <Button variant="default" leftSection={<IconShieldOff size={14} />} onClick={() => setAdding(true)}>Exclude…</Button>}
      </div>
      {adding && mayChange && <Form rule={rule} condition={condition} onDone={() => setAdding(false)} />}
      {exclusions.isPending && <Loading what="exclusions" />}
      {exclusions.isError && <Failure error={exclusions.error} retry={() => void exclusions.refetch()} />}
      {exclusions.data && list.length === 0 && !adding && <Empty title="No exclusions">The rule holds for every event that it matches.</Empty>}
      {remove.isError && <p role="alert" className={css.error}>{remove.error.message}</p>}
      {list.length > 0 && (
        <div className={ui.tableWrap}>
          <table className={ui.table}>
            <thead><tr><th>State</th><th>Name</th><th>Condition</th><th>Ends</th><th>By</th><th><span className={css.hidden}>Actions</span></th></tr></thead>
            <tbody>{list.map((one) => <Row key={one.id} exclusion={one} remove={remove} />)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}
