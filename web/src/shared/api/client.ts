// The typed client of the node's API. Every feature calls the node through `api` and `read`; a failed call is an
// ApiError with the node's message and, for a query or rule, its diagnostic.
import createClient from 'openapi-fetch';
import type { components, paths } from './generated';

export type Schema = components['schemas'];
export type Alert = Schema['Alert'];
export type AlertStatus = Schema['AlertStatus'];
export type Importance = Schema['Importance'];
export type Diagnostic = Schema['Diagnostic'];
export type ExternalSystem = Schema['ExternalSystem'];
export type Host = Schema['Host'];
export type HuntResult = Schema['HuntResult'];
export type ProcessNode = Schema['ProcessNode'];
export type ProcessTree = Schema['ProcessTree'];
export type ReputationEntry = Schema['ReputationEntry'];
export type ScanObject = Schema['Object'];
export type Session = Schema['Session'];

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly diagnostic?: Diagnostic,
  ) {
    super(message);
  }
}

export const apiBase = '/api/v1';

// What the whole client shares: the CSRF token of the session, and who wants to know that the session ended.
const shared = { csrf: '', ended: () => {} };

export function setCsrf(token: string): void {
  shared.csrf = token;
}

export function csrfHeader(): Record<string, string> {
  return shared.csrf ? { 'X-CSRF-Token': shared.csrf } : {};
}

export function onSessionEnded(callback: () => void): void {
  shared.ended = callback;
}

export const api = createClient<paths>({ baseUrl: apiBase, credentials: 'same-origin' });

api.use({
  onRequest({ request }) {
    if (request.method !== 'GET') for (const [key, value] of Object.entries(csrfHeader())) request.headers.set(key, value);
    return request;
  },
  onResponse({ request, response }) {
    const isLogin = request.method === 'POST' && request.url.endsWith('/session');
    if (response.status === 401 && !isLogin) shared.ended();
  },
});

// Makes an ApiError of whatever body came with a failure; a proxy may answer something that is not ours.
export function errorOf(status: number, body: unknown): ApiError {
  const inner = (body as { error?: { code?: string; message?: string; diagnostic?: Diagnostic } } | undefined)?.error;
  if (inner?.message) return new ApiError(status, inner.code ?? 'unknown', inner.message, inner.diagnostic);
  return new ApiError(status, 'unknown', `the node answered with status ${status}`);
}

interface Reply<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

// The body of a successful call; throws an ApiError otherwise.
export async function read<T>(call: Promise<Reply<T>>): Promise<T> {
  let reply: Reply<T>;
  try {
    reply = await call;
  } catch {
    throw new ApiError(0, 'unreachable', 'the node cannot be reached');
  }
  if (!reply.response.ok) throw errorOf(reply.response.status, reply.error);
  return reply.data as T;
}
