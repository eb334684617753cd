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

// Lines of JSON as they come; the last may be an error.
export async function* lines<T>(path: keyof paths, body: unknown, signal: AbortSignal): AsyncGenerator<T> {
  const response = await fetch(apiBase + path, {
    method: 'POST', signal, credentials: 'same-origin', body: JSON.stringify(body),
    headers: { ...csrfHeader(), 'Content-Type': 'application/json', Accept: 'application/jsonl' },
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw unreachable();
  });
  if (response.status === 401) shared.ended();
  if (!response.ok) throw errorOf(response.status, await response.json().catch(() => undefined));
  for await (const line of splitLines(response.body!.pipeThrough(new TextDecoderStream()))) {
    const value: unknown = JSON.parse(line);
    if ((value as { error?: unknown }).error) throw errorOf(response.status, value);
    yield value as T;
  }
}

// Without the end of each; what follows the last one is cut off.
export async function* splitLines(texts: ReadableStream<string>): AsyncGenerator<string> {
  const reader = texts.getReader();
  let rest = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const ended = (rest + part.value).split('\n');
    rest = ended.pop()!;
    yield* ended;
  }
}

function unreachable(): ApiError {
  return new ApiError(0, 'unreachable', 'the node cannot be reached');
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
    throw unreachable();
  }
  if (!reply.response.ok) throw errorOf(reply.response.status, reply.error);
  return reply.data as T;
}
