import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '@/shared/api/client';

const retriesMax = 2;

// What the node refused it will refuse again; what did not reach it is tried once more.
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => count < retriesMax && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
});
