import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import type { ExternalSystem } from '@/shared/api/client';
import { Badge, type Tone } from '@/shared/ui/importance';
import { Ago } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { grouped } from './fingerprint';
import css from './external_systems.module.css';

const states: Record<ExternalSystem['state'], { tone: Tone; name: string }> = {
  pending: { tone: 'medium', name: 'Waits' },
  approved: { tone: 'good', name: 'Approved' },
  rejected: { tone: 'neutral', name: 'Rejected' },
};

export interface Actions {
  approve: (system: ExternalSystem) => void;
  reject: (system: ExternalSystem) => void;
  remove: (system: ExternalSystem) => void;
}

function SystemRow({ system, known, actions }: { system: ExternalSystem; known: boolean; actions: Actions | undefined }) {
  const { tone, name } = states[system.state] ?? states.pending;
  return (
    <tr data-system={system.id}>
      <td>
        <div className={css.name}>{system.name || system.system_id}</div>
        {system.name && <div className={`${css.sub} mono`}>{system.system_id}</div>}
        {system.state === 'pending' && known && <div className={css.warning}>Shows another certificate than the approved one</div>}
      </td>
      <td><Badge tone={tone}>{name}</Badge></td>
      <td className={`${css.fingerprint} mono`}>{grouped(system.fingerprint)}</td>
      <td className="mono">{system.address}</td>
      <td><Ago time={system.first_seen} /></td>
      <td><Ago time={system.last_seen} /></td>
      <td>{system.decided_by ?? <span className="dim">—</span>}</td>
      <td>
        {actions && (
          <div className={css.actions}>
            {system.state !== 'approved' && <Button size="compact-sm" aria-label={`Approve ${system.system_id}`} onClick={() => actions.approve(system)}>Approve</Button>}
            {system.state !== 'rejected' && <Button size="compact-sm" variant="default" aria-label={`Reject ${system.system_id}`} onClick={() => actions.reject(system)}>Reject</Button>}
            <Tooltip label="Forget this certificate">
              <ActionIcon variant="subtle" color="gray" aria-label={`Forget ${system.system_id}`} onClick={() => actions.remove(system)}>
                <IconTrash size={15} color="var(--mantine-color-dimmed)" />
              </ActionIcon>
            </Tooltip>
          </div>
        )}
      </td>
    </tr>
  );
}

export function SystemTable({ systems, actions }: { systems: ExternalSystem[]; actions: Actions | undefined }) {
  const approved = new Set(systems.filter((one) => one.state === 'approved').map((one) => one.system_id));
  return (
    <div className={ui.tableWrap}>
      <table className={ui.table}>
        <thead>
          <tr>
            <th>System</th><th>State</th><th>Certificate (SHA-256)</th><th>Address</th><th>First seen</th><th>Last seen</th><th>Decided by</th>
            <th><span className={css.hidden}>Actions</span></th>
          </tr>
        </thead>
        <tbody>
          {systems.map((one) => <SystemRow key={one.id} system={one} known={approved.has(one.system_id)} actions={actions} />)}
        </tbody>
      </table>
    </div>
  );
}
