import { ActionIcon, Button, Select, TextInput, Tooltip } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconTrash } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { api, read } from '@/shared/api/client';
import { Failure, Loading } from '@/shared/ui/states';
import { Ago } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import css from './hosts.module.css';

type Kind = 'program' | 'path' | 'network';
const kinds: { value: Kind; label: string; example: string }[] = [
  { value: 'program', label: 'Program', example: '/usr/bin/restic' },
  { value: 'path', label: 'Path', example: '/var/cache' },
  { value: 'network', label: 'Network', example: '10.1.0.0/16' },
];

function AddExclusion() {
  const queries = useQueryClient();
  const [kind, setKind] = useState<Kind>('program');
  const [value, setValue] = useState('');
  const [note, setNote] = useState('');
  const add = useMutation({
    mutationFn: () => read(api.POST('/policy/exclusions', { body: { kind, value, note } })),
    onSuccess: async () => {
      setValue('');
      setNote('');
      await queries.invalidateQueries({ queryKey: ['policy'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  const example = kinds.find((row) => row.value === kind)?.example;
  return (
    <form className={css.policyForm} onSubmit={submit}>
      <Select aria-label="Kind" data={kinds} value={kind} onChange={(chosen) => setKind((chosen ?? 'program') as Kind)} allowDeselect={false} w={120} />
      <TextInput aria-label="Value" placeholder={example} value={value} onChange={(event) => setValue(event.currentTarget.value)} required className={css.grow} />
      <TextInput aria-label="Note" placeholder="Why" value={note} onChange={(event) => setNote(event.currentTarget.value)} />
      <Button type="submit" loading={add.isPending}>Leave out</Button>
      {add.isError && <p role="alert" className={css.error}>{add.error.message}</p>}
    </form>
  );
}

export function PolicyCard({ mayChange }: { mayChange: boolean }) {
  const queries = useQueryClient();
  const policy = useQuery({ queryKey: ['policy'], queryFn: () => read(api.GET('/policy')) });
  const remove = useMutation({
    mutationFn: (id: string) => read(api.DELETE('/policy/exclusions/{id}', { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['policy'] }),
  });
  const exclusions = policy.data?.exclusions ?? [];
  return (
    <section className={ui.card} aria-label="Telemetry policy">
      <div className={css.policyHead}>
        <h2>What hosts leave out</h2>
        <span className="dim">Starts and ends of programs are always told.</span>
      </div>
      {policy.isPending && <Loading what="policy" />}
      {policy.isError && <Failure error={policy.error} retry={() => void policy.refetch()} />}
      {policy.data && exclusions.length === 0 && <p className={css.policyNone}>Nothing is left out.</p>}
      {exclusions.length > 0 && (
        <div className={ui.tableWrap}>
          <table className={ui.table}>
            <thead><tr><th>Kind</th><th>Value</th><th>Note</th><th>By</th><th>Since</th><th><span className={css.hidden}>Actions</span></th></tr></thead>
            <tbody>
              {exclusions.map((row) => (
                <tr key={row.id}>
                  <td>{row.kind}</td><td className="mono">{row.value}</td><td>{row.note}</td><td>{row.author}</td><td><Ago time={row.created} /></td>
                  <td className={ui.right}>
                    {mayChange && (
                      <Tooltip label="Tell it again">
                        <ActionIcon variant="subtle" color="gray" aria-label={`Tell ${row.value} again`} onClick={() => remove.mutate(row.id)}>
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
      )}
      {policy.data && policy.data.read_paths.length > 0 && (
        <details className={css.policyReads}>
          <summary>Reads that rules ask about: {policy.data.read_paths.length}</summary>
          <ul>{policy.data.read_paths.map((path) => <li key={path} className="mono">{path}</li>)}</ul>
          {policy.data.reads_elsewhere.length > 0 && (
            <p className="dim">See only what is told anyway, for they go by more than paths: {policy.data.reads_elsewhere.join(', ')}.</p>
          )}
        </details>
      )}
      {remove.isError && <p role="alert" className={css.error}>{remove.error.message}</p>}
      {mayChange && <AddExclusion />}
    </section>
  );
}
