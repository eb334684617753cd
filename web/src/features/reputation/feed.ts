// Feeds as people hand them in.
export const feedBytesMax = 64 * 1024 * 1024;
export const manualSource = 'manual'; // what people enter themselves
export const sourceNameMax = 64;

// "abuse.ch hashes (3).csv" → "abuse.ch-hashes-3": a name to begin with; people may give another.
export function sourceNameOf(fileName: string): string {
  return fileName.replace(/\.[a-z0-9]{1,5}$/i, '').replaceAll(/[^\w.-]+/g, '-').replaceAll(/^[-.]+|[-.]+$/g, '').slice(0, sourceNameMax);
}

export interface FeedReport {
  source: string;
  format: string;
  added: number;
  removed: number;
  skipped: number;
  reasons: string[];
}

const count = (number: number, one: string, many: string) => `${number.toLocaleString('en')} ${number === 1 ? one : many}`;

export function summaryOf(report: FeedReport): string {
  return `${report.source} (${report.format}): ${count(report.added, 'entry', 'entries')} now, ${count(report.removed, 'entry', 'entries')} removed, `
    + `${count(report.skipped, 'line', 'lines')} skipped`;
}
