// Which objects are listed. Filters stand in the address, so that a view can be shared.
import type { ScanObject } from '@/shared/api/client';

export interface ObjectFilters {
  name: string;
  sha256: string;
  submitted_by: string;
  verdict: ScanObject['verdict'] | '';
}

export const verdictChoices: { value: ScanObject['verdict']; label: string }[] = [
  { value: 'detect', label: 'Detected' },
  { value: 'not detected', label: 'Not detected' },
  { value: 'error', label: 'Error' },
  { value: 'timeout', label: 'Timeout' },
  { value: 'processing', label: 'Processing' },
];

export function filtersOf(params: URLSearchParams): ObjectFilters {
  const verdict = params.get('verdict');
  return {
    name: params.get('name') ?? '',
    sha256: (params.get('sha256') ?? '').trim().toLowerCase(),
    submitted_by: params.get('submitted_by') ?? '',
    verdict: verdictChoices.find((one) => one.value === verdict)?.value ?? '',
  };
}

// The filters as the address and the node take them; what does not narrow is left out.
export function filterParams(filters: ObjectFilters): Partial<Record<keyof ObjectFilters, string>> {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== ''));
}

export function isNarrowed(filters: ObjectFilters): boolean {
  return Object.values(filters).some((value) => value !== '');
}

export function searchOf(filters: ObjectFilters): string {
  const text = new URLSearchParams(filterParams(filters)).toString();
  return text && `?${text}`;
}
