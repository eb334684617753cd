// What the page of rules computes: search, the ATT&CK matrix, the days of a run over history. No calls, no React.
import type { HuntResult, Importance, Schema } from '@/shared/api/client';
import { testOf } from '@/shared/query_text/query_text';
import { importances } from '@/shared/ui/importance';

export type Rule = Schema['Rule'];
export type Refusal = Schema['Refusal'];
export type RuleLoad = Schema['RuleLoad'];
export type RuleList = { rules: Rule[]; refusals: Refusal[]; warnings: Refusal[]; load: RuleLoad };
export type Exclusion = Schema['Exclusion'];
export type Backtest = Schema['Backtest'];

export interface RuleFilters {
  text: string;
  importance: Importance[];
  technique: string;
}

function contains(rule: Rule, word: string): boolean {
  return [rule.title, rule.description, rule.path, rule.format, rule.id, rule.author, ...rule.techniques, ...rule.tactics]
    .some((text) => text.toLowerCase().includes(word));
}

// T1059 is also found by its parts, T1059.004.
function isOfTechnique(rule: Rule, technique: string): boolean {
  return rule.techniques.some((id) => id === technique || id.startsWith(`${technique}.`));
}

// Every word has to be somewhere.
export function chosenRules(rules: Rule[], { text, importance, technique }: RuleFilters): Rule[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rules
    .filter((rule) => importance.length === 0 || importance.includes(rule.importance))
    .filter((rule) => technique === '' || isOfTechnique(rule, technique))
    .filter((rule) => words.every((word) => contains(rule, word)));
}

// What the table can be sorted by; each the way round that people want first.
export const orders = {
  importance: (a: Rule, b: Rule) => importances.indexOf(a.importance) - importances.indexOf(b.importance) || b.hits - a.hits,
  title: (a: Rule, b: Rule) => a.title.localeCompare(b.title),
  format: (a: Rule, b: Rule) => a.format.localeCompare(b.format),
  state: (a: Rule, b: Rule) => Number(a.enabled) - Number(b.enabled),
  cost: (a: Rule, b: Rule) => b.cost_share - a.cost_share,
  last_hit: (a: Rule, b: Rule) => (b.last_hit ?? '').localeCompare(a.last_hit ?? ''),
  hits: (a: Rule, b: Rule) => b.hits - a.hits,
};
export type Order = keyof typeof orders;
// These begin with the most.
const falling: ReadonlySet<Order> = new Set<Order>(['importance', 'cost', 'last_hit', 'hits']);

export function isFalling(order: Order, backwards: boolean): boolean {
  return falling.has(order) !== backwards;
}

export function isOrder(text: string): text is Order {
  return Object.hasOwn(orders, text);
}

// `backwards`: the other way round. Equals stand by title.
export function sortedRules(rules: Rule[], order: Order, backwards: boolean): Rule[] {
  const sign = backwards ? -1 : 1;
  return [...rules].sort((a, b) => sign * orders[order](a, b) || a.title.localeCompare(b.title));
}

// The order in which ATT&CK has them.
const tacticOrder = [
  'reconnaissance', 'resource-development', 'initial-access', 'execution', 'persistence', 'privilege-escalation', 'stealth',
  'defense-impairment', 'credential-access', 'discovery', 'lateral-movement', 'collection', 'command-and-control',
  'exfiltration', 'impact',
];

export interface Covered {
  technique: string;
  rules: Rule[];
  importance: Importance; // the highest of its rules
}

export interface TacticColumn {
  tactic: string;
  techniques: Covered[];
}

function rank(tactic: string): number {
  const at = tacticOrder.indexOf(tactic);
  return at < 0 ? tacticOrder.length : at;
}

// T1059 of T1059.004.
function family(technique: string): string {
  return technique.split('.')[0]!;
}

// Tags do not say which technique is of which tactic. The tactics that all rules with a technique or its sub-techniques name
// are likely its own; where they have none in common, every one that they name.
function tacticsOf(rules: Rule[]): Map<string, string[]> {
  const lists = new Map<string, string[][]>();
  for (const { techniques, tactics } of rules) {
    for (const name of new Set(techniques.map(family))) lists.set(name, [...lists.get(name) ?? [], tactics.length > 0 ? tactics : ['']]);
  }
  return new Map([...lists].map(([name, named]) => {
    const all = [...new Set(named.flat())];
    const common = all.filter((tactic) => named.every((one) => one.includes(tactic)));
    return [name, common.length > 0 ? common : all];
  }));
}

function highest(rules: Rule[]): Importance {
  return importances.find((one) => rules.some((rule) => rule.importance === one)) ?? 'informational';
}

export function coverage(rules: Rule[]): TacticColumn[] {
  const tactics = tacticsOf(rules);
  const columns = new Map<string, Covered[]>();
  for (const technique of [...new Set(rules.flatMap((rule) => rule.techniques))].sort()) {
    const of = rules.filter((rule) => rule.techniques.includes(technique));
    const covered = { technique, rules: of, importance: highest(of) };
    for (const tactic of tactics.get(family(technique))!) columns.set(tactic, [...columns.get(tactic) ?? [], covered]);
  }
  return [...columns].map(([tactic, techniques]) => ({ tactic, techniques }))
    .sort((a, b) => rank(a.tactic) - rank(b.tactic) || a.tactic.localeCompare(b.tactic));
}

export interface DayBar {
  day: string; // 2026-11-22, UTC
  hits: number;
}

const dayMs = 86_400_000;
export const daysMax = 400;

// One bar for each day that the range touches, the last ones where they are too many.
export function daysOf(backtest: Pick<Backtest, 'since' | 'until' | 'days'>): DayBar[] {
  const since = Date.parse(backtest.since);
  const until = Date.parse(backtest.until);
  if (!Number.isFinite(since) || !Number.isFinite(until) || until <= since) return [];
  const last = Math.floor((until - 1) / dayMs);
  const first = Math.max(Math.floor(since / dayMs), last - daysMax + 1);
  const hits = new Map(backtest.days.map((one) => [one.day, one.hits]));
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const day = new Date((first + index) * dayMs).toISOString().slice(0, 10);
    return { day, hits: hits.get(day) ?? 0 };
  });
}

export type EventColumn = HuntResult['columns'][number] & { index: number };

const columnsShown = [
  '@timestamp', 'host.name', 'user.name', 'event.action', 'process.command_line', 'file.path', 'destination.ip', 'destination.port',
];

// The usual columns that hold something.
export function eventColumns({ columns, rows }: Pick<HuntResult, 'columns' | 'rows'>): EventColumn[] {
  return columnsShown.flatMap((name) => {
    const index = columns.findIndex((column) => column.name === name);
    const column = columns[index];
    const full = rows.some((row) => row[index] !== null && row[index] !== undefined && row[index] !== '');
    return column && full ? [{ ...column, index }] : [];
  });
}

const processesMax = 50;

// A hunt for everything that the processes of these events did; empty where the events name none.
export function huntOf({ columns, rows, since, until }: Backtest): string {
  const at = columns.findIndex((column) => column.name === 'process.entity_id');
  const ids = [...new Set(rows.map((row) => row[at]).filter((id): id is string => typeof id === 'string' && id !== ''))];
  if (ids.length === 0) return '';
  return `${ids.slice(0, processesMax).map((id) => testOf('process.entity_id', 'id', id)).join(' OR ')} | since ${since} | until ${until}`;
}
