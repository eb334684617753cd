// What the page makes of the node's YARA rules: which are shown, and words about a trial.
import type { Schema } from '@/shared/api/client';

export type YaraRule = Schema['YaraRule'];

export interface Refused {
  file: string;
  line: number;
  message: string;
}

export interface Trial {
  tried: number;
  skipped: number;
  complete: boolean;
  hits: { rule: string; object_id: string; name: string; sha256: string; inner_name?: string }[];
  refused: Refused[];
}

export const shownMax = 200; // public sets have ten thousand rules
export const textMax = 262_144;
export const changedOnly = 'changed';

// Rules whose name or file holds the text, in any case; with `changedOnly` those that people decided something about.
export function chosen(rules: YaraRule[], text: string, which: string): YaraRule[] {
  const wanted = text.trim().toLowerCase();
  return rules.filter((rule) => (which !== changedOnly || rule.changed_by !== undefined)
    && (wanted === '' || rule.name.toLowerCase().includes(wanted) || rule.file.toLowerCase().includes(wanted)));
}

function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

export function outcomeOf(trial: Trial): string {
  const skipped = trial.skipped === 0 ? '' : `; ${trial.skipped.toLocaleString('en')} could not be tried`;
  const time = trial.complete ? '' : '; the time was not enough for all';
  return `${counted(trial.hits.length, 'hit', 'hits')} in ${counted(trial.tried, 'content', 'contents')}${skipped}${time}`;
}

// The last part of a path, which is what people call a rule file.
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
