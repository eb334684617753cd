import { Button, MultiSelect, SegmentedControl, TextInput } from '@mantine/core';
import { IconListSearch, IconRefresh, IconSearch } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { Importance } from '@/shared/api/client';
import { useMayChange } from '@/shared/api/session';
import { importanceNames, importances } from '@/shared/ui/importance';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { Coverage } from './coverage';
import { Refusals } from './refusals';
import { useReload, useRules } from './rule_queries';
import { RuleTable, type Sorting } from './rule_table';
import { chosenRules, isOrder, sortedRules, type Rule, type RuleFilters, type RuleList } from './rules';
import { TryRule } from './try_rule';
import css from './rules.module.css';

// View and filters stand in the address.
function useAddress() {
  const [params, setParams] = useSearchParams();
  const view = params.get('view') ?? 'list';
  const text = params.get('q') ?? '';
  const importance = params.get('importance') ?? '';
  const technique = params.get('technique') ?? '';
  const filters = useMemo<RuleFilters>(() => ({
    text, technique, importance: importances.filter((one) => importance.split(',').includes(one)),
  }), [text, importance, technique]);
  const set = (name: string, value: string) => setParams((before) => {
    const next = new URLSearchParams(before);
    if (value) next.set(name, value);
    else next.delete(name);
    return next;
  }, { replace: true });
  // "hits", "-hits" the other way round.
  const sort = params.get('sort') ?? '';
  const order = sort.replace(/^-/, '');
  const sorting: Sorting = {
    order: isOrder(order) ? order : 'importance', backwards: sort.startsWith('-'),
    set: (name, backwards) => set('sort', `${backwards ? '-' : ''}${name}`),
  };
  return { view, filters, sorting, set };
}

function Filters({ filters, set }: { filters: RuleFilters; set: (name: string, value: string) => void }) {
  return (
    <>
      <MultiSelect aria-label="Importance" placeholder={filters.importance.length ? '' : 'Any importance'} w={210} clearable
        data={importances.map((one) => ({ value: one, label: importanceNames[one] }))}
        value={filters.importance} onChange={(value: Importance[]) => set('importance', value.join(','))} />
      <TextInput aria-label="Search rules" id="rule-search" placeholder="Title, technique, tactic, path…" w={250}
        leftSection={<IconSearch size={14} />} value={filters.text} onChange={(event) => set('q', event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()} />
      {filters.technique && (
        <button type="button" className={css.chip} onClick={() => set('technique', '')} aria-label={`Any technique, not only ${filters.technique}`}>
          <code>{filters.technique}</code> ×
        </button>
      )}
    </>
  );
}

function List({ rules, shown, sorting }: { rules: Rule[]; shown: Rule[]; sorting: Sorting }) {
  return (
    <>
      <section className={ui.card} aria-label="Rules">
        {rules.length === 0 && (
          <Empty title="No rule is loaded" icon={<IconListSearch size={30} stroke={1.4} aria-hidden />}>The node reads them from its rule directory, and again when a file there changes.</Empty>
        )}
        {rules.length > 0 && shown.length === 0 && <Empty title="No rule matches">Widen the filters above.</Empty>}
        {shown.length > 0 && <RuleTable rules={shown} sorting={sorting} />}
      </section>
      {shown.length > 0 && (
        <p className={css.keys}>
          <span><kbd>j</kbd> <kbd>k</kbd> move</span><span><kbd>Enter</kbd> open</span><span><kbd>/</kbd> search</span>
        </p>
      )}
    </>
  );
}

function View({ list, view, filters, sorting }: { list: RuleList; view: string; filters: RuleFilters; sorting: Sorting }) {
  const { order, backwards } = sorting;
  const shown = useMemo(() => sortedRules(chosenRules(list.rules, filters), order, backwards), [list.rules, filters, order, backwards]);
  if (view === 'coverage') return <Coverage rules={list.rules} />;
  if (view === 'refused') return <Refusals refusals={list.refusals} warnings={list.warnings} />;
  if (view === 'try') return <TryRule />;
  return <List rules={list.rules} shown={shown} sorting={sorting} />;
}

function Reload() {
  const reload = useReload();
  return (
    <Button variant="default" leftSection={<IconRefresh size={14} />} loading={reload.isPending} onClick={() => reload.mutate()}
      title={reload.error?.message ?? 'Changed files are read by themselves within seconds'}>Reload</Button>
  );
}

export function RulesPage() {
  const mayChange = useMayChange();
  const { view, filters, sorting, set } = useAddress();
  const rules = useRules();
  const refused = rules.data?.refusals.length ?? 0;
  return (
    <div className={ui.page}>
      <div className={ui.pageHead}>
        <h1>Rules</h1>
        <SegmentedControl aria-label="View" value={view} onChange={(value) => set('view', value === 'list' ? '' : value)} data={[
          { value: 'list', label: 'Rules' }, { value: 'coverage', label: 'Coverage' },
          { value: 'refused', label: refused > 0 ? `Refused (${refused})` : 'Refused' }, { value: 'try', label: 'Try a rule' }]} />
        {view === 'list' && <Filters filters={filters} set={set} />}
        <span className={ui.spacer} />
        {rules.data && (
          <span className="dim" title={`Read in ${rules.data.load.took_ms} ms`}>
            {rules.data.load.rules} loaded, {rules.data.load.rules - rules.data.load.enabled} off, {refused} refused
          </span>
        )}
        {mayChange && <Reload />}
      </div>
      {rules.data?.load.error && <p role="alert" className={css.error}>The rules were not read again: {rules.data.load.error}</p>}
      {rules.isPending && <section className={ui.card}><Loading what="rules" /></section>}
      {rules.isError && <section className={ui.card}><Failure error={rules.error} retry={() => void rules.refetch()} /></section>}
      {rules.data && !rules.isError && <View list={rules.data} view={view} filters={filters} sorting={sorting} />}
    </div>
  );
}
