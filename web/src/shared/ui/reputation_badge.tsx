import { Badge, type Tone } from './importance';

type Word = 'good' | 'bad' | 'unknown';

const words: Record<Word, { tone: Tone; name: string }> = {
  bad: { tone: 'critical', name: 'Known as bad' },
  good: { tone: 'good', name: 'Known as good' },
  unknown: { tone: 'neutral', name: 'Unknown' },
};

export function ReputationBadge({ word }: { word: Word }) {
  const { tone, name } = words[word] ?? words.unknown;
  return <Badge tone={tone}>{name}</Badge>;
}
