import type { Alert } from '@/shared/api/client';
import ui from '@/shared/ui/ui.module.css';
import css from './alerts.module.css';

// Rules are written by anybody: only http and https become links.
function Reference({ text }: { text: string }) {
  if (!/^https?:\/\//i.test(text)) return <>{text}</>;
  return <a href={text} target="_blank" rel="noreferrer">{text}</a>;
}

export function RuleCard({ alert }: { alert: Alert }) {
  const { rule } = alert;
  return (
    <section className={ui.card} aria-label="Rule">
      <div className={ui.cardHead}>
        <h2>Rule</h2>
        <span className="dim">{rule.format}{rule.author && ` · ${rule.author}`}</span>
      </div>
      <div className={`${ui.cardBody} ${css.text}`}>
        <p><strong>{rule.title}</strong></p>
        {rule.description && <p>{rule.description}</p>}
        {rule.false_positives.length > 0 && (
          <>
            <h3>Known false positives</h3>
            <ul>{rule.false_positives.map((text) => <li key={text}>{text}</li>)}</ul>
          </>
        )}
        {rule.references.length > 0 && (
          <>
            <h3>References</h3>
            <ul>{rule.references.map((text) => <li key={text}><Reference text={text} /></li>)}</ul>
          </>
        )}
        <h3>Id</h3>
        <code>{rule.id}</code>
      </div>
    </section>
  );
}
