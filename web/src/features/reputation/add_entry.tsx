import { Button, Select, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { ReputationEntry } from '@/shared/api/client';
import { useAddEntry } from '@/shared/api/reputation';
import ui from '@/shared/ui/ui.module.css';
import css from './reputation.module.css';

export function AddEntry() {
  const [value, setValue] = useState('');
  const [reputation, setReputation] = useState<ReputationEntry['reputation']>('bad');
  const [note, setNote] = useState('');
  const add = useAddEntry();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate({ value: value.trim(), reputation, note: note.trim() }, {
      onSuccess: () => {
        setValue('');
        setNote('');
      },
    });
  };
  return (
    <section className={ui.card} aria-label="Say something yourself">
      <form className={css.form} onSubmit={submit}>
        <TextInput className={css.grow} label="Say something yourself" placeholder="A hash, an address, a domain or a URL" maxLength={2048} spellCheck={false}
          value={value} onChange={(event) => setValue(event.currentTarget.value)} />
        <Select label="It is" w={110} data={[{ value: 'bad', label: 'Bad' }, { value: 'good', label: 'Good' }]} allowDeselect={false} value={reputation}
          onChange={(chosen) => setReputation((chosen ?? 'bad') as ReputationEntry['reputation'])} />
        <TextInput className={css.grow} label="Note" placeholder="Why" maxLength={256} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        <Button type="submit" loading={add.isPending} disabled={value.trim() === ''}>Add</Button>
      </form>
      {add.isError && <p role="alert" className={css.error}>{add.error.message}</p>}
      <p className={css.hint}>It counts more than any feed, and what was judged is judged again.</p>
    </section>
  );
}
