// Which techniques of ATT&CK the rules cover: a column a tactic, a cell a technique.
import { IconGridDots } from '@tabler/icons-react';
import { useMemo } from 'react';
import { Link } from 'react-router';
import { tacticName, techniqueName, useAttack, type Attack } from '@/shared/api/attack';
import { toneOf } from '@/shared/ui/importance';
import { Empty } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { coverage, type Covered, type Rule } from './rules';
import css from './rules.module.css';

function Cell({ covered, attack }: { covered: Covered; attack: Attack | undefined }) {
  const { technique, rules, importance } = covered;
  const name = techniqueName(attack, technique);
  return (
    <li>
      <Link to={`/rules?technique=${encodeURIComponent(technique)}`} className={`${css.covered} ${ui[toneOf(importance)]}`}
        title={[name, ...rules.map((rule) => rule.title)].filter(Boolean).join('\n')}
        aria-label={`${technique}${name && ` ${name}`}: ${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}, up to ${importance}`}>
        <span className={css.coveredText}><code>{technique}</code>{name && <span className={css.techniqueName}>{name}</span>}</span><span>{rules.length}</span>
      </Link>
    </li>
  );
}

export function Coverage({ rules }: { rules: Rule[] }) {
  const attack = useAttack();
  const columns = useMemo(() => coverage(rules.filter((rule) => rule.enabled)), [rules]);
  const techniques = new Set(rules.filter((rule) => rule.enabled).flatMap((rule) => rule.techniques)).size;
  return (
    <section className={ui.card} aria-label="ATT&amp;CK coverage">
      <div className={ui.cardHead}>
        <h2>ATT&amp;CK coverage</h2>
        <span className="dim">{techniques} techniques and sub-techniques, with the number of rules; tinted by the highest importance</span>
      </div>
      {attack && !attack.imported && (
        <p className={css.note}>Techniques have ids alone: <code>redoubt attack import enterprise-attack.json</code> gives them their names, from the STIX bundle that attack.mitre.org publishes.</p>
      )}
      {columns.length === 0 ? (
        <Empty title="No rule has a technique" icon={<IconGridDots size={30} stroke={1.4} aria-hidden />}>Rules name theirs in their tags: attack.t1059.004.</Empty>
      ) : (
        <div className={css.matrix} tabIndex={0} role="region" aria-label="Matrix of tactics and techniques">
          {columns.map(({ tactic, techniques: cells }) => (
            <section key={tactic} className={css.tactic} aria-label={tacticName(attack, tactic)}>
              <h3>{tacticName(attack, tactic)} <span className="dim">{cells.length}</span></h3>
              <ul>{cells.map((covered) => <Cell key={covered.technique} covered={covered} attack={attack} />)}</ul>
            </section>
          ))}
        </div>
      )}
    </section>
  );
}
