// Which alerts a list shows and in which order; the same order as the node's.
import type { Alert, AlertStatus, Importance } from '@/shared/api/client';

export interface AlertFilters {
  status: AlertStatus[]; // none: every one
  importance: Importance[];
  hostId: string;
}

export interface AlertList {
  alerts: Alert[];
  total: number;
}

const rank: Record<Importance, number> = { critical: 4, high: 3, medium: 2, low: 1, informational: 0 };

export function byRank(a: Alert, b: Alert): number {
  return (rank[b.importance] - rank[a.importance]) || (Date.parse(b.updated) - Date.parse(a.updated)) || a.id.localeCompare(b.id);
}

export function matches(alert: Alert, filters: AlertFilters): boolean {
  return (filters.status.length === 0 || filters.status.includes(alert.status))
    && (filters.importance.length === 0 || filters.importance.includes(alert.importance))
    && (filters.hostId === '' || filters.hostId === alert.host.id);
}

// The list with an alert that has just come or changed. An older state that arrives late changes nothing.
export function merged(list: AlertList, alert: Alert, filters: AlertFilters): AlertList {
  const before = list.alerts.find((one) => one.id === alert.id);
  if (before && Date.parse(before.updated) > Date.parse(alert.updated)) return list;
  const others = list.alerts.filter((one) => one.id !== alert.id);
  const shows = matches(alert, filters);
  const total = list.total + (shows ? 1 : 0) - (before ? 1 : 0);
  return { total, alerts: shows ? [...others, alert].sort(byRank) : others };
}

// Free text over what a row shows.
export function containsText(alert: Alert, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return true;
  return [alert.title, alert.host.name, alert.user, alert.process?.executable, alert.process?.command_line, alert.object?.name,
    alert.assignee, ...alert.techniques].some((value) => value?.toLowerCase().includes(wanted));
}
