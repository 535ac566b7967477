/** A queue on a desk, and a sidecar that answers when the test says so. */

import type { HoldPage, HoldSummary } from '../../../../src/console/answers/hold-data.ts';
import { type Api, createApi } from '../../../../src/console/desk/api.ts';
import { createDeskQueue, type DeskQueue } from '../../../../src/console/desk/desk-queue.ts';
import { type DeskState, signedOut } from '../../../../src/console/desk/desk-state.ts';
import { createStore, type Store } from '../../../../src/console/desk/desk-store.ts';
import { hold } from '../holds.ts';

interface Answers {
  readonly first: PromiseWithResolvers<HoldPage>;
  whole: PromiseWithResolvers<HoldPage>;
  line: HoldSummary | null;
}

export interface Scene extends Answers {
  readonly queue: DeskQueue;
  readonly store: Store;
  /** What is asked of single lines, where the test set no answer to all. */
  readonly lines: PromiseWithResolvers<HoldSummary | null>[];
  readonly complaints: unknown[];
  readonly gone: string[];
  /** The pauses that the queue makes, each over when the test says so. */
  readonly pauses: { readonly ms: number; readonly end: () => void }[];
  /** Begins the session's queue as a desk does, the connection for events being there. */
  connect(): void;
  /** The state once it is as wanted. */
  until(wanted: (state: DeskState) => boolean): Promise<DeskState>;
}

export const pageOf = (items: readonly HoldSummary[], total = items.length): HoldPage => ({
  items,
  total,
  next: null,
});
export const one = hold('one', { expiresAtMs: 1 });
export const two = hold('two', { expiresAtMs: 2 });
export const three = hold('three', { expiresAtMs: 3 });
/** What an event says of its release. */
export const releaseOf = ({ id }: HoldSummary) => ({
  kind: 'released',
  id,
  state: 'released' as const,
  callerWaits: false,
  outcome: null,
});

export function setScene(): Scene {
  const store = createStore(signedOut);
  const answers: Answers = { first: Promise.withResolvers(), whole: Promise.withResolvers(), line: null };
  const lines: Scene['lines'] = [];
  const api: Api = {
    ...createApi('key'),
    pendingHolds: () => answers.first.promise,
    holds: () => answers.whole.promise,
    holdLine: () => {
      if (answers.line !== null) return Promise.resolve(answers.line);
      const line = Promise.withResolvers<HoldSummary | null>();
      lines.push(line);
      return line.promise;
    },
  };
  const complaints: unknown[] = [];
  const gone: string[] = [];
  const pauses: Scene['pauses'] = [];
  const queue = createDeskQueue({
    store,
    api: () => api,
    onHold: () => undefined,
    onGone: (id) => gone.push(id),
    complain: (error) => {
      complaints.push(error);
      if (error instanceof Error) store.set({ problem: error.message });
    },
    shown: () => Promise.resolve(),
    pause: (ms) => new Promise((end) => pauses.push({ ms, end })),
  });
  return Object.assign(answers, {
    ...{ queue, store, lines, complaints, gone, pauses },
    connect: () => {
      queue.begin();
      queue.refresh();
    },
    until: async (wanted: (state: DeskState) => boolean) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = (): void => {
        if (wanted(store.get())) resolve();
      };
      store.subscribe(look);
      look();
      await promise;
      return store.get();
    },
  });
}

/** A queue of one that was read whole. */
export async function setReadScene(): Promise<Scene> {
  const scene = setScene();
  scene.connect();
  scene.first.resolve(pageOf([one]));
  scene.whole.resolve(pageOf([one]));
  await scene.until(({ order }) => order.length === 1);
  await allIsHeard();
  return scene;
}

/** Everything that follows from what was answered has happened. */
export const allIsHeard = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
