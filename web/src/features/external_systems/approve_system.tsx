// Approval: the one moment at which a person vouches for a certificate, so it is shown to be compared.
import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, read, type ExternalSystem } from '@/shared/api/client';
import { compare, grouped } from './fingerprint';
import css from './external_systems.module.css';

const verdicts = { nothing: undefined, same: 'It is the same.', other: undefined };

export function ApproveSystem({ system, onClose }: { system: ExternalSystem; onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState(system.name);
  const [pasted, setPasted] = useState('');
  const comparison = compare(system.fingerprint, pasted);
  const approve = useMutation({
    mutationFn: () => read(api.POST('/external-systems/{id}/approve', { params: { path: { id: system.id } }, body: { name } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['external-systems'] });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    approve.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="Approve this system?" size="lg">
      <form onSubmit={submit}>
        <p className={css.text}>
          {system.system_id} at {system.address} will submit objects and read what was detected. Compare the SHA-256 fingerprint of its
          certificate with the one that the system itself shows.
        </p>
        <p className={`${css.large} mono`} data-testid="fingerprint">{grouped(system.fingerprint)}</p>
        <TextInput className={css.field} label="Fingerprint that the system shows" placeholder="Paste it to compare" value={pasted}
          onChange={(event) => setPasted(event.currentTarget.value)} description={verdicts[comparison]}
          error={comparison === 'other' ? 'It is another one: this is not the certificate of that system.' : undefined} />
        <TextInput className={css.field} label="Name" placeholder="mail gateway" maxLength={128} value={name}
          onChange={(event) => setName(event.currentTarget.value)} />
        {approve.isError && <p role="alert" className={css.error}>{approve.error.message}</p>}
        <div className={css.buttons}>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={approve.isPending} disabled={comparison === 'other'}>Approve</Button>
        </div>
      </form>
    </Modal>
  );
}
