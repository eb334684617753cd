// The hunt that starts from a value or an event: "where else is this?". What it makes is an outline like any other.
import { Button, Checkbox, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconPlayerPlay, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { api, read } from '@/shared/api/client';
import { Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { conditionOf, guess, joined, pipesAround, questionOf, questions, type Observable, type QuestionId } from './observables';
import type { OutlineNode } from './outline';
import css from './builder.module.css';

// An event that the user wants to find the like of.
export interface Origin {
  time?: string;
  observables: Observable[];
}

const spans = [
  { value: '15m', label: '15 minutes' }, { value: '1h', label: 'Hour' }, { value: '24h', label: 'Day' }, { value: '7d', label: '7 days' },
  { value: '30d', label: '30 days' }, { value: 'all', label: 'All time' },
];
// What tells most about an event is chosen at first.
const tellingMost: QuestionId[] = ['hash', 'domain', 'address', 'path'];

function usePrint(onQuery: (query: string) => void) {
  return useMutation({
    mutationFn: (body: { where: OutlineNode; pipes: string[] }) => read(api.POST('/hunts/print', { body })),
    onSuccess: ({ query }) => onQuery(query),
  });
}

function QuestionForm({ onQuery }: { onQuery: (query: string) => void }) {
  const [kind, setKind] = useState<QuestionId>('hash');
  const [value, setValue] = useState('');
  const [span, setSpan] = useState('7d');
  const print = usePrint(onQuery);
  return (
    <form className={css.question} aria-label="Find a value" onSubmit={(event) => {
      event.preventDefault();
      print.mutate({ where: conditionOf(kind, value), pipes: pipesAround({ span }) });
    }}>
      <div className={css.questionRow}>
        <Select label="Find everything with this" w={150} data={questions.map(({ id, name }) => ({ value: id, label: name }))} value={kind} allowDeselect={false}
          onChange={(id) => id && setKind(id as QuestionId)} />
        <TextInput label="Value" className={css.questionValue} placeholder={questionOf(kind).hint} value={value} maxLength={1000}
          onChange={(event) => {
            const text = event.currentTarget.value;
            // A value that comes at once was pasted: its form says what it is.
            const likely = Math.abs(text.length - value.length) > 3 ? guess(text) : undefined;
            if (likely && !(kind === 'process' && likely === 'hash')) setKind(likely);
            setValue(text);
          }} />
        <Select label="In the last" w={130} data={spans} value={span} allowDeselect={false} onChange={(one) => one && setSpan(one)} />
        <Button type="submit" leftSection={<IconPlayerPlay size={14} />} loading={print.isPending} disabled={value.trim() === ''}>Find it</Button>
      </div>
      {print.isError && <p className={css.rowMistake} role="alert">{print.error.message}</p>}
    </form>
  );
}

function EventForm({ origin, onQuery, onForget }: { origin: Origin; onQuery: (query: string) => void; onForget: () => void }) {
  const { time, observables } = origin;
  const [chosen, setChosen] = useState(() => {
    const first = observables.filter((one) => tellingMost.includes(one.question));
    return new Set(first.length > 0 ? first : observables.slice(0, 1));
  });
  const [join, setJoin] = useState('any');
  const [span, setSpan] = useState('7d');
  const print = usePrint(onQuery);
  return (
    <form className={css.question} aria-label="Find events like this one" onSubmit={(event) => {
      event.preventDefault();
      print.mutate({ where: joined(join as 'any' | 'all', observables.filter((one) => chosen.has(one))), pipes: pipesAround({ time, span }) });
    }}>
      <fieldset className={css.observables} tabIndex={0}>
        <legend>What the event{time && <> of <Stamp time={time} /></>} has</legend>
        {observables.map((one) => (
          <Checkbox key={`${one.question} ${one.value}`} size="xs" checked={chosen.has(one)} label={<><span className="dim">{questionOf(one.question).name}</span> <code>{one.value}</code></>}
            onChange={(event) => {
              const next = new Set(chosen);
              if (event.currentTarget.checked) next.add(one);
              else next.delete(one);
              setChosen(next);
            }} />
        ))}
      </fieldset>
      <div className={css.questionRow}>
        <SegmentedControl aria-label="How they are joined" value={join} onChange={setJoin} data={[{ value: 'any', label: 'Any of these' }, { value: 'all', label: 'All of these' }]} />
        <Select aria-label="Time around the event" w={130} data={spans} value={span} allowDeselect={false} onChange={(one) => one && setSpan(one)} />
        {time && <span className="dim">before and after it</span>}
        <span className={ui.spacer} />
        <Button variant="default" leftSection={<IconX size={14} />} onClick={onForget}>Another value</Button>
        <Button type="submit" leftSection={<IconPlayerPlay size={14} />} loading={print.isPending} disabled={chosen.size === 0}>Find the same</Button>
      </div>
      {print.isError && <p className={css.rowMistake} role="alert">{print.error.message}</p>}
    </form>
  );
}

export function ContextForm({ origin, onQuery, onForget }: { origin: Origin | undefined; onQuery: (query: string) => void; onForget: () => void }) {
  return origin ? <EventForm origin={origin} onQuery={onQuery} onForget={onForget} /> : <QuestionForm onQuery={onQuery} />;
}
