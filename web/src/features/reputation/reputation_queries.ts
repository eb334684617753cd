import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ApiError, read, type ReputationEntry } from '@/shared/api/client';
import { reputationKey } from '@/shared/api/reputation';
import { feedBytesMax } from './feed';

const pageSize = 100;

export function useSources() {
  return useQuery({ queryKey: [...reputationKey, 'sources'], queryFn: () => read(api.GET('/reputation/sources')) });
}

export function useEntries(source: string) {
  return useInfiniteQuery({
    queryKey: [...reputationKey, 'entries', source],
    initialPageParam: '',
    queryFn: ({ pageParam }) => read(api.GET('/reputation/entries', {
      params: { query: { limit: pageSize, cursor: pageParam || undefined, source: source || undefined } },
    })),
    getNextPageParam: (page) => page.next_cursor,
  });
}

function useRefresh() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: reputationKey });
}

export function useRemoveEntry() {
  return useMutation({
    mutationFn: (entry: ReputationEntry) => read(api.DELETE('/reputation/entries/{id}', { params: { path: { id: entry.id } } })),
    onSuccess: useRefresh(),
  });
}

export function useRemoveSource() {
  return useMutation({
    mutationFn: (name: string) => read(api.DELETE('/reputation/sources/{name}', { params: { path: { name } } })),
    onSuccess: useRefresh(),
  });
}

export interface Feed {
  source: string;
  reputation: ReputationEntry['reputation'];
  file: File;
}

export function useImport() {
  return useMutation({
    mutationFn: async ({ source, reputation, file }: Feed) => {
      if (file.size > feedBytesMax) throw new ApiError(413, 'too_large', `larger than ${feedBytesMax / 1024 / 1024} MiB`);
      return read(api.POST('/reputation/sources/{name}', {
        params: { path: { name: source }, query: { reputation } },
        headers: { 'Content-Type': 'application/octet-stream' },
        body: file as never,
        bodySerializer: (body) => body,
      }));
    },
    onSuccess: useRefresh(),
  });
}
