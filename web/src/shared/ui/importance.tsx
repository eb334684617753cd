import { techniqueName, useAttack } from '@/shared/api/attack';
import type { AlertStatus, Importance } from '@/shared/api/client';
import ui from './ui.module.css';

// Most important first.
export const importances: Importance[] = ['critical', 'high', 'medium', 'low', 'informational'];

export const importanceNames: Record<Importance, string> = {
  critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low', informational: 'Info',
};

export const statusNames: Record<AlertStatus, string> = { new: 'New', in_progress: 'In progress', closed: 'Closed' };

type Tone = 'critical' | 'high' | 'medium' | 'low' | 'neutral' | 'good' | 'fresh';
export type { Tone };

export function Badge({ tone, children, pulse }: { tone: Tone; children: React.ReactNode; pulse?: boolean }) {
  return (
    <span className={`${ui.badge} ${ui[tone]}`}>
      <span className={`${ui.dot} ${pulse ? ui.pulse : ''}`} aria-hidden />
      {children}
    </span>
  );
}

export function toneOf(importance: Importance): Tone {
  return importance === 'informational' ? 'neutral' : importance;
}

export function ImportanceBadge({ importance }: { importance: Importance }) {
  return <Badge tone={toneOf(importance)}>{importanceNames[importance] ?? importance}</Badge>;
}

export function StatusBadge({ status }: { status: AlertStatus }) {
  const tone: Tone = status === 'new' ? 'fresh' : status === 'in_progress' ? 'low' : 'neutral';
  return <Badge tone={tone}>{statusNames[status] ?? status}</Badge>;
}

// An ATT&CK id links to its page only where it looks like one: rules are written by anybody.
export function Technique({ id }: { id: string }) {
  const name = techniqueName(useAttack(), id) || undefined;
  const match = /^T(\d{4})(?:\.(\d{3}))?$/.exec(id);
  if (!match) return <span className={ui.technique} title={name}>{id}</span>;
  const path = match[2] ? `T${match[1]}/${match[2]}` : `T${match[1]}`;
  return (
    <a className={ui.technique} href={`https://attack.mitre.org/techniques/${path}/`} target="_blank" rel="noreferrer" title={name}>
      {id}
    </a>
  );
}
