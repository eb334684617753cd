import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconPlugConnected } from '@tabler/icons-react';
import { useState } from 'react';
import { api, read, type ExternalSystem } from '@/shared/api/client';
import { useIsAdministrator } from '@/shared/api/session';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { ApproveSystem } from './approve_system';
import { SystemTable, type Actions } from './system_table';
import css from './external_systems.module.css';

const refreshMs = 5_000;

// Rejecting and forgetting let nobody in and can be undone: they are not asked about.
function useDecisions() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['external-systems'] });
  const path = (system: ExternalSystem) => ({ params: { path: { id: system.id } } });
  const reject = useMutation({
    mutationFn: (system: ExternalSystem) => read(api.POST('/external-systems/{id}/reject', { ...path(system), body: {} })),
    onSuccess,
  });
  const remove = useMutation({
    mutationFn: (system: ExternalSystem) => read(api.DELETE('/external-systems/{id}', path(system))),
    onSuccess,
  });
  return { reject: reject.mutate, remove: remove.mutate, error: reject.error ?? remove.error };
}

export function ExternalSystemsPage() {
  const systems = useQuery({ queryKey: ['external-systems'], queryFn: () => read(api.GET('/external-systems')), refetchInterval: refreshMs });
  const mayDecide = useIsAdministrator();
  const [approving, setApproving] = useState<ExternalSystem>();
  const { reject, remove, error } = useDecisions();
  const list = systems.data?.external_systems ?? [];
  const waiting = list.filter((one) => one.state === 'pending').length;
  const actions: Actions | undefined = mayDecide ? { approve: setApproving, reject: (one) => reject(one), remove: (one) => remove(one) } : undefined;
  return (
    <div className={ui.page}>
      <div className={ui.pageHead}>
        <h1>External systems</h1>
        {systems.data && <span className="dim">{waiting === 0 ? 'none waits' : `${waiting} of ${list.length} wait for approval`}</span>}
      </div>
      <section className={ui.card} aria-label="External systems">
        {systems.isPending && <Loading what="external systems" />}
        {systems.isError && <Failure error={systems.error} retry={() => void systems.refetch()} />}
        {systems.data && list.length === 0 && (
          <Empty title="No external system yet" icon={<IconPlugConnected size={30} stroke={1.4} aria-hidden />}>
            A mail gateway, proxy or folder scanner appears here when it first connects to the scanner port with its certificate.
          </Empty>
        )}
        {list.length > 0 && !systems.isError && <SystemTable systems={list} actions={actions} />}
      </section>
      {error && <p role="alert" className={css.error}>{error.message}</p>}
      {approving && <ApproveSystem system={approving} onClose={() => setApproving(undefined)} />}
    </div>
  );
}
