// Calls of the rules API.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiError, api, read, type Diagnostic, type Importance } from '@/shared/api/client';
import type { Backtest, RuleList } from './rules';

const refreshMs = 15_000;
const eventsMax = 100;

export function useRules() {
  return useQuery({ queryKey: ['rules'], queryFn: (): Promise<RuleList> => read(api.GET('/rules')), refetchInterval: refreshMs });
}

// A rule that is loaded, or the text of one that may be.
export type Subject = { rule_id: string } | { text: string };

export function useBacktest() {
  return useMutation({
    mutationFn: ({ subject, since }: { subject: Subject; since: string }): Promise<Backtest> =>
      read(api.POST('/rules/backtest', { body: { ...subject, since, limit: eventsMax } })),
  });
}

// Whatever changes a rule shows in the list of rules.
function useChange<T>(change: (input: T) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => Promise.all([
      queries.invalidateQueries({ queryKey: ['rules'] }), queries.invalidateQueries({ queryKey: ['exclusions'] }),
    ]),
  });
}

export function useChangeRule(id: string) {
  return useChange((body: { enabled?: boolean; importance?: Importance | null }) =>
    read(api.PATCH('/rules/{id}', { params: { path: { id } }, body })));
}

export function useReload() {
  return useChange(() => read(api.POST('/rules/reload')));
}

export function useExclusions(ruleId: string) {
  return useQuery({
    queryKey: ['exclusions', ruleId],
    queryFn: () => read(api.GET('/exclusions', { params: { query: { rule_id: ruleId } } })),
  });
}

export interface NewExclusion {
  rule_id?: string;
  name: string;
  condition: string;
  note?: string;
  expires?: string;
}

export function useAddExclusion() {
  return useChange((body: NewExclusion) => read(api.POST('/exclusions', { body })));
}

export function useRemoveExclusion() {
  return useChange((id: string) => read(api.DELETE('/exclusions/{id}', { params: { path: { id } } })));
}

// The mistake in a condition, or undefined. A node that cannot be reached says nothing about it.
export function useConditionMistake(condition: string): Diagnostic | undefined {
  return useQuery({
    queryKey: ['condition', condition],
    enabled: condition.trim() !== '',
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<Diagnostic | null> => {
      try {
        await read(api.POST('/exclusions/check', { body: { condition }, signal }));
      } catch (error) {
        if (error instanceof ApiError) return error.diagnostic ?? null;
      }
      return null;
    },
  }).data ?? undefined;
}
