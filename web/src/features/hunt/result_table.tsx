import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { HuntResult } from '@/shared/api/client';
import type { CellValue } from '@/shared/query_text/query_text';
import { stamp } from '@/shared/ui/time';
import { widthOf, type Column } from './columns';
import type { Picked } from './value_menu';
import css from './hunt.module.css';

const rowHeight = 27;
const openerWidth = 30;

export interface ResultTableProps {
  result: HuntResult;
  columns: Column[];
  selected: number | undefined;
  onSelect: (row: number) => void;
  onPick: (picked: Picked) => void;
}

export function shown(column: Column, value: string | number): string {
  return column.type === 'time' ? stamp(String(value), 'millisecond') : String(value);
}

function Cell({ column, value, onPick }: { column: Column; value: CellValue | undefined; onPick: ResultTableProps['onPick'] }) {
  const cellWidth = widthOf(column);
  if (value === null || value === undefined || value === '') return <div role="cell" className={css.cell} style={{ width: cellWidth }} />;
  const text = shown(column, value);
  return (
    <div role="cell" className={css.cell} style={{ width: cellWidth }}>
      <button type="button" className={css.value} title={text} data-field={column.name}
        onClick={(event) => {
          const { left, top, height } = event.currentTarget.getBoundingClientRect();
          onPick({ column, value, rect: { left, top, height } });
        }}>{text}</button>
    </div>
  );
}

export function ResultTable({ result, columns, selected, onSelect, onPick }: ResultTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: result.rows.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 12,
  });
  const width = openerWidth + columns.reduce((sum, column) => sum + widthOf(column), 0);
  return (
    <div ref={scroller} className={css.results} role="table" aria-label="Results" aria-rowcount={result.rows.length + 1} tabIndex={0}>
      <div role="row" aria-rowindex={1} className={css.headRow} style={{ minWidth: width }}>
        <div role="columnheader" className={css.opener} style={{ width: openerWidth }}><span className={css.hidden}>Details</span></div>
        {columns.map((column) => (
          <div key={column.name} role="columnheader" className={css.headCell} style={{ width: widthOf(column) }} title={column.name}>{column.name}</div>
        ))}
      </div>
      <div role="rowgroup" className={css.body} style={{ height: virtual.getTotalSize(), minWidth: width }}>
        {virtual.getVirtualItems().map((item) => (
          <div key={item.key} role="row" aria-rowindex={item.index + 2} className={css.row} data-selected={item.index === selected || undefined}
            style={{ height: rowHeight, transform: `translateY(${item.start}px)` }}>
            <div role="cell" className={css.opener} style={{ width: openerWidth }}>
              <button type="button" className={css.openerButton} aria-expanded={item.index === selected}
                aria-label={`All fields of row ${item.index + 1}`} onClick={() => onSelect(item.index)}>›</button>
            </div>
            {columns.map((column) => (
              <Cell key={column.name} column={column} value={result.rows[item.index]![column.index]} onPick={onPick} />
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}
