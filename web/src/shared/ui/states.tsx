// What stands in place of a list: loading, empty, failed. Every list has all three.
import { Button, Loader } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import ui from './ui.module.css';

export function Loading({ what }: { what: string }) {
  return (
    <div className={ui.state} role="status">
      <Loader size="sm" type="dots" />
      <span>Loading {what}…</span>
    </div>
  );
}

export function Empty({ title, children, icon }: { title: string; children?: React.ReactNode; icon?: React.ReactNode }) {
  return (
    <div className={ui.state}>
      {icon}
      <div className={ui.stateTitle}>{title}</div>
      {children && <div className={ui.stateText}>{children}</div>}
    </div>
  );
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div className={ui.state} role="alert">
      <IconAlertTriangle size={26} stroke={1.5} color="var(--danger)" aria-hidden />
      <div className={ui.stateTitle}>That did not work</div>
      <div className={ui.stateText}>{error instanceof Error ? error.message : String(error)}</div>
      {retry && <Button variant="default" onClick={retry}>Try again</Button>}
    </div>
  );
}
