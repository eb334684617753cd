// One object with its report, kept current while it is being judged. `settledBy`: a time until which a new word of the
// engines is looked for, after a rescan was asked for.
import { useQuery } from '@tanstack/react-query';
import { api, read } from '@/shared/api/client';

const judgingMs = 1_000;
const rescanMs = 2_000;

export function useObject(id: string, settledBy = 0) {
  return useQuery({
    queryKey: ['object', id],
    queryFn: () => read(api.GET('/objects/{id}', { params: { path: { id } } })),
    refetchInterval: (query) => {
      if (query.state.data?.verdict === 'processing') return judgingMs;
      return Date.now() < settledBy ? rescanMs : false;
    },
  });
}
