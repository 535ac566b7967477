/** Reads single lines of the queue as events name them. One that cannot be read is asked for again, later each time. */

import type { HoldSummary } from '../answers/hold-data.ts';
import { type Api, ApiError } from './api.ts';
import type { Complain } from './desk-session.ts';
import { arrivalText, messageOf } from './desk-state.ts';
import type { Store } from './desk-store.ts';
import { backOffMs } from './events.ts';

export interface DeskLines {
  /** Reads this line; more at once than a few and the whole queue is. */
  learn(id: string): void;
  /** Forgets what was to be read, and drops what is still on its way. */
  stop(): void;
}

export interface DeskLinesOptions {
  readonly store: Store;
  readonly api: () => Api;
  /** Puts a line that was read on the desk. */
  readonly put: (hold: HoldSummary) => void;
  /** Reads the whole queue. */
  readonly refresh: () => void;
  readonly complain: Complain;
  /** Resolves after so long. */
  readonly pause: (ms: number) => Promise<void>;
}

/** Lines read one by one; beyond, the whole queue is. */
const linesMax = 20;
/** How often a line that cannot be read is asked for; after that it comes with an event, or the next connection. */
const lineReadingsMax = 7;

export function createDeskLines(options: DeskLinesOptions): DeskLines {
  const { store, api, put, refresh, complain, pause } = options;
  /** Grows when a session ends. */
  let session = 0;
  /** Holds that events named and nobody has read yet. */
  const unknown = new Set<string>();
  let learning = false;
  /** Holds whose line could not be read, with how often it was asked for; each waits for its next time. */
  const failed = new Map<string, number>();
  /** What was said of those last. */
  let told = '';

  function learn(id: string): void {
    unknown.add(id);
    if (unknown.size > linesMax) {
      unknown.clear();
      refresh();
    }
    if (learning) return;
    learning = true;
    const from = api();
    const mine = session;
    learnAll(from, mine).catch((error: unknown) => {
      if (mine === session) learning = false;
      complain(error, from);
    });
  }

  async function learnAll(from: Api, mine: number): Promise<void> {
    for (const id of unknown) {
      unknown.delete(id);
      try {
        await learnOne(id, from, mine);
      } catch (error) {
        if (mine === session) missed(id, error, from);
      }
      if (mine !== session) return;
    }
    learning = false;
  }

  async function learnOne(id: string, from: Api, mine: number): Promise<void> {
    const known = store.get().holds.get(id);
    const hold = await from.holdLine(id);
    if (mine !== session) return;
    if (failed.delete(id) && failed.size === 0 && store.get().problem === told) store.set({ problem: '' });
    if (store.get().holds.get(id) !== known) {
      // Something newer was put on the desk meanwhile; what was read may be of before.
      unknown.add(id);
      return;
    }
    if (hold === null) return;
    put(hold);
    if (known === undefined && hold.state === 'pending') store.set({ announcement: arrivalText([hold]) });
  }

  function missed(id: string, error: unknown, from: Api): void {
    const readings = (failed.get(id) ?? 0) + 1;
    failed.set(id, readings);
    told = messageOf(error);
    complain(error, from);
    if (error instanceof ApiError && error.status === 401) return;
    if (readings >= lineReadingsMax) failed.delete(id);
    else askLater(id, readings).catch((failure: unknown) => complain(failure, from));
  }

  /** Unless an event asks for it before, or the session ends. */
  async function askLater(id: string, readings: number): Promise<void> {
    const mine = session;
    await pause(backOffMs(readings - 1, Math.random()));
    if (mine === session && failed.get(id) === readings) learn(id);
  }

  return {
    learn,
    stop: () => {
      session += 1;
      learning = false;
      unknown.clear();
      failed.clear();
    },
  };
}
