// Calls of the rules API.
import { useMutation, useQuery } from '@tanstack/react-query';
import { api, read } from '@/shared/api/client';
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
