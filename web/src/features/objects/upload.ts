// Uploads with progress, a few at a time. XMLHttpRequest, because fetch does not tell how much of a body has gone.
import { apiBase, ApiError, csrfHeader, errorOf, type ScanObject } from '@/shared/api/client';

export const objectBytesMax = 100 * 1024 * 1024;

export interface Upload {
  key: number;
  name: string;
  sizeBytes: number;
  progress: number; // 0 to 1
  error?: string;
}

export function upload(file: File, onProgress: (share: number) => void): Promise<ScanObject> {
  if (file.size > objectBytesMax) {
    return Promise.reject(new ApiError(413, 'too_large', `larger than ${objectBytesMax / 1024 / 1024} MiB`));
  }
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `${apiBase}/objects?${new URLSearchParams({ name: file.name || 'unnamed' })}`);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    for (const [key, value] of Object.entries(csrfHeader())) request.setRequestHeader(key, value);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => reject(new ApiError(0, 'unreachable', 'the connection broke'));
    request.onload = () => {
      let body: unknown;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        body = undefined;
      }
      if (request.status === 202) resolve(body as ScanObject);
      else reject(errorOf(request.status, body));
    };
    request.send(file);
  });
}
