import { ActionIcon, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import type { ReputationEntry } from '@/shared/api/client';
import { Copyable } from '@/shared/ui/copyable';
import { ReputationBadge } from '@/shared/ui/reputation_badge';
import { Ago } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { useRemoveEntry } from './reputation_queries';
import css from './reputation.module.css';

// Values are text: what is known as bad is never something to click on.
export function EntryTable({ label, entries, mayChange }: { label: string; entries: ReputationEntry[]; mayChange: boolean }) {
  const remove = useRemoveEntry();
  return (
    <>
      {remove.isError && <p role="alert" className={css.error}>{remove.error.message}</p>}
      <div className={ui.tableWrap}>
        <table className={ui.table} aria-label={label}>
          <thead>
            <tr><th>Reputation</th><th>Kind</th><th>Value</th><th>Source</th><th>Note</th><th>Added</th><th><span className={css.hidden}>Actions</span></th></tr>
          </thead>
          <tbody>
            {entries.map((one) => (
              <tr key={one.id} data-entry={one.id}>
                <td><ReputationBadge word={one.reputation} /></td>
                <td>{one.kind}</td>
                <td className={css.value}><Copyable text={one.value} label={one.value} /></td>
                <td>{one.source}</td>
                <td className={css.note}>{one.note || <span className="dim">—</span>}</td>
                <td><Ago time={one.added} /></td>
                <td className={ui.right}>
                  {mayChange && (
                    <Tooltip label="Remove this entry">
                      <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${one.value} of ${one.source}`} disabled={remove.isPending}
                        onClick={() => remove.mutate(one)}>
                        <IconTrash size={15} color="var(--mantine-color-dimmed)" />
                      </ActionIcon>
                    </Tooltip>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
