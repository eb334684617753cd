// Fingerprints as people read and compare them.

// "9f86 d081 …": sixteen groups of four.
export function grouped(fingerprint: string): string {
  return fingerprint.match(/.{1,4}/g)?.join(' ') ?? '';
}

// What other programs show ("9F:86:D0…", with blanks, in capitals) as the node writes it.
export function plain(text: string): string {
  return text.replace(/^\s*sha-?256[\s:=]*(fingerprint[\s:=]*)?/i, '').replace(/[\s:-]/g, '').toLowerCase();
}

export type Comparison = 'nothing' | 'same' | 'other';

export function compare(fingerprint: string, pasted: string): Comparison {
  const theirs = plain(pasted);
  if (theirs === '') return 'nothing';
  return theirs === fingerprint ? 'same' : 'other';
}
