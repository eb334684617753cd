// Which techniques of ATT&CK the rules cover: a column a tactic, a cell a technique.
import { IconGridDots } from '@tabler/icons-react';
import { useMemo } from 'react';
import { Link } from 'react-router';
import { toneOf } from '@/shared/ui/importance';
import { Empty } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { coverage, tacticName, type Covered, type Rule } from './rules';
import css from './rules.module.css';

function Cell({ covered }: { covered: Covered }) {
  const { technique, rules, importance } = covered;
  return (
    <li>
      <Link to={`/rules?technique=${encodeURIComponent(technique)}`} className={`${css.covered} ${ui[toneOf(importance)]}`}
        title={rules.map((rule) => rule.title).join('\n')}
        aria-label={`${technique}: ${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}, up to ${importance}`}>
        <code>{technique}</code><span>{rules.length}</span>
      </Link>
    </li>
  );
}

export function Coverage({ rules }: { rules: Rule[] }) {
  const columns = useMemo(() => coverage(rules), [rules]);
  const techniques = new Set(rules.flatMap((rule) => rule.techniques)).size;
  return (
    <section className={ui.card} aria-label="ATT&amp;CK coverage">
      <div className={ui.cardHead}>
        <h2>ATT&amp;CK coverage</h2>
        <span className="dim">{techniques} techniques and sub-techniques, with the number of rules; tinted by the highest importance</span>
      </div>
      {columns.length === 0 ? (
        <Empty title="No rule has a technique" icon={<IconGridDots size={30} stroke={1.4} aria-hidden />}>Rules name theirs in their tags: attack.t1059.004.</Empty>
      ) : (
        <div className={css.matrix} tabIndex={0} role="region" aria-label="Matrix of tactics and techniques">
          {columns.map(({ tactic, techniques: cells }) => (
            <section key={tactic} className={css.tactic} aria-label={tacticName(tactic)}>
              <h3>{tacticName(tactic)} <span className="dim">{cells.length}</span></h3>
              <ul>{cells.map((covered) => <Cell key={covered.technique} covered={covered} />)}</ul>
            </section>
          ))}
        </div>
      )}
    </section>
  );
}
