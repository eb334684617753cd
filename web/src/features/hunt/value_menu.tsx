import { Menu } from '@mantine/core';
import { IconCopy, IconFilter, IconFilterOff, IconClockPlus, IconClockMinus } from '@tabler/icons-react';
import { testOf, type FieldKind } from '@/shared/query_text/query_text';
import type { Column } from './columns';
import css from './hunt.module.css';

// A value that was clicked, and where it stands on the screen.
export interface Picked {
  column: Column;
  value: string | number;
  rect: { left: number; top: number; height: number };
}

export interface ValueActions {
  narrow: (condition: string, how: 'only' | 'without') => void;
  setTime: (bound: 'since' | 'until', time: string) => void;
}

export function ValueMenu({ picked, actions, onClose }: { picked: Picked; actions: ValueActions; onClose: () => void }) {
  const { column, value, rect } = picked;
  const condition = column.field ? testOf(column.field, column.type as FieldKind, value) : undefined;
  const isTime = column.type === 'time';
  return (
    <Menu opened onClose={onClose} position="bottom-start" shadow="md" width={280} offset={4} transitionProps={{ duration: 0 }} returnFocus>
      <Menu.Target>
        <span className={css.anchor} style={{ left: rect.left, top: rect.top, height: rect.height }} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label className={css.menuLabel}>{column.name}: {value}</Menu.Label>
        {isTime && (
          <>
            <Menu.Item leftSection={<IconClockPlus size={15} />} onClick={() => actions.setTime('since', String(value))}>From this time</Menu.Item>
            <Menu.Item leftSection={<IconClockMinus size={15} />} onClick={() => actions.setTime('until', String(value))}>Until this time</Menu.Item>
          </>
        )}
        {!isTime && condition && (
          <>
            <Menu.Item leftSection={<IconFilter size={15} />} onClick={() => actions.narrow(condition, 'only')}>Only this</Menu.Item>
            <Menu.Item leftSection={<IconFilterOff size={15} />} onClick={() => actions.narrow(condition, 'without')}>Exclude this</Menu.Item>
          </>
        )}
        <Menu.Item leftSection={<IconCopy size={15} />} onClick={() => void navigator.clipboard?.writeText(String(value))}>Copy</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
