import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EventStream, retryFirstMs, retryLastMs, type StreamSource, type StreamState } from './event_stream';

class FakeSource implements StreamSource {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readyState = 0;
  listeners = new Map<string, (event: MessageEvent<string>) => void>();
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void) {
    this.listeners.set(type, listener);
  }
  close() {
    this.readyState = 2;
  }
  accept() {
    this.readyState = 1;
    this.onopen?.(new Event('open'));
  }
  fail(readyState: number) {
    this.readyState = readyState;
    this.onerror?.(new Event('error'));
  }
  send(data: string) {
    this.listeners.get('alert')?.({ data } as MessageEvent<string>);
  }
}

describe('EventStream', () => {
  const sources: FakeSource[] = [];
  const states: StreamState[] = [];
  const messages: unknown[] = [];
  let opened = 0;

  function start() {
    return new EventStream({
      url: '/stream',
      event: 'alert',
      onMessage: (data) => messages.push(data),
      onOpen: () => opened++,
      onState: (state) => states.push(state),
      open: () => {
        sources.push(new FakeSource());
        return sources.at(-1)!;
      },
    });
  }

  beforeEach(() => {
    vi.useFakeTimers();
    sources.length = states.length = messages.length = opened = 0;
  });
  afterEach(() => vi.useRealTimers());

  test('delivers parsed messages and drops torn ones', () => {
    start();
    sources[0]!.accept();
    sources[0]!.send('{"id":"1"}');
    sources[0]!.send('{"id":');
    expect(messages).toEqual([{ id: '1' }]);
    expect(states).toEqual(['connecting', 'live']);
  });

  test('leaves a broken connection to the browser', () => {
    start();
    sources[0]!.accept();
    sources[0]!.fail(0);
    vi.advanceTimersByTime(retryLastMs * 2);
    expect(sources).toHaveLength(1);
    sources[0]!.accept();
    expect(opened).toBe(2);
    expect(states.at(-1)).toBe('live');
  });

  test('opens a new one when the node refused, later and later', () => {
    start();
    sources[0]!.fail(2);
    expect(states.at(-1)).toBe('waiting');
    vi.advanceTimersByTime(retryFirstMs - 1);
    expect(sources).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sources).toHaveLength(2);
    sources[1]!.fail(2);
    vi.advanceTimersByTime(retryFirstMs);
    expect(sources).toHaveLength(2);
    vi.advanceTimersByTime(retryFirstMs);
    expect(sources).toHaveLength(3);
    for (let i = 2; i < 12; i++) {
      sources[i]!.fail(2);
      vi.advanceTimersByTime(retryLastMs);
      expect(sources).toHaveLength(i + 2);
    }
  });

  test('starts from the short wait again after it was live', () => {
    start();
    sources[0]!.fail(2);
    vi.advanceTimersByTime(retryFirstMs);
    sources[1]!.accept();
    sources[1]!.fail(2);
    vi.advanceTimersByTime(retryFirstMs);
    expect(sources).toHaveLength(3);
  });

  test('stays closed once stopped', () => {
    const stream = start();
    sources[0]!.fail(2);
    stream.stop();
    vi.advanceTimersByTime(retryLastMs * 4);
    expect(sources).toHaveLength(1);
    expect(states.at(-1)).toBe('closed');
  });
});
