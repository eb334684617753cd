import { describe, expect, it } from 'vitest';
import { filterParams, filtersOf, isNarrowed, searchOf } from './filters';

describe('filters of objects', () => {
  it('are what the address says, and go back into it', () => {
    const filters = filtersOf(new URLSearchParams({ name: 'a&b.exe', sha256: ' 9F86 ', verdict: 'not detected' }));
    expect(filters).toEqual({ name: 'a&b.exe', sha256: '9f86', submitted_by: '', verdict: 'not detected' });
    expect(filtersOf(new URLSearchParams(searchOf(filters)))).toEqual(filters);
    expect(filterParams(filters)).toEqual({ name: 'a&b.exe', sha256: '9f86', verdict: 'not detected' });
  });
  it('leave out a verdict that there is not', () => {
    const filters = filtersOf(new URLSearchParams({ verdict: 'clean' }));
    expect(isNarrowed(filters)).toBe(false);
    expect(searchOf(filters)).toBe('');
  });
});
