// Lines of a preview as a hex dump: place, digits in pairs, text.
export interface PreviewLine {
  offset: number;
  hex: string;
  text: string;
}

const bytesALine = 16;
const hexWidth = bytesALine * 3;

export function previewLine({ offset, hex, text }: PreviewLine): string {
  const pairs = hex.match(/../g) ?? [];
  const halves = [pairs.slice(0, bytesALine / 2), pairs.slice(bytesALine / 2)].map((half) => half.join(' '));
  return `${offset.toString(16).padStart(8, '0')}  ${halves.join('  ').trimEnd().padEnd(hexWidth)}  ${text}`;
}

export function previewText(lines: PreviewLine[]): string {
  return lines.map(previewLine).join('\n');
}

// Where the next part begins; undefined at the end.
export function nextOffset(asked: number, answered: number, sizeBytes: number): number | undefined {
  return answered > asked && answered < sizeBytes ? answered : undefined;
}
