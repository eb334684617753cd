import type { ScanObject } from '@/shared/api/client';
import { Badge, type Tone } from '@/shared/ui/importance';
import { isPartial } from './inner_objects';

const verdicts: Record<ScanObject['verdict'], { tone: Tone; name: string }> = {
  processing: { tone: 'low', name: 'Processing' },
  'not detected': { tone: 'good', name: 'Not detected' },
  detect: { tone: 'critical', name: 'Detected' },
  error: { tone: 'medium', name: 'Error' },
  timeout: { tone: 'medium', name: 'Timeout' },
};

export function VerdictBadge({ verdict }: { verdict: ScanObject['verdict'] }) {
  const { tone, name } = verdicts[verdict] ?? verdicts.error;
  return <Badge tone={tone} pulse={verdict === 'processing'}>{name}</Badge>;
}

// "Not detected" of something that was not scanned as a whole is a weaker word, and looks so.
export function PartialMark({ object }: { object: ScanObject }) {
  if (!isPartial(object)) return null;
  return <span title={object.report!.not_scanned.slice(0, 5).join('\n')}><Badge tone="medium">Not fully scanned</Badge></span>;
}
