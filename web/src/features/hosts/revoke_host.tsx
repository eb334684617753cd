import { Button, Modal } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, read, type Host } from '@/shared/api/client';
import css from './hosts.module.css';

export function RevokeHost({ host, onClose }: { host: Host; onClose: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => read(api.POST('/hosts/{id}/revoke', { params: { path: { id: host.id } } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['hosts'] });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Revoke ${host.name}?`}>
      <p className={css.text}>
        Its agent is disconnected now and refused from now on. To come back, the host must be enrolled again. The events it
        has sent stay.
      </p>
      {revoke.isError && <p role="alert" className={css.error}>{revoke.error.message}</p>}
      <div className={css.buttons}>
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button color="red.8" loading={revoke.isPending} onClick={() => revoke.mutate()}>Revoke</Button>
      </div>
    </Modal>
  );
}
