import { Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { exportHunt, type ExportFormat } from './export_hunt';
import css from './hunt.module.css';

const formats: { format: ExportFormat; label: string; hint: string }[] = [
  { format: 'csv', label: 'CSV', hint: 'for spreadsheets' },
  { format: 'jsonl', label: 'JSON lines', hint: 'for programs' },
  { format: 'parquet', label: 'Parquet', hint: 'for data tools' },
];

type State =
  | { is: 'idle' }
  | { is: 'running'; part?: number }
  | { is: 'done'; text: string }
  | { is: 'failed'; text: string };

function useExport(query: string, columns: string[]) {
  const [state, setState] = useState<State>({ is: 'idle' });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const start = async (format: ExportFormat) => {
    const controller = new AbortController();
    running.current = controller;
    setState({ is: 'running' });
    try {
      const file = await exportHunt({ query, columns, format }, (part) => setState({ is: 'running', part }), controller.signal);
      const missing = file.partialWhy ? `; rows are missing: ${file.partialWhy}` : '';
      setState({ is: 'done', text: `${file.rows.toLocaleString('en')} ${file.rows === 1 ? 'row' : 'rows'} in ${file.name}${missing}` });
    } catch (error) {
      if (controller.signal.aborted) setState({ is: 'idle' });
      else setState({ is: 'failed', text: error instanceof Error ? error.message : 'the export failed' });
    }
  };
  return { state, start, cancel: () => running.current?.abort() };
}

function textOf(state: State): string {
  if (state.is === 'idle') return '';
  if (state.is !== 'running') return state.text;
  return state.part === undefined ? 'The node writes the file' : `Received ${Math.floor(state.part * 100)} %`;
}

// All rows that the query finds, not only those of the table, with the columns that the table shows.
export function ExportMenu({ query, columns }: { query: string; columns: string[] }) {
  const { state, start, cancel } = useExport(query, columns);
  return (
    <>
      <span className={state.is === 'failed' ? css.saveError : 'dim'} role="status" data-testid="export-state">{textOf(state)}</span>
      {state.is === 'running' ? (
        <Button variant="default" onClick={cancel}>Cancel export</Button>
      ) : (
        <Menu position="bottom-end" shadow="md" width={220} withInitialFocusPlaceholder={false}>
          <Menu.Target>
            <Button variant="default" leftSection={<IconDownload size={14} />}>Export</Button>
          </Menu.Target>
          <Menu.Dropdown aria-label="Export all rows as">
            {formats.map(({ format, label, hint }) => (
              <Menu.Item key={format} onClick={() => void start(format)}>{label} <span className="dim">{hint}</span></Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}
