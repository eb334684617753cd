import { Button, Checkbox, Popover, TextInput } from '@mantine/core';
import { IconColumns3 } from '@tabler/icons-react';
import { useState } from 'react';
import type { HuntResult } from '@/shared/api/client';
import css from './hunt.module.css';

export function ColumnChooser({ result, shown, onChange }: { result: HuntResult; shown: string[]; onChange: (names: string[]) => void }) {
  const [text, setText] = useState('');
  const names = result.columns.map((column) => column.name).filter((name) => name.includes(text.trim().toLowerCase()));
  const toggle = (name: string) => onChange(shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name]);
  return (
    <Popover position="bottom-end" shadow="md" width={290} trapFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<IconColumns3 size={14} />}>Columns</Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Columns">
        <TextInput aria-label="Find a column" placeholder="Find a column" value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <div className={css.columnList} tabIndex={0} role="group" aria-label="Columns of the table">
          {names.map((name) => (
            <Checkbox key={name} size="xs" label={<code>{name}</code>} checked={shown.includes(name)} onChange={() => toggle(name)} />
          ))}
        </div>
        <Button variant="subtle" fullWidth onClick={() => onChange([])}>Back to the usual ones</Button>
      </Popover.Dropdown>
    </Popover>
  );
}
