import { IconArrowLeft } from '@tabler/icons-react';
import { Link, useParams } from 'react-router';
import { ImportanceBadge, Technique } from '@/shared/ui/importance';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import { Copyable } from '@/shared/ui/copyable';
import ui from '@/shared/ui/ui.module.css';
import { History } from './history';
import { useRules } from './rule_queries';
import { tacticName, type Rule } from './rules';
import css from './rules.module.css';

// Rules are written by anybody: only http and https become links.
function Reference({ text }: { text: string }) {
  if (!/^https?:\/\//i.test(text)) return <>{text}</>;
  return <a href={text} target="_blank" rel="noreferrer">{text}</a>;
}

function About({ rule }: { rule: Rule }) {
  return (
    <section className={ui.card} aria-label="About the rule">
      <div className={`${ui.cardBody} ${css.about}`}>
        <div className={css.prose}>
          <p>{rule.description || <span className="dim">The rule has no description.</span>}</p>
          {rule.false_positives.length > 0 && (
            <><h2>Known false positives</h2><ul>{rule.false_positives.map((text) => <li key={text}>{text}</li>)}</ul></>
          )}
          {rule.references.length > 0 && (
            <><h2>References</h2><ul>{rule.references.map((text) => <li key={text}><Reference text={text} /></li>)}</ul></>
          )}
        </div>
        <dl className={ui.facts}>
          <dt>Hits, all time</dt><dd>{rule.hits.toLocaleString('en')}</dd>
          <dt>Tactics</dt><dd>{rule.tactics.map(tacticName).join(', ') || '—'}</dd>
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
      <About rule={rule} />
      <History key={rule.id} subject={{ rule_id: rule.id }} />
    </div>
  );
}
