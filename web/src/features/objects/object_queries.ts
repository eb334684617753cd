// Objects as the node has them, kept current while some are being judged.
import { useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, read, type ScanObject } from '@/shared/api/client';
import { filterParams, type ObjectFilters } from './filters';

const pageSize = 100;
const waitMs = 20_000;

interface Page {
  objects: ScanObject[];
  next_cursor?: string;
}

export function useObjects(filters: ObjectFilters) {
  const query = filterParams(filters) as { verdict?: ScanObject['verdict'] };
  return useInfiniteQuery({
    queryKey: ['objects', filterParams(filters)],
    initialPageParam: '',
    queryFn: ({ pageParam }): Promise<Page> => read(api.GET('/objects', { params: { query: { ...query, limit: pageSize, cursor: pageParam || undefined } } })),
    getNextPageParam: (page: Page) => page.next_cursor,
  });
}

// Puts a fresh state of an object into a list; a new one comes first in the one of all, while filters are the node's affair.
export function withObject(pages: Page[], object: ScanObject, list: 'all' | 'narrowed'): Page[] {
  const known = pages.some((page) => page.objects.some((one) => one.id === object.id));
  if (known) return pages.map((page) => ({ ...page, objects: page.objects.map((one) => (one.id === object.id ? object : one)) }));
  if (list === 'narrowed') return pages;
  const [first = { objects: [] }, ...rest] = pages;
  return [{ ...first, objects: [object, ...first.objects] }, ...rest];
}

export function useTakeObject() {
  const queries = useQueryClient();
  return (object: ScanObject) => {
    for (const [key, data] of queries.getQueriesData<InfiniteData<Page, string>>({ queryKey: ['objects'] })) {
      const list = Object.keys(key[1] ?? {}).length === 0 ? 'all' : 'narrowed';
      if (data) queries.setQueryData(key, { ...data, pages: withObject(data.pages, object, list) });
    }
    queries.setQueryData(['object', object.id], object);
  };
}

// Browsers open six connections to a node; a waiting call holds one, the stream of alerts another.
const waitingAtOnceMax = 2;

// The objects to wait for: those that came first are judged first.
export function waitedFor(objects: ScanObject[]): Set<string> {
  return new Set(objects.filter((one) => one.verdict === 'processing').slice(-waitingAtOnceMax).map((one) => one.id));
}

// Waits at the node for the verdict of an object that is being judged.
export function useVerdict(object: ScanObject, wait: 'wait' | 'later') {
  const take = useTakeObject();
  const waiting = useQuery({
    queryKey: ['verdict', object.id],
    enabled: wait === 'wait' && object.verdict === 'processing',
    queryFn: ({ signal }) => read(api.GET('/objects/{id}', { params: { path: { id: object.id }, query: { wait_ms: waitMs } }, signal })),
    refetchInterval: (query) => (query.state.data && query.state.data.verdict !== 'processing' ? false : 500),
    gcTime: 0,
  });
  const fresh = waiting.data;
  useEffect(() => {
    if (fresh && fresh.verdict !== object.verdict) take(fresh);
  });
}
