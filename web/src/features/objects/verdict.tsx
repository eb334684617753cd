import type { ScanObject } from '@/shared/api/client';
import { Badge, type Tone } from '@/shared/ui/importance';

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
