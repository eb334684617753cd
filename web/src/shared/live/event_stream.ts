// A server-sent event stream that stays: the browser reopens one by itself after a broken connection, but gives up for
// good when the node answers with an error (while it restarts, say). This one then opens a new one, later and later up
// to a limit. The node replays nothing, so that `onOpen` is where a reader fetches what it may have missed.

export type StreamState = 'connecting' | 'live' | 'waiting' | 'closed';

export interface StreamSource {
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
  readonly readyState: number;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

export interface StreamOptions {
  url: string;
  event: string;
  onMessage: (data: unknown) => void;
  onOpen?: () => void;
  onState?: (state: StreamState) => void;
  open?: (url: string) => StreamSource;
}

const sourceClosed = 2; // EventSource.CLOSED
export const retryFirstMs = 500;
export const retryLastMs = 15_000;

export class EventStream {
  private source: StreamSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retryMs = retryFirstMs;
  private stopped = false;

  constructor(private readonly options: StreamOptions) {
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.source?.close();
    this.options.onState?.('closed');
  }

  private connect(): void {
    this.options.onState?.('connecting');
    const open = this.options.open ?? ((url: string) => new EventSource(url) as StreamSource);
    const source = open(this.options.url);
    this.source = source;
    source.onopen = () => {
      this.retryMs = retryFirstMs;
      this.options.onState?.('live');
      this.options.onOpen?.();
    };
    source.onerror = () => this.lost(source);
    source.addEventListener(this.options.event, (message) => this.deliver(message.data));
  }

  private deliver(text: string): void {
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      return; // cut off in the middle: the reader fetches it after the next open
    }
    this.options.onMessage(data);
  }

  private lost(source: StreamSource): void {
    if (this.stopped || source !== this.source) return;
    this.options.onState?.('waiting');
    if (source.readyState !== sourceClosed) return; // the browser is trying again
    source.close();
    this.source = undefined;
    this.timer = setTimeout(() => this.connect(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, retryLastMs);
  }
}
