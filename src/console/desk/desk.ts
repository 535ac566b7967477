/**
 * The reviewer's desk: everything this tab can do, apart from how it looks. It never rules by itself.
 */

import type { BacktestPage } from '../answers/backtest-data.ts';
import { type Api, ApiError, type BacktestOrder, type RulingRequest } from './api.ts';
import { createOversight, type DeskOversight } from './desk-oversight.ts';
import { createDeskPage } from './desk-page.ts';
import { createPrivacy, type DeskPrivacy } from './desk-privacy.ts';
import { createDeskQueue } from './desk-queue.ts';
import { createDeskSession } from './desk-session.ts';
import { type Action, type DeskState, signedOut } from './desk-state.ts';
import { createStore } from './desk-store.ts';
import { createDrafts, type Draft } from './drafts.ts';
import type { Place } from './place.ts';
import { matchesFilter, movedCursor, sortedOrder } from './queue.ts';
import { enrolBrowser, type SigningState, signingState } from './signing.ts';

export type { DeskState, OpenHold } from './desk-state.ts';

export interface Desk extends DeskOversight, DeskPrivacy {
  get(): DeskState;
  subscribe(listener: () => void): () => void;
  nowMs(): number;
  /** Exchanges a token for a session. */
  signIn(token: string): void;
  /** Goes to the provider that the sidecar offers; the page is left. */
  signInElsewhere(): void;
  signOut(): void;
  retryNow(): void;
  setFilter(filter: string): void;
  setCursor(id: string | null): void;
  moveCursor(steps: number): string | null;
  sort(): void;
  /** Turns to a page. */
  turnTo(place: Place): void;
  /** Reads what a path answers with; a token that is no longer known signs out. Rejects once the signal says so. */
  fetch(path: string, signal?: AbortSignal): Promise<unknown>;
  /** The bytes that a path answers with. */
  bytes(path: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Replays a draft over one page of what is recorded. Rejects with what the sidecar answered. */
  backtest(order: BacktestOrder): Promise<BacktestPage>;
  /** Reads the hold and shows it; null closes the page. */
  show(id: string | null, panel?: Action | null): void;
  reread(): void;
  setPanel(panel: Action | null): void;
  /** Which tool calls of the hold on the page a release would withhold, by their places. */
  withhold(places: ReadonlySet<number>): void;
  /** Sends a ruling bound to the digest on the page. Rejects with what the sidecar answered. */
  rule(ruling: Omit<RulingRequest, 'digest'>): Promise<void>;
  /** Whether this browser signs what is ruled here. */
  signing(): Promise<SigningState>;
  /** Makes a key in this browser and enrols it. */
  makeKey(): Promise<SigningState>;
  /** What was written about a hold and not sent. */
  draftOf(id: string): Draft;
  keepDraft(id: string, change: Partial<Draft>): void;
  setHelp(shown: boolean): void;
  /** Whether somebody goes on writing in a field that is gone. */
  setUnheard(unheard: boolean): void;
  /** Puts the alert about this hold away. */
  dismiss(id: string): void;
  /** Puts away that the ruling on this hold was not taken. */
  dismissRefused(id: string): void;
}

export function createDesk(storage: Storage): Desk {
  const store = createStore(signedOut);
  const { get, set } = store;
  const drafts = createDrafts();
  const session = createDeskSession({
    store,
    storage,
    onBegun: () => {
      queue.begin();
      if (get().open !== null) page.reread();
    },
    onEnded: () => {
      queue.stop();
      drafts.clear();
    },
    onConnected: () => {
      queue.refresh();
      // What was broken or reviewed in between was not heard of.
      const { open, reviewed, connections } = get();
      set({ reviewed: reviewed + 1, connections: connections + 1 });
      page.connected();
      // While there was no connection the sidecar took nobody to be here.
      if (open !== null) store.setOpen(open.id, { looks: open.looks + 1 });
    },
    onNotice: (notice) => queue.take(notice),
  });
  const { api, complain, identity } = session;
  const queue = createDeskQueue({
    store,
    api,
    onHold: (hold) => page.compare(hold),
    onGone: (id) => page.gone(id),
    complain,
    shown: afterPaint,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const page = createDeskPage({
    store,
    api,
    put: queue.put,
    refresh: queue.refresh,
    signedIn: identity,
    complain,
  });

  const oversight = createOversight({ store, api, put: queue.put, reread: page.reread, signedIn: identity });

  /** What pages read: a session that is no more ends here too, whoever finds out. */
  async function orSignOut<T>(ask: (asked: Api) => Promise<T>): Promise<T> {
    const asked = api();
    try {
      return await ask(asked);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) complain(error, asked);
      throw error;
    }
  }

  /** What was written for a ruling is kept until that is taken. */
  async function taken(ruling: Promise<void>): Promise<void> {
    const { open } = get();
    await ruling;
    if (open !== null) drafts.keep(open.id, { reason: '', edits: {}, editsOf: '' });
  }

  function visible(): readonly string[] {
    const { order, recent, holds, filter } = get();
    return [...order, ...recent].filter((id) => {
      const hold = holds.get(id);
      return hold !== undefined && matchesFilter(hold, filter);
    });
  }

  session.start();

  return {
    ...oversight,
    ...createPrivacy(orSignOut),
    get,
    subscribe: store.subscribe,
    nowMs: () => api().nowMs(),
    signIn: session.signIn,
    signInElsewhere: session.signInElsewhere,
    signOut: session.signOut,
    retryNow: session.retryNow,
    setFilter: (filter) => set({ filter }),
    setCursor: (cursor) => {
      if (get().cursor !== cursor) set({ cursor });
    },
    moveCursor: (steps) => {
      const cursor = movedCursor(visible(), get().cursor, steps);
      set({ cursor });
      return cursor;
    },
    sort: () => set({ order: sortedOrder(get().holds) }),
    turnTo: (place) => set({ place }),
    fetch: (path, signal) => orSignOut((asked) => asked.get(path, signal)),
    bytes: (path, signal) => orSignOut((asked) => asked.bytes(path, signal)),
    backtest: (order) => orSignOut((asked) => asked.backtest(order)),
    show: page.show,
    reread: page.reread,
    setPanel: (panel) => {
      const { open } = get();
      if (open !== null) store.setOpen(open.id, { panel });
    },
    withhold: (withheld) => {
      const { open } = get();
      if (open !== null) store.setOpen(open.id, { withheld });
    },
    rule: (ruling) => taken(page.rule(ruling)),
    ruleOnMany: (holds, ruling) => taken(oversight.ruleOnMany(holds, ruling)),
    draftOf: drafts.of,
    keepDraft: drafts.keep,
    signing: async () => signingState(api(), identity()),
    makeKey: async () => enrolBrowser(api(), identity()),
    setHelp: (helpShown) => set({ helpShown }),
    setUnheard: (unheard) => {
      if (get().unheard !== unheard) set({ unheard });
    },
    dismiss: (id) => set({ alerts: get().alerts.filter((other) => other !== id) }),
    dismissRefused: (id) => set({ refused: get().refused.filter((other) => other.id !== id) }),
  };
}

/** A frame is seldom longer; a tab that is not looked at has none. */
const paintMsMax = 250;

/** Resolves once what was drawn now is on the screen. */
function afterPaint(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, paintMsMax);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      // Runs before the frame is painted; what it asks for comes after.
      setTimeout(resolve);
    });
  });
}
