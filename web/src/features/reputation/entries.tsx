// Entries of one source, or of all, newest first.
import { Button } from '@mantine/core';
import { IconListSearch } from '@tabler/icons-react';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { EntryTable } from './entry_table';
import { useEntries } from './reputation_queries';
import css from './reputation.module.css';

export function Entries({ source, onAll, mayChange }: { source: string; onAll: () => void; mayChange: boolean }) {
  const entries = useEntries(source);
  const list = entries.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <section className={ui.card} aria-label="Entries">
      <div className={ui.cardHead}>
        <h2>{source ? `Entries of ${source}` : 'Entries'}</h2><span className="dim">newest first</span>
        <span className={ui.spacer} />
        {source && <Button variant="default" size="compact-xs" onClick={onAll}>All sources</Button>}
      </div>
      {entries.isPending && <Loading what="entries" />}
      {entries.isError && <Failure error={entries.error} retry={() => void entries.refetch()} />}
      {entries.data && list.length === 0 && (
        <Empty title="No entries" icon={<IconListSearch size={30} stroke={1.4} aria-hidden />}>
          {source ? 'This source says nothing.' : <>Say something yourself, or import a feed: a list, CSV, ClamAV hashes, a MISP event or a STIX 2.1 bundle.</>}
        </Empty>
      )}
      {list.length > 0 && <EntryTable label="Entries" entries={list} mayChange={mayChange} />}
      {entries.hasNextPage && (
        <div className={css.more}>
          <Button variant="default" loading={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>Older ones</Button>
        </div>
      )}
    </section>
  );
}
