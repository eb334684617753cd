// The rules that judge objects: which are in force, which were refused, and a trial of new ones.
import { Button, SegmentedControl, Select, TextInput } from '@mantine/core';
import { IconCircleCheck, IconRefresh, IconSearch } from '@tabler/icons-react';
import { useSearchParams } from 'react-router';
import type { Schema } from '@/shared/api/client';
import { useMayChange } from '@/shared/api/session';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { RefusedTable } from './refused_table';
import { TryYara } from './trial';
import { changedOnly, chosen, shownMax, type Refused } from './yara';
import { useReloadEngines, useYaraRules } from './yara_queries';
import { YaraTable } from './yara_table';
import css from './yara.module.css';

interface YaraList {
  rules: Schema['YaraRule'][];
  refused: Refused[];
  engines: string;
  clamav: string;
}

function Reload() {
  const reload = useReloadEngines();
  return (
    <>
      {reload.isError && <span role="alert" className={css.error}>{reload.error.message}</span>}
      <Button variant="default" leftSection={<IconRefresh size={14} />} loading={reload.isPending} onClick={() => reload.mutate()}
        title="Rule files and ClamAV's signatures are read again; what was judged is judged again by them">Reload</Button>
    </>
  );
}

function RefusedRules({ refused }: { refused: Refused[] }) {
  return (
    <section className={ui.card} aria-label="Refused rules">
      {refused.length === 0 ? (
        <Empty title="Every rule compiles" icon={<IconCircleCheck size={30} stroke={1.4} color="var(--ok)" aria-hidden />}>A rule that does not would stand here with the reason.</Empty>
      ) : <RefusedTable label="Refused rules" refused={refused} />}
    </section>
  );
}

function Rules({ list, text, which }: { list: YaraList; text: string; which: string }) {
  const rules = chosen(list.rules, text, which);
  return (
    <section className={ui.card} aria-label="Rules in force">
      {rules.length === 0 && <Empty title="No rule matches">{list.rules.length === 0 ? "Put .yar files into the node's rule folder and reload." : 'Widen the filters above.'}</Empty>}
      {rules.length > 0 && <YaraTable rules={rules.slice(0, shownMax)} />}
      {rules.length > shownMax && <p className={css.note}>{(rules.length - shownMax).toLocaleString('en')} more: search for their name or file.</p>}
    </section>
  );
}

function View({ list, view, text, which }: { list: YaraList; view: string; text: string; which: string }) {
  if (view === 'refused') return <RefusedRules refused={list.refused} />;
  if (view === 'try') return <TryYara />;
  return <Rules list={list} text={text} which={which} />;
}

// View and filters stand in the address.
export function YaraPage() {
  const [params, setParams] = useSearchParams();
  const mayChange = useMayChange();
  const list = useYaraRules();
  const view = params.get('view') ?? 'list';
  const text = params.get('q') ?? '';
  const which = params.get('which') ?? '';
  const set = (name: string, to: string) => setParams((before) => {
    const next = new URLSearchParams(before);
    if (to) next.set(name, to);
    else next.delete(name);
    return next;
  }, { replace: true });
  const refused = list.data?.refused.length ?? 0;
  const views = [{ value: 'list', label: 'Rules' }, { value: 'refused', label: refused > 0 ? `Refused (${refused})` : 'Refused' }];
  if (mayChange) views.push({ value: 'try', label: 'Try rules' });
  return (
    <div className={ui.page}>
      <div className={ui.pageHead}>
        <h1>YARA</h1>
        <SegmentedControl aria-label="View" value={view} onChange={(value) => set('view', value === 'list' ? '' : value)} data={views} />
        {view === 'list' && (
          <>
            <TextInput aria-label="Search YARA rules" placeholder="Name or file…" w={220} leftSection={<IconSearch size={14} />} value={text}
              onChange={(event) => set('q', event.currentTarget.value)} />
            <Select aria-label="Which rules" w={190} data={[{ value: '', label: 'All rules' }, { value: changedOnly, label: 'Changed by people' }]}
              allowDeselect={false} value={which} onChange={(value) => set('which', value ?? '')} />
          </>
        )}
        <span className={ui.spacer} />
        {list.data && <span className="dim" title={list.data.engines}>{list.data.rules.length.toLocaleString('en')} in force; ClamAV: {list.data.clamav || 'none'}</span>}
        {mayChange && <Reload />}
      </div>
      {list.isPending && <section className={ui.card}><Loading what="YARA rules" /></section>}
      {list.isError && <section className={ui.card}><Failure error={list.error} retry={() => void list.refetch()} /></section>}
      {list.data && <View list={list.data} view={view} text={text} which={which} />}
    </div>
  );
}
