import { Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, read } from '@/shared/api/client';
import { testOf } from '@/shared/query_text/query_text';
import { HuntLink } from '@/shared/ui/hunt_link';
import { MapLink } from '@/shared/ui/map_link';
import { Failure, Loading } from '@/shared/ui/states';
import { Ago, bytes } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import css from './hosts.module.css';

const refreshMs = 5_000;

export function HostCard({ id, name, onClose }: { id: string; name: string; onClose: () => void }) {
  const host = useQuery({
    queryKey: ['host', id],
    queryFn: () => read(api.GET('/hosts/{id}', { params: { path: { id } } })),
    refetchInterval: refreshMs,
  });
  const facts = host.data;
  const losses = facts?.recent_losses ?? [];
  return (
    <Modal opened onClose={onClose} title={name} size={720}>
      {host.isPending && <Loading what="host" />}
      {host.isError && <Failure error={host.error} retry={() => void host.refetch()} />}
      {facts && (
        <>
          <dl className={css.facts}>
            <dt>State</dt><dd>{facts.silent ? 'silent' : facts.state}</dd>
            <dt>Last contact</dt><dd><Ago time={facts.last_contact} /></dd>
            <dt>Address</dt><dd className="mono">{facts.ip || '—'}</dd>
            <dt>System</dt><dd>{facts.os || '—'}</dd>
            <dt>Agent</dt><dd className="mono">{facts.agent_version || '—'}, tier {facts.tier || '—'}</dd>
            <dt>Enrolled</dt><dd><Ago time={facts.enrolled} /></dd>
            <dt>Left out</dt><dd>{facts.degradation ?? 'not reported yet'}</dd>
            <dt>Waits on its disk</dt><dd>{facts.spool_bytes === undefined ? '—' : bytes(facts.spool_bytes)}</dd>
            <dt>Policy</dt><dd>{facts.policy.state}, version {facts.policy.version}{facts.policy.error ? `: ${facts.policy.error}` : ''}</dd>
          </dl>
          <p className={css.text}><HuntLink query={`${testOf('host.id', 'id', id)} | since 1h`}>Its events of the last hour</HuntLink> · <MapLink kind="host" id={id}>Map of its last day</MapLink></p>
          <h2>Recent losses</h2>
          {losses.length === 0 && <p className="dim">None since the node started.</p>}
          {losses.length > 0 && (
            <div className={ui.tableWrap}>
              <table className={ui.table} aria-label="Recent losses">
                <thead><tr><th>Until</th><th>Cause</th><th>Kind</th><th className={ui.right}>Events</th><th>Cgroup</th></tr></thead>
                <tbody>
                  {losses.map((loss, row) => (
                    <tr key={row}>
                      <td><Ago time={loss.until} /></td>
                      <td className="mono">{loss.cause}</td>
                      <td>{loss.kind ?? '—'}</td>
                      <td className={`${ui.right} mono`}>{loss.count?.toLocaleString('en') ?? 'unknown'}</td>
                      <td className="mono">{loss.cgroup ?? '—'}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </>
      )}
    </Modal>
  );
}
