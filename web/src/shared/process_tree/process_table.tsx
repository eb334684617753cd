import { useMemo } from 'react';
import type { ProcessNode } from '@/shared/api/client';
import { Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { tableRows } from './layout';
import css from './process_tree.module.css';

const indentPx = 14;

export interface TableProps {
  nodes: ProcessNode[];
  focus: string;
  selected: string;
  onSelect: (id: string) => void;
  onExpand: (id: string) => void;
}

export function ProcessTable({ nodes, focus, selected, onSelect, onExpand }: TableProps) {
  const rows = useMemo(() => tableRows(nodes, focus), [nodes, focus]);
  return (
    <div className={css.tableWrap} tabIndex={0} role="region" aria-label="Processes">
      <table className={ui.table}>
        <thead>
          <tr><th>Process</th><th>PID</th><th>Arguments</th><th>User</th><th>Started</th><th>Children</th></tr>
        </thead>
        <tbody>
          {rows.map(({ node, depth }) => (
            <tr key={node.entity_id} aria-current={node.entity_id === focus || undefined}>
              <td style={{ paddingLeft: indentPx * (depth + 1) }}>
                <button type="button" className={css.linkButton} aria-pressed={node.entity_id === selected}
                  onClick={() => onSelect(node.entity_id)}>
                  {node.entity_id === focus ? <strong>{node.name}</strong> : node.name}
                </button>
              </td>
              <td className="mono">{node.pid}</td>
              <td className={`mono ${css.wraps}`}>{node.images.at(-1)?.command_line}</td>
              <td>{node.user}</td>
              <td><Stamp time={node.start} /></td>
              <td>
                {node.children_more && (
                  <button type="button" className={css.linkButton} aria-label={`Load children of ${node.name}`}
                    onClick={() => onExpand(node.entity_id)}>load</button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
