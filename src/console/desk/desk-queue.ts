/**
 * Keeps the queue on the desk as the sidecar has it: what fills a screen at once, all of it on every connection, then
 * line by line as events say.
 */

import type { HoldNotice, HoldPage, HoldSummary } from '../answers/hold-data.ts';
import type { Api } from './api.ts';
import { createDeskLines } from './desk-lines.ts';
import type { Complain } from './desk-session.ts';
import { arrivalText } from './desk-state.ts';
import type { Store } from './desk-store.ts';
import { backOffMs } from './events.ts';
import { cursorAfter, type Holds, orderAfter } from './queue.ts';

export interface DeskQueue {
  /** Reads what fills a screen; call it once for each session, before the first `refresh`. */
  begin(): void;
  /** Reads the queue; a wish that comes while it is read is met by one more reading. */
  refresh(): void;
  /** Takes what an event says. */
  take(notice: HoldNotice): void;
  /** Puts one line on the desk, or a newer form of it. */
  put(hold: HoldSummary): void;
  /** Forgets what was to be read, and drops what is still on its way. */
  stop(): void;
}

export interface DeskQueueOptions {
  readonly store: Store;
  readonly api: () => Api;
  /** Hears of each line that was read or changed. */
  readonly onHold: (hold: HoldSummary) => void;
  /** Hears of a hold that is no longer listed. */
  readonly onGone: (id: string) => void;
  readonly complain: Complain;
  /** Resolves once what was put on the desk is on the screen. */
  readonly shown: () => Promise<void>;
  /** Resolves after so long. */
  readonly pause: (ms: number) => Promise<void>;
}

interface QueueRead {
  readonly all: readonly HoldSummary[];
  /** How many wait, where not all of them were read; else null. */
  readonly pendingTotal: number | null;
}

const recentMax = 50;
const alertsMax = 20;
/** What fills any screen comes first. */
const firstPageHolds = 50;
const pageHolds = 500;
const holdsMax = 20_000;
/** How often a queue that cannot be read is asked for; after that the next connection reads it. */
const queueReadingsMax = 7;

export function createDeskQueue(options: DeskQueueOptions): DeskQueue {
  const { store, api, onHold, onGone, complain, shown, pause } = options;
  const lines = createDeskLines({ store, api, put, refresh, complain, pause });
  /** Grows when a session ends: what was asked for in an earlier one is nobody's any more. */
  let session = 0;
  let first: Promise<void> = Promise.resolve();
  let refreshing = false;
  let refreshAgain = false;
  /** How often the queue was asked for; `failures` of these in a row were in vain. */
  let readings = 0;
  let failures = 0;
  /** Whether all that a tab keeps of it was read in this session, and how many of those waited. */
  let isWhole = false;
  let listedCount = 0;
  /** Holds of which something newer came while the queue is read: what is read of them may be older. */
  const newer = new Set<string>();

  function stop(): void {
    session += 1;
    first = Promise.resolve();
    refreshing = false;
    refreshAgain = false;
    failures = 0;
    isWhole = false;
    lines.stop();
    newer.clear();
  }

  function begin(): void {
    const mine = session;
    // What went wrong is told by the reading of the whole queue, or by the connection that it waits for.
    first = readFirst(mine).catch(() => undefined);
  }

  async function readFirst(mine: number): Promise<void> {
    const { items, total } = await api().pendingHolds(firstPageHolds);
    if (mine !== session || isWhole) return;
    place(new Map([...items.map((hold) => [hold.id, hold] as const), ...store.get().holds]));
    store.set({ loaded: true, problem: '', unread: total - items.length });
    await shown();
  }

  function refresh(): void {
    if (refreshing) {
      refreshAgain = true;
      return;
    }
    refreshing = true;
    readings += 1;
    const mine = session;
    const from = api();
    readQueue(from)
      .then((read) => {
        if (mine === session) takeAll(read);
      })
      .catch((error: unknown) => {
        if (mine === session) missed(error, from);
      })
      .finally(() => {
        if (mine !== session) return;
        refreshing = false;
        if (!refreshAgain) return;
        refreshAgain = false;
        refresh();
      });
  }

  function missed(error: unknown, from: Api): void {
    const mine = session;
    complain(error, from);
    // What was complained of may have ended the session.
    if (mine !== session) return;
    failures += 1;
    if (failures < queueReadingsMax) askLater().catch((failure: unknown) => complain(failure, from));
  }

  /** Unless it is asked for before, or the session ends. */
  async function askLater(): Promise<void> {
    const mine = session;
    const before = readings;
    await pause(backOffMs(failures - 1, Math.random()));
    if (mine === session && before === readings) refresh();
  }

  /** The queue, page by page, up to what a tab keeps. */
  async function readQueue(from: Api): Promise<QueueRead> {
    await first;
    newer.clear();
    const all: HoldSummary[] = [];
    let after: string | null = null;
    do {
      const page: HoldPage = await from.holds(after, pageHolds);
      all.push(...page.items);
      after = page.next;
    } while (after !== null && all.length < holdsMax);
    if (after === null) return { all, pendingTotal: null };
    const { total } = await from.pendingHolds(1);
    return { all, pendingTotal: total };
  }

  function takeAll({ all: read, pendingTotal }: QueueRead): void {
    const { holds: known, recent } = store.get();
    const listed = new Map(read.map((hold) => [hold.id, hold]));
    for (const id of newer) {
      const hold = known.get(id);
      if (hold !== undefined) listed.set(id, hold);
    }
    const kept = recent.flatMap((id) => {
      const hold = known.get(id);
      return hold === undefined || listed.has(id) ? [] : [hold];
    });
    const vanished = [...known.values()].filter(({ id, state: was }) => was === 'pending' && !listed.has(id));
    const arrived = read.filter(({ id, state: is }) => is === 'pending' && !known.has(id));
    place(new Map([...listed, ...kept.map((hold) => [hold.id, hold] as const)]));
    // What was there before the reviewer came did not arrive.
    if (isWhole && arrived.length > 0) store.set({ announcement: arrivalText(arrived) });
    isWhole = true;
    failures = 0;
    const { order } = store.get();
    listedCount = order.length;
    const isCut = pendingTotal !== null;
    const unread = isCut ? Math.max(0, pendingTotal - order.length) : 0;
    store.set({ loaded: true, problem: '', unread, isCut });
    for (const { id } of vanished) onGone(id);
    for (const hold of listed.values()) onHold(hold);
  }

  /** Puts the holds on the desk, in their order, without moving the line under the cursor. */
  function place(holds: Holds): void {
    const before = store.get();
    const order = orderAfter(before.order, holds, before.cursor);
    const over = [...holds.values()].filter((hold) => hold.state !== 'pending').map(({ id }) => id);
    const newlyOver = over.filter((id) => !before.recent.includes(id)).reverse();
    const recent = [...newlyOver, ...before.recent.filter((id) => over.includes(id))].slice(0, recentMax);
    const isCursorOver = before.cursor !== null && recent.includes(before.cursor);
    const cursor = isCursorOver ? cursorAfter(before.order, order, before.cursor) : before.cursor;
    store.set({ holds, order, recent, cursor });
  }

  function put(hold: HoldSummary): void {
    const known = store.get().holds.get(hold.id);
    // What is over never waits again: this was read before, and came late.
    if (known !== undefined && known.state !== 'pending' && hold.state === 'pending') return;
    if (refreshing) newer.add(hold.id);
    place(new Map(store.get().holds).set(hold.id, hold));
    onHold(hold);
    const { isCut, order } = store.get();
    // What was left unread moves up before the list runs dry.
    if (isCut && !refreshing && order.length <= listedCount / 2) refresh();
  }

  function take(notice: HoldNotice): void {
    const { holds, alerts, open } = store.get();
    if (notice.kind === 'looking') {
      if (open?.id === notice.id) store.setOpen(open.id, { looks: open.looks + 1 });
      return;
    }
    if (notice.kind === 'glass-broken')
      store.set({ alerts: [notice.id, ...alerts.filter((id) => id !== notice.id)].slice(0, alertsMax) });
    if (notice.kind === 'glass-broken' || notice.kind === 'reviewed')
      store.set({ reviewed: store.get().reviewed + 1 });
    const hold = holds.get(notice.id);
    if (hold === undefined || rereadKinds.includes(notice.kind)) {
      lines.learn(notice.id);
      return;
    }
    const { state, callerWaits, outcome } = notice;
    put({ ...hold, state, callerWaits, outcome });
  }

  return { begin, refresh, take, put, stop };
}

/** Events after which more of a line has changed than they say. */
const rereadKinds: readonly string[] = [
  'opened',
  'approved',
  'escalated',
  'commented',
  'assigned',
  'reviewed',
];
