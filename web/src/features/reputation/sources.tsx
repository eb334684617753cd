// Who says something. Feeds are imported, opened and forgotten here.
import { ActionIcon, Button, Modal, Tooltip } from '@mantine/core';
import { IconShieldQuestion, IconTrash, IconUpload } from '@tabler/icons-react';
import { useState } from 'react';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import { Ago } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { manualSource } from './feed';
import { ImportFeed } from './import_feed';
import { useRemoveSource, useSources } from './reputation_queries';
import css from './reputation.module.css';

interface Source {
  name: string;
  entries: number;
  latest: string;
}

function ForgetSource({ source, onForgotten, onClose }: { source: Source; onForgotten: () => void; onClose: () => void }) {
  const remove = useRemoveSource();
  const forget = () => remove.mutate(source.name, {
    onSuccess: () => {
      onForgotten();
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Forget ${source.name}?`}>
      <p className={css.text}>
        Its {source.entries.toLocaleString('en')} entries are removed, and what it says counts no more.
        {source.name === manualSource && ' These are what people entered themselves: no feed brings them back.'}
      </p>
      {remove.isError && <p role="alert" className={css.error}>{remove.error.message}</p>}
      <div className={css.buttons}>
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button color="red.8" loading={remove.isPending} onClick={forget}>Forget</Button>
      </div>
    </Modal>
  );
}

function SourceRow({ source, selected, onSelect, onForget }: { source: Source; selected: boolean; onSelect: () => void; onForget: (() => void) | undefined }) {
  return (
    <tr data-source={source.name} data-selected={selected || undefined} className={css.row}>
      <td><button type="button" className={css.source} aria-pressed={selected} onClick={onSelect}>{source.name}</button></td>
      <td className={`${ui.right} mono`}>{source.entries.toLocaleString('en')}</td>
      <td><Ago time={source.latest} /></td>
      <td className={ui.right}>
        {onForget && (
          <Tooltip label="Forget all that it says">
            <ActionIcon variant="subtle" color="gray" aria-label={`Forget ${source.name}`} onClick={onForget}>
              <IconTrash size={15} color="var(--mantine-color-dimmed)" />
            </ActionIcon>
          </Tooltip>
        )}
      </td>
    </tr>
  );
}

export function Sources({ selected, onSelect, mayChange }: { selected: string; onSelect: (name: string) => void; mayChange: boolean }) {
  const sources = useSources();
  const [importing, setImporting] = useState(false);
  const [forgetting, setForgetting] = useState<Source>();
  const list = sources.data?.sources ?? [];
  return (
    <section className={ui.card} aria-label="Sources">
      <div className={ui.cardHead}>
        <h2>Sources</h2>
        <span className={ui.spacer} />
        {mayChange && <Button variant="default" leftSection={<IconUpload size={14} />} onClick={() => setImporting(true)}>Import a feed</Button>}
      </div>
      {sources.isPending && <Loading what="sources" />}
      {sources.isError && <Failure error={sources.error} retry={() => void sources.refetch()} />}
      {sources.data && list.length === 0 && (
        <Empty title="Nobody says anything yet" icon={<IconShieldQuestion size={30} stroke={1.4} aria-hidden />}>Feeds are files: nothing is asked of the Internet.</Empty>
      )}
      {list.length > 0 && (
        <div className={ui.tableWrap}>
          <table className={ui.table}>
            <thead><tr><th>Source</th><th className={ui.right}>Entries</th><th>Latest</th><th><span className={css.hidden}>Actions</span></th></tr></thead>
            <tbody>
              {list.map((one) => (
                <SourceRow key={one.name} source={one} selected={one.name === selected} onSelect={() => onSelect(one.name)}
                  onForget={mayChange ? () => setForgetting(one) : undefined} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {importing && <ImportFeed sources={list.map((one) => one.name).filter((name) => name !== manualSource)} onClose={() => setImporting(false)} />}
      {forgetting && <ForgetSource source={forgetting} onForgotten={() => forgetting.name === selected && onSelect('')} onClose={() => setForgetting(undefined)} />}
    </section>
  );
}
