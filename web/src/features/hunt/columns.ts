// Which columns of a result are shown, and how wide.
import type { HuntResult } from '@/shared/api/client';
import type { CellValue } from '@/shared/query_text/query_text';

export type Column = HuntResult['columns'][number] & { index: number };

export const columnsDefault = [
  '@timestamp', 'event.type', 'event.action', 'host.name', 'user.name', 'process.name', 'process.command_line', 'file.path',
  'destination.ip', 'destination.port',
];
const fewColumns = 14;

function indexed(result: HuntResult): Column[] {
  return result.columns.map((column, index) => ({ ...column, index }));
}

function hasValues(result: HuntResult, index: number): boolean {
  return result.rows.some((row) => row[index] !== null && row[index] !== undefined && row[index] !== '');
}

// What the user chose; else everything where the query itself chose few columns; else the usual ones that hold something.
export function shownColumns(result: HuntResult, chosen: string[]): Column[] {
  const all = indexed(result);
  const byName = new Map(all.map((column) => [column.name, column]));
  const wanted = chosen.map((name) => byName.get(name)).filter((column) => column !== undefined);
  if (wanted.length > 0) return wanted;
  if (all.length <= fewColumns) return all;
  const usual = columnsDefault.map((name) => byName.get(name)).filter((column) => column !== undefined);
  const full = usual.filter((column) => hasValues(result, column.index));
  return full.length > 0 ? full : all.slice(0, fewColumns);
}

const widths: Record<string, number> = {
  'process.command_line': 420, 'process.parent.command_line': 360, 'file.path': 300, 'process.executable': 220, '@timestamp': 186,
  'host.name': 130, 'user.name': 100, 'event.type': 116, 'event.action': 112, 'process.name': 130, 'destination.port': 84,
};

export function widthOf(column: Column): number {
  return widths[column.name] ?? (column.type === 'time' ? 186 : column.type === 'integer' ? 100 : 160);
}

// One event as names and values, absent fields left out.
export function present(result: HuntResult, row: CellValue[]): { column: Column; value: string | number }[] {
  return indexed(result).flatMap((column) => {
    const value = row[column.index];
    return value === null || value === undefined || value === '' ? [] : [{ column, value }];
  });
}

// A text of the event, undefined where the event or the result does not have the field.
export function fieldOf(result: HuntResult, row: CellValue[], field: string): string | undefined {
  const value = row[result.columns.findIndex((column) => column.field === field)];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
