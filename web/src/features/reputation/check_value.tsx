// What is known of one value; the value stands in the address.
import { Button, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useReputation } from '@/shared/api/reputation';
import { ReputationBadge } from '@/shared/ui/reputation_badge';
import { Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { EntryTable } from './entry_table';
import css from './reputation.module.css';

function Word({ value, mayChange }: { value: string; mayChange: boolean }) {
  const known = useReputation(value);
  if (known.isPending) return <Loading what="what is known" />;
  if (known.isError) return <Failure error={known.error} retry={() => void known.refetch()} />;
  const { data } = known;
  return (
    <div aria-live="polite">
      <p className={css.word}>
        <ReputationBadge word={data.reputation} /> <span className="dim">{data.kind}</span> <span className="mono">{data.value}</span>
      </p>
      {data.entries.length === 0 ? <p className={css.word}>No source says anything of it.</p> : <EntryTable label="What sources say" entries={data.entries} mayChange={mayChange} />}
    </div>
  );
}

export function CheckValue({ value, onCheck, mayChange }: { value: string; onCheck: (value: string) => void; mayChange: boolean }) {
  const [typed, setTyped] = useState(value);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onCheck(typed.trim());
  };
  return (
    <section className={ui.card} aria-label="Check a value">
      <form className={css.form} onSubmit={submit}>
        <TextInput className={css.grow} label="Check a value" placeholder="A hash, an address, a domain or a URL; hxxp and [.] are mended" maxLength={2048}
          spellCheck={false} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
        <Button type="submit" leftSection={<IconSearch size={14} />} disabled={typed.trim() === ''}>Check</Button>
      </form>
      {value && <Word value={value} mayChange={mayChange} />}
    </section>
  );
}
