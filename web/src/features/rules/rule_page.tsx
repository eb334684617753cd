import { Select } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { Link, useParams, useSearchParams } from 'react-router';
import { tacticName, useAttack } from '@/shared/api/attack';
import type { Importance } from '@/shared/api/client';
import { useMayChange } from '@/shared/api/session';
import { ImportanceBadge, importanceNames, importances, Technique } from '@/shared/ui/importance';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import { Copyable } from '@/shared/ui/copyable';
import { Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { Exclusions } from './exclusions';
import { History } from './history';
import { useChangeRule, useRules } from './rule_queries';
import { RuleSwitch, share } from './rule_table';
import type { Rule } from './rules';
import css from './rules.module.css';

// Rules are written by anybody: only http and https become links.
function Reference({ text }: { text: string }) {
  if (!/^https?:\/\//i.test(text)) return <>{text}</>;
  return <a href={text} target="_blank" rel="noreferrer">{text}</a>;
}

// What people decided about the rule, apart from its file.
function Decisions({ rule }: { rule: Rule }) {
  const mayChange = useMayChange();
  const change = useChangeRule(rule.id);
  const own = { value: 'own', label: `As in its file: ${importanceNames[rule.own_importance]}` };
  const value = rule.importance === rule.own_importance ? 'own' : rule.importance;
  return (
    <div className={css.decisions}>
      <RuleSwitch rule={rule} />
      <Select aria-label="Importance of its alerts" w={230} disabled={!mayChange || change.isPending} allowDeselect={false}
        data={[own, ...importances.map((one) => ({ value: one, label: importanceNames[one] }))]} value={value}
        onChange={(chosen) => chosen && change.mutate({ importance: chosen === 'own' ? null : chosen as Importance })} />
      {rule.changed_by && <span className="dim">changed by {rule.changed_by} {rule.changed && <Stamp time={rule.changed} />}</span>}
      {change.isError && <span role="alert" className={css.error}>{change.error.message}</span>}
    </div>
  );
}

function About({ rule }: { rule: Rule }) {
  const attack = useAttack();
  return (
    <section className={ui.card} aria-label="About the rule">
      <div className={`${ui.cardBody} ${css.about}`}>
        <div className={css.prose}>
          {rule.warnings.length > 0 && <ul className={css.partial}>{rule.warnings.map((text) => <li key={text}>{text}</li>)}</ul>}
          <p>{rule.description || <span className="dim">The rule has no description.</span>}</p>
          {rule.false_positives.length > 0 && (
            <><h2>Known false positives</h2><ul>{rule.false_positives.map((text) => <li key={text}>{text}</li>)}</ul></>
          )}
          {rule.references.length > 0 && (
            <><h2>References</h2><ul>{rule.references.map((text) => <li key={text}><Reference text={text} /></li>)}</ul></>
          )}
        </div>
        <dl className={ui.facts}>
          <dt>Hits, all time</dt><dd>{rule.hits.toLocaleString('en')}{rule.last_hit && <>, last <Stamp time={rule.last_hit} /></>}</dd>
          <dt>Cost</dt><dd>{share(rule)} of the time of all rules; looked at on {rule.evaluated.toLocaleString('en')} events since the node started</dd>
          <dt>Tactics</dt><dd>{rule.tactics.map((one) => tacticName(attack, one)).join(', ') || '—'}</dd>
          <dt>Format</dt><dd>{rule.format}</dd>
          <dt>Author</dt><dd>{rule.author || '—'}</dd>
          <dt>File</dt><dd><code>{rule.path}</code></dd>
          <dt>Id</dt><dd><Copyable text={rule.id} label="the rule's id" /></dd>
        </dl>
      </div>
    </section>
  );
}

export function RulePage() {
  const { id = '' } = useParams();
  const [params] = useSearchParams();
  const rules = useRules();
  if (rules.isPending) return <Loading what="the rule" />;
  if (rules.isError) return <Failure error={rules.error} retry={() => void rules.refetch()} />;
  const rule = rules.data.rules.find((one) => one.id === id);
  if (!rule) return <Empty title="There is no such rule"><Link to="/rules">All rules</Link></Empty>;
  return (
    <div className={ui.page}>
      <div>
        <Link to="/rules" className={css.back}><IconArrowLeft size={14} aria-hidden /> Rules</Link>
        <h1 className={css.ruleTitle}>{rule.title}</h1>
        <div className={css.tags}>
          <ImportanceBadge importance={rule.importance} />
          {rule.techniques.map((technique) => <Technique key={technique} id={technique} />)}
        </div>
      </div>
      <Decisions rule={rule} />
      <About rule={rule} />
      <Exclusions key={`${rule.id} exclusions`} rule={rule} condition={params.get('exclude') ?? ''} />
      <History key={rule.id} subject={{ rule_id: rule.id }} />
    </div>
  );
}
