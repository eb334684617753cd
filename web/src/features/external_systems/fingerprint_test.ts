import { describe, expect, it } from 'vitest';
import { compare, grouped } from './fingerprint';

const ours = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

describe('fingerprints', () => {
  it('are shown in groups', () => {
    expect(grouped(ours)).toMatch(/^9f86 d081 .* 0a08$/);
    expect(grouped('')).toBe('');
  });

  it('are the same in every writing', () => {
    const colons = ours.toUpperCase().match(/../g)!.join(':');
    for (const pasted of [ours, colons, grouped(ours), `sha256 Fingerprint=${colons}\n`, `SHA-256: ${ours}`]) expect(compare(ours, pasted)).toBe('same');
    expect(compare(ours, ours.replace('9f', '8f'))).toBe('other');
    expect(compare(ours, ours.slice(0, 40))).toBe('other');
    expect(compare(ours, '  ')).toBe('nothing');
  });
});
