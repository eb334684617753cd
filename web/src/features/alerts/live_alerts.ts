// Alerts as the node has them: lists, one alert, its changes, and the stream that keeps them current.
import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, apiBase, read, type Alert, type AlertStatus } from '@/shared/api/client';
import { EventStream, type StreamState } from '@/shared/live/event_stream';
import { merged, type AlertFilters, type AlertList } from './ranking';

export const alertsShownMax = 500;
const openFilters: AlertFilters = { status: ['new', 'in_progress'], importance: [], hostId: '' };

// Puts an alert into every list that is held and into its own page.
function take(queries: QueryClient, alert: Alert): void {
  for (const [key, list] of queries.getQueriesData<AlertList>({ queryKey: ['alerts'] })) {
    if (list) queries.setQueryData(key, merged(list, alert, key[1] as AlertFilters));
  }
  queries.setQueryData(['alert', alert.id], (before: Alert | undefined) =>
    before && Date.parse(before.updated) > Date.parse(alert.updated) ? before : alert);
}

export function useLiveAlerts(): StreamState {
  const queries = useQueryClient();
  const [state, setState] = useState<StreamState>('connecting');
  useEffect(() => {
    const open = () => new EventStream({
      url: `${apiBase}/alerts/stream`,
      event: 'alert',
      onMessage: (data) => take(queries, data as Alert),
      onOpen: () => {
        void queries.invalidateQueries({ queryKey: ['alerts'] });
        void queries.invalidateQueries({ queryKey: ['alert'] });
      },
      onState: setState,
    });
    // A tab that nobody looks at gives its connection back: browsers open six to a node, over all tabs.
    let stream: EventStream | undefined;
    const follow = () => {
      stream?.stop();
      stream = document.hidden ? undefined : open();
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      stream?.stop();
    };
  }, [queries]);
  return state;
}

export function useAlerts(filters: AlertFilters) {
  return useQuery({
    queryKey: ['alerts', filters],
    queryFn: (): Promise<AlertList> => read(api.GET('/alerts', {
      params: {
        query: {
          status: filters.status.join(',') || undefined,
          importance: filters.importance.join(',') || undefined,
          host_id: filters.hostId || undefined,
          limit: alertsShownMax,
        },
      },
    })),
  });
}

export function useOpenAlertCount(): number {
  return useAlerts(openFilters).data?.total ?? 0;
}

export function useAlert(id: string) {
  return useQuery({ queryKey: ['alert', id], queryFn: () => read(api.GET('/alerts/{id}', { params: { path: { id } } })) });
}

export interface AlertChange {
  id: string;
  status?: AlertStatus;
  assignee?: string;
  comment?: string;
}

export function useChangeAlert() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: AlertChange) => read(api.PATCH('/alerts/{id}', { params: { path: { id } }, body })),
    onSuccess: (alert) => take(queries, alert),
  });
}
