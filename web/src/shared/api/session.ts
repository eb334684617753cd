// Who is logged in. The session lives in an HttpOnly cookie; here is only what the node tells about it.
import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { ApiError, api, read, setCsrf, type Session } from './client';

export const sessionKey = ['session'];

export function useSession() {
  return useQuery({
    queryKey: sessionKey,
    staleTime: Infinity,
    queryFn: async (): Promise<Session | null> => {
      try {
        const session = await read(api.GET('/session'));
        setCsrf(session.csrf);
        return session;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
  });
}

// What one account has read is not for the next one.
function forget(queries: QueryClient): void {
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionKey[0] });
}

export function useLogIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: { user: string; password: string }) => read(api.POST('/session', { body })),
    onSuccess: (session) => {
      setCsrf(session.csrf);
      forget(queries);
      queries.setQueryData(sessionKey, session);
    },
  });
}

export function useLogOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => read(api.DELETE('/session')),
    onSettled: () => {
      setCsrf('');
      queries.setQueryData(sessionKey, null);
      forget(queries);
    },
  });
}

// An auditor sees everything and changes nothing.
export function useMayChange(): boolean {
  const { data } = useSession();
  return !!data && data.role !== 'auditor';
}

export function useIsAdministrator(): boolean {
  return useSession().data?.role === 'administrator';
}
