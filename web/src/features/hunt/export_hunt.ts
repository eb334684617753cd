// All that a hunt finds as a file: asked of the node, received with its progress, handed to the browser to save.
import { apiBase, ApiError, csrfHeader, errorOf } from '@/shared/api/client';
import { isAggregate, withPipe } from '@/shared/query_text/query_text';
import { save } from '@/shared/ui/save';

export type ExportFormat = 'csv' | 'jsonl' | 'parquet';

export interface ExportRequest {
  query: string;
  columns: string[];
  format: ExportFormat;
}

// 0 to 1; undefined while the node still writes the file.
export type OnProgress = (part: number | undefined) => void;

// The query with the columns that are shown; figures have columns of their own.
export function exportQuery(query: string, columns: string[]): string {
  return isAggregate(query) || columns.length === 0 ? query : withPipe(query, 'fields', columns.join(', '));
}

export function fileNameOf(disposition: string | null, format: ExportFormat): string {
  return /filename="([\w.-]+)"/.exec(disposition ?? '')?.[1] ?? `redoubt.${format}`;
}

async function received(response: Response, onProgress: OnProgress): Promise<Blob> {
  const size = Number(response.headers.get('Content-Length') ?? 0);
  const type = response.headers.get('Content-Type') ?? 'application/octet-stream';
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let taken = 0;
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    taken += value.length;
    onProgress(size > 0 ? Math.min(1, taken / size) : undefined);
  }
  if (taken < size) throw new ApiError(0, 'incomplete', 'the connection ended before the file was whole');
  return new Blob(pieces, { type });
}

export interface SavedExport {
  name: string;
  rows: number;
  partialWhy?: string;
}

// Aborting ends the work of the node too.
export async function exportHunt(request: ExportRequest, onProgress: OnProgress, signal: AbortSignal): Promise<SavedExport> {
  let response: Response;
  try {
    response = await fetch(`${apiBase}/hunts/export`, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json', ...csrfHeader() },
      body: JSON.stringify({ query: exportQuery(request.query, request.columns), format: request.format }),
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, 'unreachable', 'the node cannot be reached');
  }
  if (!response.ok) throw errorOf(response.status, await response.json().catch(() => undefined));
  const name = fileNameOf(response.headers.get('Content-Disposition'), request.format);
  const rows = Number(response.headers.get('Redoubt-Rows') ?? 0);
  const partialWhy = response.headers.get('Redoubt-Partial') ?? undefined;
  save(await received(response, onProgress), name);
  return { name, rows, partialWhy };
}
