/**
 * The reviewer's desk: everything this tab can do, apart from how it looks. One state, replaced whole; whoever draws
 * subscribes. It never rules by itself.
 */
import { type Api, ApiError, createApi, type RulingRequest } from './api.ts';
import {
  arrivalText,
  capitalised,
  closedPage,
  type DeskState,
  endingOf,
  messageOf,
  type OpenHold,
  signedOut,
} from './desk-state.ts';
import { createEntrance } from './entrance.ts';
import { listen } from './events.ts';
import type { HoldNotice, HoldPage, HoldSummary, Identity, Verdict } from './hold-data.ts';
import { keptKey } from './page-key.ts';
import type { Place } from './place.ts';
import { cursorAfter, type Holds, matchesFilter, movedCursor, orderAfter, sortedOrder } from './queue.ts';
import { enrolBrowser, type SigningState, signedIfPossible, signingState } from './signing.ts';

export type { DeskState, OpenHold } from './desk-state.ts';

export interface Desk {
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
  /** Reads what a path answers with; a token that is no longer known signs out. */
  fetch(path: string): Promise<unknown>;
  /** The bytes that a path answers with. */
  bytes(path: string): Promise<Uint8Array>;
  /** Reads the hold and shows it; null closes the page. */
  show(id: string | null, panel?: Verdict | null): void;
  reread(): void;
  setPanel(panel: Verdict | null): void;
  /** Sends a ruling bound to the digest on the page. Rejects with what the sidecar answered. */
  rule(ruling: Omit<RulingRequest, 'digest'>): Promise<void>;
  /** Whether this browser signs what is ruled here. */
  signing(): Promise<SigningState>;
  /** Makes a key in this browser and enrols it. */
  makeKey(): Promise<SigningState>;
  setHelp(shown: boolean): void;
}

const recentMax = 50;
/** What fills any screen comes first. */
const firstPageHolds = 100;
const pageHolds = 500;
const holdsMax = 20_000;
/** Lines read one by one; beyond, the whole queue is. */
const linesMax = 20;

export function createDesk(storage: Storage): Desk {
  let state: DeskState = { ...signedOut, signingIn: keptKey(storage) !== '' };
  let api: Api = createApi('');
  let link: ReturnType<typeof listen> | null = null;
  let refreshing = false;
  let refreshAgain = false;
  /** Holds that events named and nobody has read yet. */
  const unknown = new Set<string>();
  let learning = false;
  const listeners = new Set<() => void>();

  function set(change: Partial<DeskState>): void {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  }

  function setOpen(id: string, change: Partial<OpenHold>): void {
    if (state.open?.id === id) set({ open: { ...state.open, ...change } });
  }

  const entrance = createEntrance(storage, {
    get: () => state,
    set,
    use: (next) => {
      api = next;
    },
    begin,
    end,
  });

  function begin(identity: Identity): void {
    set({ identity, signingIn: false });
    link = listen(api, {
      onConnected: refresh,
      onNotice: take,
      onLink: (next) => set({ link: next }),
      onRefused: (error) => end(endingOf(error)),
    });
    const { open } = state;
    if (open !== null) read(open.id);
  }

  function end(refusal: string): void {
    link?.stop();
    link = null;
    entrance.forget();
    unknown.clear();
    const { open, offer } = state;
    set({
      ...signedOut,
      offer,
      refusal,
      place: state.place,
      open: open === null ? null : closedPage(open.id),
    });
  }

  /** Reads the queue; a wish that comes while it is read is met by one more reading. */
  function refresh(): void {
    if (refreshing) {
      refreshAgain = true;
      return;
    }
    refreshing = true;
    readQueue()
      .then(takeAll)
      .catch(complain)
      .finally(() => {
        refreshing = false;
        if (!refreshAgain) return;
        refreshAgain = false;
        refresh();
      });
  }

  /** The whole queue, page by page; the first page is on the desk while the others are still read. */
  async function readQueue(): Promise<readonly HoldSummary[]> {
    const all: HoldSummary[] = [];
    let after: string | null = null;
    do {
      const page: HoldPage = await api.holds(after, after === null ? firstPageHolds : pageHolds);
      all.push(...page.items);
      if (after === null && !state.loaded && page.next !== null) {
        place(new Map(page.items.map((hold) => [hold.id, hold])));
        set({ loaded: true, problem: '' });
      }
      after = page.next;
    } while (after !== null && all.length < holdsMax);
    return all;
  }

  /** Reads single lines as events name them; more at once than that and the queue is read whole. */
  function learn(id: string): void {
    unknown.add(id);
    if (unknown.size > linesMax) {
      unknown.clear();
      refresh();
    }
    if (learning) return;
    learning = true;
    learnAll()
      .catch(complain)
      .finally(() => {
        learning = false;
      });
  }

  async function learnAll(): Promise<void> {
    for (const id of unknown) {
      unknown.delete(id);
      const hold = await api.holdLine(id);
      if (hold === null) continue;
      const isNew = !state.holds.has(id) && hold.state === 'pending';
      place(new Map(state.holds).set(id, hold));
      if (isNew) set({ announcement: arrivalText([hold]) });
      compareWithPage(hold);
    }
  }

  function takeAll(read: readonly HoldSummary[]): void {
    const known = state.holds;
    const listed = new Map(read.map((hold) => [hold.id, hold]));
    const kept = state.recent.flatMap((id) => {
      const hold = known.get(id);
      return hold === undefined || listed.has(id) ? [] : [hold];
    });
    const vanished = [...known.values()].filter(({ id, state: was }) => was === 'pending' && !listed.has(id));
    const arrived = read.filter(({ id, state: is }) => is === 'pending' && !known.has(id));
    place(new Map([...listed, ...kept.map((hold) => [hold.id, hold] as const)]));
    if (state.loaded && arrived.length > 0) set({ announcement: arrivalText(arrived) });
    set({ loaded: true, problem: '' });
    if (vanished.some(({ id }) => id === state.open?.id)) endPage(state.open?.id ?? '', 'It is over');
    for (const hold of read) compareWithPage(hold);
  }

  /** Puts the holds on the desk, in their order, without moving the line under the cursor. */
  function place(holds: Holds): void {
    const order = orderAfter(state.order, holds, state.cursor);
    const over = [...holds.values()].filter((hold) => hold.state !== 'pending').map(({ id }) => id);
    const newlyOver = over.filter((id) => !state.recent.includes(id)).reverse();
    const recent = [...newlyOver, ...state.recent.filter((id) => over.includes(id))].slice(0, recentMax);
    const isCursorOver = state.cursor !== null && recent.includes(state.cursor);
    const cursor = isCursorOver ? cursorAfter(state.order, order, state.cursor) : state.cursor;
    set({ holds, order, recent, cursor });
  }

  function take(notice: HoldNotice): void {
    const hold = state.holds.get(notice.id);
    if (hold === undefined || notice.kind === 'opened' || notice.kind === 'approved') {
      learn(notice.id);
      return;
    }
    const { state: holdState, callerWaits, outcome } = notice;
    const next = { ...hold, state: holdState, callerWaits, outcome };
    place(new Map(state.holds).set(hold.id, next));
    compareWithPage(next);
  }

  /** The page is pinned to the digest it shows; when the hold is over or other bytes are held, its buttons die. */
  function compareWithPage(hold: HoldSummary): void {
    const { open } = state;
    if (open?.id !== hold.id || open.detail === null) return;
    const shown = open.detail.summary;
    setOpen(hold.id, { detail: { ...open.detail, summary: { ...hold, digest: shown.digest } } });
    if (open.over !== '') return;
    if (hold.digest !== shown.digest)
      setOpen(hold.id, { over: 'What is held has changed since you opened it.' });
    else if (hold.state !== 'pending') endPage(hold.id, capitalised(hold.state));
  }

  function endPage(id: string, how: string): void {
    setOpen(id, { over: `${how}.` });
    const decisionId = state.open?.detail?.summary.decisionId;
    if (decisionId === undefined) return;
    api.finalRuling(decisionId).then((ruling) => {
      if (ruling === null || state.open?.id !== id) return;
      const by = ruling.verdict === 'expired' ? 'Expired: nobody ruled in time' : `${how} by ${ruling.by}`;
      setOpen(id, { over: `${by}.`, ruling });
      set({ announcement: `${by}.` });
    }, complain);
  }

  function read(id: string): void {
    api.hold(id).then(
      (detail) => {
        setOpen(id, { detail, problem: '', over: '' });
        const { summary } = detail;
        if (state.holds.has(id)) place(new Map(state.holds).set(id, summary));
        if (summary.state !== 'pending') endPage(id, capitalised(summary.state));
      },
      (error: unknown) => {
        setOpen(id, { problem: messageOf(error) });
        if (error instanceof ApiError && error.status === 401) complain(error);
      },
    );
  }

  async function rule(ruling: Omit<RulingRequest, 'digest'>): Promise<void> {
    const { open } = state;
    if (open?.detail == null || open.over !== '')
      throw new ApiError(409, '', 'There is nothing to rule on.', '');
    const { id, digest } = open.detail.summary;
    try {
      const signed = await signedIfPossible(api, open.detail, signedIn(), { ...ruling, digest });
      const summary = await api.rule(id, signed);
      setOpen(id, { panel: null });
      if (summary.state === 'pending') set({ announcement: 'Your approval is sealed; more are needed.' });
      place(new Map(state.holds).set(id, summary));
      compareWithPage(summary);
      if (summary.state === 'pending') read(id);
    } catch (error) {
      if (error instanceof ApiError && error.status === 409 && error.code !== '') {
        setOpen(id, { over: error.message });
        refresh();
      }
      throw error;
    }
  }

  function signedIn(): Identity {
    if (state.identity === null) throw new ApiError(401, '', 'You are signed out.', '');
    return state.identity;
  }

  function complain(error: unknown): void {
    if (error instanceof ApiError && error.status === 401) end(endingOf(error));
    else set({ problem: messageOf(error) });
  }

  /** What pages read: a token that is no longer known ends the session, whoever finds out. */
  async function orSignOut<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) complain(error);
      throw error;
    }
  }

  function visible(): readonly string[] {
    return [...state.order, ...state.recent].filter((id) => {
      const hold = state.holds.get(id);
      return hold !== undefined && matchesFilter(hold, state.filter);
    });
  }

  entrance.open().catch(complain);

  return {
    get: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    nowMs: () => api.nowMs(),
    signIn: (token) => {
      entrance.byToken(token).catch(complain);
    },
    signInElsewhere: () => {
      entrance.elsewhere().catch(complain);
    },
    signOut: () => {
      entrance.signOut().catch(complain);
    },
    retryNow: () => link?.retryNow(),
    setFilter: (filter) => set({ filter }),
    setCursor: (cursor) => {
      if (state.cursor !== cursor) set({ cursor });
    },
    moveCursor: (steps) => {
      const cursor = movedCursor(visible(), state.cursor, steps);
      set({ cursor });
      return cursor;
    },
    sort: () => set({ order: sortedOrder(state.holds) }),
    turnTo: (place) => set({ place }),
    fetch: (path) => orSignOut(api.get(path)),
    bytes: (path) => orSignOut(api.bytes(path)),
    show: (id, panel = null) => {
      if (id === null) return set({ open: null });
      if (state.open?.id === id) return setOpen(id, panel === null ? {} : { panel });
      set({ open: { ...closedPage(id), panel }, cursor: state.holds.has(id) ? id : state.cursor });
      if (state.identity !== null) read(id);
    },
    reread: () => {
      const { open } = state;
      if (open === null) return;
      set({ open: closedPage(open.id) });
      read(open.id);
    },
    setPanel: (panel) => {
      if (state.open !== null) setOpen(state.open.id, { panel });
    },
    rule,
    signing: async () => signingState(api, signedIn()),
    makeKey: async () => enrolBrowser(api, signedIn()),
    setHelp: (helpShown) => set({ helpShown }),
  };
}
