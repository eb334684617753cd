// What the query shows of what it finds: its pipes, each as it is written.
import { NativeSelect, TextInput } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import css from './builder.module.css';

const templates = [
  { value: 'since 24h', label: 'Since …' }, { value: 'until now-1h', label: 'Until …' }, { value: 'sort time desc', label: 'Sort by …' },
  { value: 'limit 100', label: 'Limit to …' }, { value: 'fields time, host.name, process.name', label: 'Columns …' },
  { value: 'count by process.name top 10', label: 'Count by …' }, { value: 'count per hour', label: 'Count per time' },
  { value: 'distinct host.name', label: 'Distinct …' }, { value: 'rare process.executable by host.name', label: 'Rare …' },
];

function nameOf(pipe: string): string {
  return /^\S*/.exec(pipe)![0].toLowerCase();
}

export function PipeList({ pipes, onChange }: { pipes: string[]; onChange: (pipes: string[]) => void }) {
  const free = templates.filter((template) => !pipes.some((pipe) => nameOf(pipe) === nameOf(template.value)));
  return (
    <div className={css.pipes} role="group" aria-label="What is shown">
      <span className={css.pipesTitle}>then</span>
      {pipes.map((pipe, at) => (
        <span key={at} className={css.pipe}>
          <span className={css.bar} aria-hidden>|</span>
          <TextInput aria-label={`Step ${at + 1}`} className={css.pipeText} size="xs" value={pipe}
            onChange={(event) => onChange(pipes.map((old, i) => i === at ? event.currentTarget.value : old))} />
          <button type="button" className={css.icon} aria-label={`Remove step ${at + 1}`} onClick={() => onChange(pipes.filter((_, i) => i !== at))}>
            <IconX size={13} aria-hidden />
          </button>
        </span>
      ))}
      {free.length > 0 && (
        <NativeSelect aria-label="Add a step" size="xs" className={css.addPipe} value="" data={[{ value: '', label: 'Add a step…' }, ...free]}
          onChange={(event) => event.currentTarget.value && onChange([...pipes, event.currentTarget.value])} />
      )}
    </div>
  );
}
