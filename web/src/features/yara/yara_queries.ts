// Calls of the node's API about YARA rules.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, read, type Importance } from '@/shared/api/client';
import type { Trial } from './yara';

const yaraKey = ['yara'];
const refreshMs = 15_000;

export function useYaraRules() {
  return useQuery({ queryKey: yaraKey, queryFn: () => read(api.GET('/yara/rules')), refetchInterval: refreshMs });
}

function useRefresh() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: yaraKey });
}

export interface Change {
  enabled?: boolean;
  importance?: Importance | 'own';
}

export function useChangeYaraRule(name: string) {
  return useMutation({
    mutationFn: (body: Change) => read(api.PATCH('/yara/rules/{name}', { params: { path: { name } }, body })),
    onSuccess: useRefresh(),
  });
}

// Reads the rule files anew, and with them the signatures of ClamAV.
export function useReloadEngines() {
  return useMutation({ mutationFn: () => read(api.POST('/rules/reload')), onSuccess: useRefresh() });
}

export function useTrial() {
  return useMutation({ mutationFn: (body: { text: string; objects: number }): Promise<Trial> => read(api.POST('/yara/trial', { body })) });
}
