// Rules that are not in force yet, tried on the objects that came last.
import { Button, Select, Textarea } from '@mantine/core';
import { IconFlask } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import ui from '@/shared/ui/ui.module.css';
import { RefusedTable } from './refused_table';
import { outcomeOf, textMax, type Trial } from './yara';
import { useTrial } from './yara_queries';
import css from './yara.module.css';

const example = `rule hidden_program
{
    meta:
        importance = "high"
    strings:
        $start = "MZ"
        $word = "DOS mode" nocase
    condition:
        $start at 0 and not $word
}
`;
const depths = ['100', '250', '500'].map((count) => ({ value: count, label: `The last ${count} objects` }));

// Names are the senders' words: text, and a link to our own page.
function Hits({ trial }: { trial: Trial }) {
  return (
    <div className={ui.tableWrap}>
      <table className={ui.table} aria-label="Hits of the trial">
        <thead><tr><th>Rule</th><th>Object</th><th>In</th><th>SHA-256</th></tr></thead>
        <tbody>
          {trial.hits.map((hit, index) => (
            <tr key={index} data-hit={hit.rule}>
              <td className="mono">{hit.rule}</td>
              <td className={css.why}><Link to={`/objects/${encodeURIComponent(hit.object_id)}`}>{hit.name}</Link></td>
              <td className={css.why}>{hit.inner_name ?? <span className="dim">itself</span>}</td>
              <td className={`${css.hash} mono`} title={hit.sha256}>{hit.sha256}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Outcome({ trial }: { trial: Trial }) {
  return (
    <section className={ui.card} aria-label="What the rules would have said">
      <div className={ui.cardHead}><h2>What the rules would have said</h2><span role="status" className="dim">{outcomeOf(trial)}</span></div>
      {trial.refused.length > 0 && <RefusedTable label="Rules of the trial that do not compile" refused={trial.refused} />}
      {trial.hits.length > 0 && <Hits trial={trial} />}
    </section>
  );
}

export function TryYara() {
  const [text, setText] = useState(example);
  const [objects, setObjects] = useState('100');
  const trial = useTrial();
  const run = () => trial.mutate({ text, objects: Number(objects) });
  return (
    <>
      <section className={ui.card} aria-label="Try rules">
        <Textarea aria-label="YARA rules" classNames={{ input: css.text! }} variant="unstyled" rows={14} maxLength={textMax} spellCheck={false} value={text}
          onChange={(event) => setText(event.currentTarget.value)} />
        <div className={css.actions}>
          <span className="dim">They are tried in a worker of their own, and make no alert.</span>
          <span className={ui.spacer} />
          <Select aria-label="How many objects" w={190} data={depths} allowDeselect={false} value={objects} onChange={(value) => setObjects(value ?? '100')} />
          <Button leftSection={<IconFlask size={14} />} loading={trial.isPending} disabled={text.trim() === ''} onClick={run}>Try</Button>
        </div>
        {trial.isError && <p role="alert" className={css.problem}>{trial.error.message}</p>}
      </section>
      {trial.data && <Outcome trial={trial.data} />}
    </>
  );
}
