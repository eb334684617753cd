// What is known of a value, and saying it oneself.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, read, type ReputationEntry } from './client';

export const reputationKey = ['reputation'];

export interface NewEntry {
  value: string;
  reputation: ReputationEntry['reputation'];
  note: string;
}

export function useReputation(value: string) {
  return useQuery({
    queryKey: [...reputationKey, 'value', value],
    enabled: value !== '',
    queryFn: () => read(api.GET('/reputation', { params: { query: { value } } })),
  });
}

// Objects that were judged are judged again by what is known now.
export function useAddEntry() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: NewEntry) => read(api.POST('/reputation/entries', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: reputationKey }),
  });
}
