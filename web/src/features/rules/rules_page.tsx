import { MultiSelect, SegmentedControl, TextInput } from '@mantine/core';
import { IconListSearch, IconSearch } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { Importance } from '@/shared/api/client';
import { importanceNames, importances } from '@/shared/ui/importance';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { Coverage } from './coverage';
import { Refusals } from './refusals';
import { useRules } from './rule_queries';
import { RuleTable } from './rule_table';
import { chosenRules, type Rule, type RuleFilters, type RuleList } from './rules';
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
  return { view, filters, set };
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

function List({ rules, shown }: { rules: Rule[]; shown: Rule[] }) {
  return (
    <>
      <section className={ui.card} aria-label="Rules">
        {rules.length === 0 && (
          <Empty title="No rule is loaded" icon={<IconListSearch size={30} stroke={1.4} aria-hidden />}>The node reads them from its rule directory when it starts.</Empty>
        )}
        {rules.length > 0 && shown.length === 0 && <Empty title="No rule matches">Widen the filters above.</Empty>}
        {shown.length > 0 && <RuleTable rules={shown} />}
      </section>
      {shown.length > 0 && (
        <p className={css.keys}>
          <span><kbd>j</kbd> <kbd>k</kbd> move</span><span><kbd>Enter</kbd> open</span><span><kbd>/</kbd> search</span>
        </p>
      )}
    </>
  );
}

function View({ list, view, filters }: { list: RuleList; view: string; filters: RuleFilters }) {
  const shown = useMemo(() => chosenRules(list.rules, filters), [list.rules, filters]);
  if (view === 'coverage') return <Coverage rules={list.rules} />;
  if (view === 'refused') return <Refusals refusals={list.refusals} />;
  if (view === 'try') return <TryRule />;
  return <List rules={list.rules} shown={shown} />;
}

export function RulesPage() {
  const { view, filters, set } = useAddress();
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
        {rules.data && <span className="dim">{rules.data.rules.length} loaded, {refused} refused</span>}
      </div>
      {rules.isPending && <section className={ui.card}><Loading what="rules" /></section>}
      {rules.isError && <section className={ui.card}><Failure error={rules.error} retry={() => void rules.refetch()} /></section>}
      {rules.data && !rules.isError && <View list={rules.data} view={view} filters={filters} />}
    </div>
  );
}
