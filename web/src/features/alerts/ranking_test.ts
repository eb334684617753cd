import { describe, expect, test } from 'vitest';
import type { Alert } from '@/shared/api/client';
import { containsText, merged, type AlertFilters } from './ranking';

function alert(id: string, more: Partial<Alert> = {}): Alert {
  return {
    id, created: '2026-01-01T00:00:00Z', updated: '2026-01-01T00:00:00Z', title: `alert ${id}`, message: '', importance: 'medium', status: 'new',
    assignee: '', source: 'rule', techniques: ['T1059'], tactics: [], host: { id: 'h1', name: 'web-1' }, user: 'root', detections: 1,
    rule: { id: 'r', title: 'r', description: '', format: 'sigma', author: '', references: [], false_positives: [] },
    first_event: '2026-01-01T00:00:00Z', last_event: '2026-01-01T00:00:00Z', event: {}, comments: [], ...more,
  };
}
const open: AlertFilters = { status: ['new', 'in_progress'], importance: [], hostId: '' };
const ids = (list: { alerts: Alert[] }) => list.alerts.map((one) => one.id);

describe('merged', () => {
  const list = { alerts: [alert('1', { importance: 'high' }), alert('2')], total: 2 };

  test('ranks by importance, then by latest change', () => {
    const next = merged(list, alert('3', { updated: '2026-01-02T00:00:00Z' }), open);
    expect(ids(next)).toEqual(['1', '3', '2']);
    expect(next.total).toBe(3);
    expect(ids(merged(next, alert('4', { importance: 'critical' }), open))).toEqual(['4', '1', '3', '2']);
  });
  test('replaces an alert and takes it away when it no longer matches', () => {
    const next = merged(list, alert('2', { detections: 5, updated: '2026-01-03T00:00:00Z' }), open);
    expect(next.total).toBe(2);
    expect(next.alerts[1]!.detections).toBe(5);
    const closed = merged(next, alert('2', { status: 'closed', updated: '2026-01-04T00:00:00Z' }), open);
    expect(ids(closed)).toEqual(['1']);
    expect(closed.total).toBe(1);
  });
  test('ignores an older state', () => {
    expect(merged(list, alert('1', { updated: '2025-01-01T00:00:00Z', status: 'closed' }), open)).toBe(list);
  });
  test('honours every filter', () => {
    expect(merged(list, alert('9', { host: { id: 'h2', name: 'db' } }), { ...open, hostId: 'h1' }).total).toBe(2);
    expect(merged(list, alert('9', { importance: 'low' }), { ...open, importance: ['high'] }).total).toBe(2);
  });
});

describe('containsText', () => {
  test('looks at title, host, user, process and technique', () => {
    expect(containsText(alert('1'), ' WEB ')).toBe(true);
    expect(containsText(alert('1'), 't1059')).toBe(true);
    expect(containsText(alert('1'), 'mail')).toBe(false);
  });
});
