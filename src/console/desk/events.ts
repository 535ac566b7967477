/**
 * Server-sent events (WHATWG HTML, section 9.2) over fetch, because EventSource cannot send the token. Reads until
 * the stream ends or falls silent, then comes back, later each time.
 */

import { type HoldNotice, readNotice } from '../answers/hold-data.ts';
import { type Api, ApiError } from './api.ts';

export type Link =
  | { readonly status: 'connecting' | 'live' }
  | { readonly status: 'lost'; readonly sinceMs: number; readonly retryAtMs: number; readonly why: string };

export interface Listener {
  /** Also after every reconnect: what happened in between is not sent again. */
  readonly onConnected: () => void;
  readonly onNotice: (notice: HoldNotice) => void;
  readonly onLink: (link: Link) => void;
  /** The token is not known any more; nothing is tried again. */
  readonly onRefused: (error: ApiError) => void;
}

const backOffMsMin = 500;
const backOffMsMax = 15_000;
/** The sidecar writes a comment every 15 s; a stream silent for longer is dead without having said so. */
const silenceMsMax = 40_000;
const bufferCharactersMax = 1024 * 1024;

/** Starts to listen; `retryNow` ends a pause, `stop` ends all. */
export function listen(api: Api, listener: Listener): { retryNow(): void; stop(): void } {
  let stopped = false;
  let lostSinceMs = 0;
  let attempts = 0;
  let current = new AbortController();
  let endPause = (): void => undefined;

  async function run(): Promise<void> {
    listener.onLink({ status: 'connecting' });
    while (!stopped) {
      let why = 'The sidecar ended the connection.';
      try {
        await readOnce();
      } catch (error) {
        // Whoever stopped it has another session by now, or none.
        if (stopped) return;
        if (error instanceof ApiError && error.status === 401) return listener.onRefused(error);
        why = error instanceof Error ? error.message : String(error);
      }
      if (!stopped) await pause(why);
    }
  }

  async function readOnce(): Promise<void> {
    current = new AbortController();
    const stream = await api.events(current.signal);
    attempts = 0;
    lostSinceMs = 0;
    listener.onLink({ status: 'live' });
    listener.onConnected();
    const parser = createEventParser();
    const decoder = new TextDecoder();
    const reader = stream.getReader();
    for (;;) {
      const silence = setTimeout(() => current.abort(), silenceMsMax);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      for (const data of parser(decoder.decode(value, { stream: true })))
        listener.onNotice(readNotice(JSON.parse(data)));
    }
  }

  async function pause(why: string): Promise<void> {
    const nowMs = Date.now();
    if (lostSinceMs === 0) lostSinceMs = nowMs;
    const waitMs = backOffMs(attempts, Math.random());
    attempts += 1;
    listener.onLink({ status: 'lost', sinceMs: lostSinceMs, retryAtMs: nowMs + waitMs, why });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  run().catch((error: unknown) => {
    // Nothing above throws; if it does, the page must not claim to be live.
    listener.onLink({
      status: 'lost',
      sinceMs: Date.now(),
      retryAtMs: Number.POSITIVE_INFINITY,
      why: String(error),
    });
  });
  return {
    retryNow: () => endPause(),
    stop: () => {
      stopped = true;
      current.abort();
      endPause();
    },
  };
}

/** Twice as long each time, up to the bound, half of it by chance so that many consoles do not come at once. */
export function backOffMs(attempts: number, chance: number): number {
  const whole = Math.min(backOffMsMax, backOffMsMin * 2 ** attempts);
  return whole / 2 + (whole / 2) * chance;
}

/** Feeds text split anywhere; returns the data of the events that became whole. Comments and names are skipped. */
export function createEventParser(): (chunk: string) => readonly string[] {
  let rest = '';
  let data: string[] = [];
  return (chunk) => {
    rest += chunk;
    if (rest.length > bufferCharactersMax)
      throw new RangeError('An event is larger than any the sidecar sends.');
    // A carriage return at the very end may be half of a line end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    const whole: string[] = [];
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) whole.push(data.join('\n'));
        data = [];
      } else if (line.startsWith('data:')) {
        data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
      }
    }
    return whole;
  };
}
