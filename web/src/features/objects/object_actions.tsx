// What an officer does with an object: look at its content, take it away for analysis, have it judged again, say what it is.
import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconDownload, IconEye, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { api, read, type ReputationEntry, type ScanObject } from '@/shared/api/client';
import { useAddEntry } from '@/shared/api/reputation';
import { save } from '@/shared/ui/save';
import { Preview } from './preview';
import css from './objects.module.css';

const noteCharsMax = 256;

function useDownload(object: ScanObject) {
  return useMutation({
    mutationFn: async () => {
      const archive = await read(api.GET('/objects/{id}/archive', { params: { path: { id: object.id } }, parseAs: 'blob' }));
      save(archive as Blob, `${object.sha256}.zip`);
    },
  });
}

function RemoveContent({ object, onClose }: { object: ScanObject; onClose: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => read(api.DELETE('/objects/{id}/content', { params: { path: { id: object.id } } })),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['object', object.id] });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title="Remove this content?">
      <p className={css.text}>
        The content of {object.name} is removed from this node, whoever handed it in: it can be neither downloaded nor judged again. Verdicts
        and history stay.
      </p>
      {remove.isError && <p role="alert" className={css.error}>{remove.error.message}</p>}
      <div className={css.buttons}>
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button color="red.8" loading={remove.isPending} onClick={() => remove.mutate()}>Remove content</Button>
      </div>
    </Modal>
  );
}

function SayReputation({ object, word, onSaid, onClose }:
  { object: ScanObject; word: ReputationEntry['reputation']; onSaid: () => void; onClose: () => void }) {
  const [note, setNote] = useState('');
  const add = useAddEntry();
  const submit = () => add.mutate({ value: object.sha256, reputation: word, note: note.trim() }, {
    onSuccess: () => {
      onSaid();
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Known as ${word}`}>
      <form onSubmit={(event) => { event.preventDefault(); submit(); }}>
        <p className={css.text}>
          Everything with this SHA-256 is {word} from now on, inside of archives too. That counts more than any feed, and what was judged is judged again.
        </p>
        <p className={`${css.hashWhole} mono`}>{object.sha256}</p>
        <TextInput label="Note" placeholder="Why" maxLength={noteCharsMax} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        {add.isError && <p role="alert" className={css.error}>{add.error.message}</p>}
        <div className={css.buttons}>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" color={word === 'bad' ? 'red.8' : undefined} loading={add.isPending}>Known as {word}</Button>
        </div>
      </form>
    </Modal>
  );
}

// `onAsked`: the engines are asked again, their word comes soon.
export function ObjectActions({ object, onAsked }: { object: ScanObject; onAsked: () => void }) {
  const [open, setOpen] = useState<'preview' | 'remove' | 'good' | 'bad'>();
  const close = () => setOpen(undefined);
  const download = useDownload(object);
  const rescan = useMutation({
    mutationFn: () => read(api.POST('/objects/{id}/rescan', { params: { path: { id: object.id } } })),
    onSuccess: onAsked,
  });
  const error = download.error ?? rescan.error;
  return (
    <section aria-label="Actions">
      <div className={css.actions}>
        <Button size="compact-xs" variant="default" leftSection={<IconEye size={14} />} onClick={() => setOpen('preview')}>Preview</Button>
        <Button size="compact-xs" variant="default" leftSection={<IconDownload size={14} />} loading={download.isPending} onClick={() => download.mutate()}>Download ZIP</Button>
        <Button size="compact-xs" variant="default" leftSection={<IconRefresh size={14} />} loading={rescan.isPending} onClick={() => rescan.mutate()}>Rescan</Button>
        <Button size="compact-xs" variant="default" onClick={() => setOpen('bad')}>Known as bad</Button>
        <Button size="compact-xs" variant="default" onClick={() => setOpen('good')}>Known as good</Button>
        <Button size="compact-xs" variant="default" leftSection={<IconTrash size={14} />} onClick={() => setOpen('remove')}>Remove content</Button>
      </div>
      <p className="dim">The password of the ZIP is <code>infected</code>.</p>
      <p role="status" className={css.said}>{rescan.isSuccess && 'The engines are asked again; the verdict stays what it is until then.'}</p>
      {error && <p role="alert" className={css.error}>{error.message}</p>}
      {open === 'preview' && <Preview object={object} onClose={close} />}
      {open === 'remove' && <RemoveContent object={object} onClose={close} />}
      {(open === 'good' || open === 'bad') && <SayReputation object={object} word={open} onSaid={onAsked} onClose={close} />}
    </section>
  );
}
