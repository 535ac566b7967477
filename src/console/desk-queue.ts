/** Keeps the queue on the desk as the sidecar has it: read whole on every connection, then line by line as events say. */
import type { Api } from './api.ts';
import { arrivalText } from './desk-state.ts';
import type { Store } from './desk-store.ts';
import type { HoldNotice, HoldPage, HoldSummary } from './hold-data.ts';
import { cursorAfter, type Holds, orderAfter } from './queue.ts';

export interface DeskQueue {
  /** Reads the queue; a wish that comes while it is read is met by one more reading. */
  refresh(): void;
  /** Takes what an event says. */
  take(notice: HoldNotice): void;
  /** Puts one line on the desk, or a newer form of it. */
  put(hold: HoldSummary): void;
  /** Forgets what was to be read. */
  stop(): void;
}

const recentMax = 50;
const alertsMax = 20;
/** What fills any screen comes first. */
const firstPageHolds = 50;
const pageHolds = 500;
const holdsMax = 20_000;
/** Lines read one by one; beyond, the whole queue is. */
const linesMax = 20;

export function createDeskQueue(options: {
  readonly store: Store;
  readonly api: () => Api;
  /** Hears of each line that was read or changed. */
  readonly onHold: (hold: HoldSummary) => void;
  /** Hears of a hold that is no longer listed. */
  readonly onGone: (id: string) => void;
  readonly complain: (error: unknown) => void;
}): DeskQueue {
  const { store, api, onHold, onGone, complain } = options;
  let refreshing = false;
  let refreshAgain = false;
  /** Holds that events named and nobody has read yet. */
  const unknown = new Set<string>();
  let learning = false;

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
      const page: HoldPage = await api().holds(after, after === null ? firstPageHolds : pageHolds);
      all.push(...page.items);
      if (after === null && !store.get().loaded && page.next !== null) {
        place(new Map(page.items.map((hold) => [hold.id, hold])));
        store.set({ loaded: true, problem: '' });
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
      const hold = await api().holdLine(id);
      if (hold === null) continue;
      const isNew = !store.get().holds.has(id) && hold.state === 'pending';
      put(hold);
      if (isNew) store.set({ announcement: arrivalText([hold]) });
    }
  }

  function takeAll(read: readonly HoldSummary[]): void {
    const { holds: known, recent, loaded } = store.get();
    const listed = new Map(read.map((hold) => [hold.id, hold]));
    const kept = recent.flatMap((id) => {
      const hold = known.get(id);
      return hold === undefined || listed.has(id) ? [] : [hold];
    });
    const vanished = [...known.values()].filter(({ id, state: was }) => was === 'pending' && !listed.has(id));
    const arrived = read.filter(({ id, state: is }) => is === 'pending' && !known.has(id));
    place(new Map([...listed, ...kept.map((hold) => [hold.id, hold] as const)]));
    if (loaded && arrived.length > 0) store.set({ announcement: arrivalText(arrived) });
    store.set({ loaded: true, problem: '' });
    for (const { id } of vanished) onGone(id);
    for (const hold of read) onHold(hold);
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
    place(new Map(store.get().holds).set(hold.id, hold));
    onHold(hold);
  }

  function take(notice: HoldNotice): void {
    const { holds, alerts, open } = store.get();
    if (notice.kind === 'looking') {
      if (open?.id === notice.id) store.setOpen(open.id, { looks: open.looks + 1 });
      return;
    }
    if (notice.kind === 'glass-broken')
      store.set({ alerts: [notice.id, ...alerts.filter((id) => id !== notice.id)].slice(0, alertsMax) });
    if (notice.kind === 'reviewed') store.set({ reviewed: store.get().reviewed + 1 });
    const hold = holds.get(notice.id);
    if (hold === undefined || rereadKinds.includes(notice.kind)) {
      learn(notice.id);
      return;
    }
    const { state, callerWaits, outcome } = notice;
    put({ ...hold, state, callerWaits, outcome });
  }

  return { refresh, take, put, stop: () => unknown.clear() };
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
