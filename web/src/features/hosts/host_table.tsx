import { ActionIcon, Tooltip } from '@mantine/core';
import { IconBan } from '@tabler/icons-react';
import type { Host } from '@/shared/api/client';
import { testOf } from '@/shared/query_text/query_text';
import { HuntLink } from '@/shared/ui/hunt_link';
import { Badge, type Tone } from '@/shared/ui/importance';
import { Ago, bytes } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import css from './hosts.module.css';

const states: Record<Host['state'], { tone: Tone; name: string }> = {
  connected: { tone: 'good', name: 'Connected' },
  disconnected: { tone: 'medium', name: 'Disconnected' },
  revoked: { tone: 'neutral', name: 'Revoked' },
};

const tiers: Record<string, string> = {
  lsm: 'LSM and fentry programs: sees and can prevent',
  tracepoint: 'Tracepoints: sees; the kernel does not allow more',
};

function State({ state }: { state: Host['state'] }) {
  const { tone, name } = states[state] ?? states.disconnected;
  return <Badge tone={tone}>{name}</Badge>;
}

function Losses({ host }: { host: Host }) {
  if (host.events_lost === 0) return <span data-testid="losses">0</span>;
  return (
    <HuntLink query={`event.type = "loss" AND ${testOf('host.id', 'id', host.id)}`} className={css.losses}>
      <span data-testid="losses">{host.events_lost.toLocaleString('en')}</span>
    </HuntLink>
  );
}

const policyStates: Record<Host['policy']['state'], { tone: Tone; name: string; means: string }> = {
  applied: { tone: 'good', name: 'Applied', means: 'The agent applies the present policy' },
  pending: { tone: 'medium', name: 'Pending', means: 'The agent has an older policy' },
  refused: { tone: 'high', name: 'Refused', means: 'The agent cannot apply the policy' },
  unknown: { tone: 'neutral', name: 'Unknown', means: 'The agent has not said which it applies' },
};

function Policy({ host }: { host: Host }) {
  const { tone, name, means } = policyStates[host.policy.state] ?? policyStates.unknown;
  return (
    <Tooltip label={host.policy.error ?? `${means} (version ${host.policy.version})`}>
      <span data-testid="policy"><Badge tone={tone}>{name}</Badge></span>
    </Tooltip>
  );
}

const leftOut: Record<string, string> = {
  hashing_off: 'Programs that were not hashed before go without a hash',
  reads_off: 'No hashes; opens for reading are not told',
  bulk_limited: 'No hashes, no reads; of file and network events at most 4,000 a second and cgroup',
  bulk_scarce: 'No hashes, no reads; of file and network events at most 400 a second and cgroup',
};

function Budget({ host }: { host: Host }) {
  if (host.cpu_permille === undefined) return <span className="dim">—</span>;
  const share = `${(host.cpu_permille / 10).toLocaleString('en', { maximumFractionDigits: 1 })} %`;
  if (!host.degradation || host.degradation === 'none') return <span>{share}</span>;
  return (
    <Tooltip label={leftOut[host.degradation] ?? host.degradation}>
      <span data-testid="degradation">{share} <Badge tone="medium">{host.degradation}</Badge></span>
    </Tooltip>
  );
}

function HostRow({ host, onOpen, onRevoke }: { host: Host; onOpen: (host: Host) => void; onRevoke?: (host: Host) => void }) {
  return (
    <tr data-host={host.id}>
      <td>
        <button type="button" className={css.name} onClick={() => onOpen(host)}>{host.name}</button>
        <div className={css.sub}>{host.os || 'not reported yet'}</div>
      </td>
      <td>{host.silent ? <Badge tone="high">Silent</Badge> : <State state={host.state} />}</td>
      <td className="mono">{host.ip || <span className="dim">—</span>}</td>
      <td><Ago time={host.last_contact} /></td>
      <td className={`${ui.right} mono`}>{host.event_rate.toLocaleString('en', { maximumFractionDigits: 1 })}/s</td>
      <td className={`${ui.right} mono`}>{host.events.toLocaleString('en')}</td>
      <td className={`${ui.right} mono`}><Losses host={host} /></td>
      <td className={`${ui.right} mono`}><Budget host={host} /></td>
      <td><Policy host={host} /></td>
      <td className={`${ui.right} mono`}>{host.memory_bytes > 0 ? bytes(host.memory_bytes) : <span className="dim">—</span>}</td>
      <td className="mono">{host.agent_version || <span className="dim">—</span>}</td>
      <td>{host.tier ? <Tooltip label={tiers[host.tier] ?? host.tier}><span>{host.tier}</span></Tooltip> : <span className="dim">—</span>}</td>
      <td className={ui.right}>
        {onRevoke && host.state !== 'revoked' && (
          <Tooltip label="Revoke its certificate">
            <ActionIcon variant="subtle" color="gray" aria-label={`Revoke ${host.name}`} onClick={() => onRevoke(host)}>
              <IconBan size={15} color="var(--mantine-color-dimmed)" />
            </ActionIcon>
          </Tooltip>
        )}
      </td>
    </tr>
  );
}

export function HostTable({ hosts, onOpen, onRevoke }: { hosts: Host[]; onOpen: (host: Host) => void; onRevoke?: (host: Host) => void }) {
  return (
    <div className={ui.tableWrap}>
      <table className={ui.table}>
        <thead>
          <tr>
            <th>Host</th><th>State</th><th>Address</th><th>Last contact</th><th className={ui.right}>Event rate</th>
            <th className={ui.right}>Events</th><th className={ui.right}>Losses</th><th className={ui.right}>Agent CPU</th>
            <th>Policy</th><th className={ui.right}>Agent memory</th>
            <th>Agent</th><th>Tier</th><th><span className={css.hidden}>Actions</span></th>
          </tr>
        </thead>
        <tbody>{hosts.map((host) => <HostRow key={host.id} host={host} onOpen={onOpen} onRevoke={onRevoke} />)}</tbody>
      </table>
    </div>
  );
}
