// Rule files that are not used, and why.
import { IconCircleCheck } from '@tabler/icons-react';
import { Empty } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { Mistake } from './history';
import type { Refusal } from './rules';

export function Refusals({ refusals }: { refusals: Refusal[] }) {
  if (refusals.length === 0) {
    return (
      <section className={ui.card} aria-label="Refused rules">
        <Empty title="Every rule is in use" icon={<IconCircleCheck size={30} stroke={1.4} color="var(--ok)" aria-hidden />}>A rule that cannot be used as it was meant would stand here with the reason.</Empty>
      </section>
    );
  }
  return refusals.map((refusal, index) => (
    <section key={index} className={ui.card} aria-label={`Refused: ${refusal.title || refusal.path}`} data-refusal={refusal.path}>
      <div className={ui.cardHead}><h2>{refusal.title || 'Rule without a title'}</h2><code className="dim">{refusal.path}</code></div>
      <Mistake rendered={refusal.diagnostic.rendered} />
    </section>
  ));
}
