// Rule files that are not used, and why; and what is used, but likely not as it was meant.
import { IconCircleCheck } from '@tabler/icons-react';
import { Empty } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { Mistake } from './history';
import type { Refusal } from './rules';

function Warnings({ warnings }: { warnings: Refusal[] }) {
  if (warnings.length === 0) return null;
  return (
    <section className={ui.card} aria-label="Warnings">
      <div className={ui.cardHead}><h2>Warnings</h2><span className="dim">these rules are in use, but for a part of them</span></div>
      <table className={ui.table}>
        <thead><tr><th>Rule</th><th>Warning</th></tr></thead>
        <tbody>
          {warnings.map((warning, index) => (
            <tr key={index}><td>{warning.title || warning.path}</td><td>{warning.diagnostic.message}</td></tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Refusals({ refusals, warnings }: { refusals: Refusal[]; warnings: Refusal[] }) {
  return (
    <>
      {refusals.length === 0 && (
        <section className={ui.card} aria-label="Refused rules">
          <Empty title="Every rule is in use" icon={<IconCircleCheck size={30} stroke={1.4} color="var(--ok)" aria-hidden />}>A rule that cannot be used as it was meant would stand here with the reason.</Empty>
        </section>
      )}
      {refusals.map((refusal, index) => (
        <section key={index} className={ui.card} aria-label={`Refused: ${refusal.title || refusal.path}`} data-refusal={refusal.path}>
          <div className={ui.cardHead}><h2>{refusal.title || 'Rule without a title'}</h2><code className="dim">{refusal.path}</code></div>
          <Mistake rendered={refusal.diagnostic.rendered || refusal.diagnostic.message} />
        </section>
      ))}
      <Warnings warnings={warnings} />
    </>
  );
}
