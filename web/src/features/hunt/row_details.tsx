import { Button, CloseButton } from '@mantine/core';
import type { HuntResult } from '@/shared/api/client';
import { MapLink } from '@/shared/ui/map_link';
import ui from '@/shared/ui/ui.module.css';
import { fieldOf, present } from './columns';
import { shown } from './result_table';
import type { Picked } from './value_menu';
import css from './hunt.module.css';

export function RowDetails({ result, row, onPick, onClose, onFindSame }: {
  result: HuntResult; row: number; onPick: (picked: Picked) => void; onClose: () => void; onFindSame: () => void;
}) {
  const process = fieldOf(result, result.rows[row]!, 'process.entity_id');
  return (
    <aside className={css.details} aria-label="All fields of the row" tabIndex={0}>
      <div className={ui.cardHead}>
        <h2>Event</h2>
        <span className={ui.spacer} />
        {process && (
          <MapLink kind="process" id={process} hostId={fieldOf(result, result.rows[row]!, 'host.id')} around={fieldOf(result, result.rows[row]!, '@timestamp')}>Map</MapLink>
        )}
        <Button size="compact-xs" variant="default" onClick={onFindSame}>Find the same</Button>
        <CloseButton size="sm" aria-label="Close the details" onClick={onClose} />
      </div>
      <dl className={css.detailList}>
        {present(result, result.rows[row]!).map(({ column, value }) => (
          <div key={column.name}>
            <dt>{column.name}</dt>
            <dd>
              <button type="button" className={css.detailValue} onClick={(event) => {
                const { left, top, height } = event.currentTarget.getBoundingClientRect();
                onPick({ column, value, rect: { left, top, height } });
              }}>{shown(column, value)}</button>
            </dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}
