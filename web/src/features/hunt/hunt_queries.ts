// Calls of the hunting API.
import { keepPreviousData, useQuery, type QueryClient, type QueryKey } from '@tanstack/react-query';
import { ApiError, api, lines, read, type Diagnostic, type HuntResult } from '@/shared/api/client';

export const rowsMax = 1000;
const bucketsMax = 120;

export function useFields() {
  return useQuery({ queryKey: ['fields'], staleTime: Infinity, queryFn: () => read(api.GET('/fields')) });
}
export type FieldTable = NonNullable<ReturnType<typeof useFields>['data']>;

// `run` counts the presses of Run: the same text run again asks the node again.
export interface HuntRequest {
  query: string;
  run: number;
}

// Rows are there as soon as the node has found them; `ended` says that these are all.
export interface Hunted extends HuntResult {
  query: string;
  ended: boolean;
}

interface Asking {
  client: QueryClient;
  queryKey: QueryKey;
  signal: AbortSignal;
}

async function hunt(query: string, { client, queryKey, signal }: Asking): Promise<Hunted> {
  const body = { query, limit: rowsMax, offset: 0 };
  let hunted: Hunted | undefined;
  for await (const part of lines<HuntResult>('/hunts', body, signal)) {
    hunted = { ...part, query, rows: [...(hunted?.rows ?? []), ...part.rows], ended: part.took_ms !== undefined };
    if (!hunted.ended) client.setQueryData(queryKey, hunted);
  }
  if (!hunted?.ended) throw new ApiError(0, 'unreachable', 'the answer of the node broke off');
  return hunted;
}

export function useHunt({ query, run }: HuntRequest) {
  return useQuery({
    queryKey: ['hunt', query, run],
    staleTime: Infinity,
    gcTime: 0,
    placeholderData: keepPreviousData,
    queryFn: (asking) => hunt(query, asking),
  });
}

// Asked when the rows are there: both would look through the same events at once, and rows come first.
export function useHistogram({ query, run }: HuntRequest, enabled: boolean) {
  return useQuery({
    queryKey: ['histogram', query, run],
    enabled,
    staleTime: Infinity,
    gcTime: 0,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => read(api.POST('/hunts/histogram', { body: { query, buckets: bucketsMax }, signal })),
  });
}

export interface SeenValue {
  value: string | number | null;
  count: number;
}

const seenMs = 60_000;

// The commonest values of a field in the time that the pipes say; a day, if they say none.
export function useSeenValues(field: string, contains: string, pipes: string[], enabled: boolean) {
  const query = pipes.filter((pipe) => /^(since|until)\s/i.test(pipe)).map((pipe) => `| ${pipe}`).join(' ');
  return useQuery({
    queryKey: ['values', field, contains, query],
    enabled: enabled && field !== '',
    staleTime: seenMs,
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<SeenValue[]> =>
      (await read(api.POST('/hunts/values', { body: { field, contains, query }, signal }))).values,
  });
}

// The mistake in a query, or undefined. A node that cannot be reached says nothing about the query.
export async function checkQuery(query: string): Promise<Diagnostic | undefined> {
  try {
    await read(api.POST('/hunts/check', { body: { query } }));
  } catch (error) {
    if (error instanceof ApiError) return error.diagnostic;
  }
  return undefined;
}
