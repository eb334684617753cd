import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useClipboard } from '@mantine/hooks';
import ui from './ui.module.css';

// A technical value with a button that copies it.
export function Copyable({ text, label, shown }: { text: string; label: string; shown?: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <span className={ui.copyable}>
      <code className={ui.clip} title={text}>{shown ?? text}</code>
      <button type="button" className={ui.copyButton} aria-label={`Copy ${label}`} onClick={() => clipboard.copy(text)}>
        {clipboard.copied ? <IconCheck size={13} aria-hidden /> : <IconCopy size={13} aria-hidden />}
      </button>
    </span>
  );
}
