// The names of ATT&CK's tactics and techniques, as the node has them.
import { useQuery } from '@tanstack/react-query';
import { api, read, type Schema } from './client';

export type Attack = Schema['Attack'];

// They change only when somebody imports them.
const freshMs = 10 * 60_000;

export function useAttack(): Attack | undefined {
  return useQuery({ queryKey: ['attack'], staleTime: freshMs, queryFn: () => read(api.GET('/attack')) }).data;
}

// What a technique is called; of one that is out of use, what took its place. Empty where that is not known.
export function techniqueName(attack: Attack | undefined, id: string): string {
  const found = attack?.techniques.find((one) => one.id === id);
  if (!found) return '';
  if (!found.replaced_by) return found.name;
  const successor = attack!.techniques.find((one) => one.id === found.replaced_by);
  return `${found.name}, now ${found.replaced_by}${successor ? ` ${successor.name}` : ''}`;
}

// Of a tactic without a name: its short one for people.
export function tacticName(attack: Attack | undefined, tactic: string): string {
  if (tactic === '') return 'No tactic';
  const named = attack?.tactics.find((one) => one.short_name === tactic)?.name;
  if (named) return named;
  const words = tactic.replace(/[-_]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
