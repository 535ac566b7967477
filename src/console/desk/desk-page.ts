/** The hold on the page: pinned to the digest it shows, its buttons dead once it is over or something changed. */

import type { HoldSummary, Identity } from '../answers/hold-data.ts';
import { type Api, ApiError, type RulingRequest } from './api.ts';
import type { Complain } from './desk-session.ts';
import { type Action, capitalised, closedPage, isOutage, messageOf } from './desk-state.ts';
import type { Store } from './desk-store.ts';
import { wasRuled } from './ruling-words.ts';
import { signedIfPossible } from './signing.ts';

export interface DeskPage {
  /** Reads the hold and shows it; null closes the page. */
  show(id: string | null, panel?: Action | null): void;
  reread(): void;
  /** Reads again what an outage kept from being read. */
  connected(): void;
  /** Compares what is known of a hold now with what the page shows. */
  compare(hold: HoldSummary): void;
  /** The hold is no longer listed; it may wait all the same, where more wait than are listed. */
  gone(id: string): void;
  /** Sends a ruling bound to the digest on the page. Rejects with what the sidecar answered. */
  rule(ruling: Omit<RulingRequest, 'digest'>): Promise<void>;
}

export function createDeskPage(options: {
  readonly store: Store;
  readonly api: () => Api;
  /** Puts a line that was read here on the desk. */
  readonly put: (hold: HoldSummary) => void;
  readonly refresh: () => void;
  /** Throws where nobody is signed in. */
  readonly signedIn: () => Identity;
  readonly complain: Complain;
}): DeskPage {
  const { store, api, put, refresh, signedIn, complain } = options;
  const { setOpen } = store;
  /** How often the hold on the page was asked for. */
  let readings = 0;
  /** What an outage kept from being learned of a hold, how to ask again, and at which connection it was asked for. */
  let missed: { readonly id: string; readonly again: () => void; readonly connections: number } | null = null;

  function compare(hold: HoldSummary): void {
    const { open } = store.get();
    if (open?.id !== hold.id || open.detail === null) return;
    const shown = open.detail.summary;
    setOpen(hold.id, { detail: { ...open.detail, summary: { ...hold, digest: shown.digest } } });
    if (open.over !== '') return;
    if (hold.digest !== shown.digest)
      setOpen(hold.id, { over: 'What is held has changed since you opened it.' });
    else if (hold.state !== 'pending') end(hold.id, capitalised(hold.state));
    else if (whoRules(hold) !== whoRules(shown)) read(hold.id);
  }

  function end(id: string, how: string): void {
    setOpen(id, { over: `${how}.` });
    const decisionId = store.get().open?.detail?.summary.decisionId;
    if (decisionId === undefined) return;
    const asked = api();
    const { connections } = store.get();
    asked
      .finalRuling(decisionId)
      .then((ruling) => {
        if (ruling === null || store.get().open?.id !== id) return;
        const over = wasRuled(ruling);
        setOpen(id, { over, ruling });
        store.set({ announcement: over });
        // Somebody else reviews it, on this page as soon as it knows who broke the glass.
        const known = store.get().open?.detail?.rulings ?? [];
        if (ruling.breakGlass && !known.some(({ breakGlass }) => breakGlass)) read(id);
      })
      .catch((error: unknown) => {
        complain(error, asked);
        miss(error, { id, again: () => end(id, how), connections });
      });
  }

  function learnEnd(id: string): void {
    const asked = api();
    const { connections } = store.get();
    asked
      .holdLine(id)
      .then((hold) => {
        if (store.get().open?.id !== id) return;
        if (hold === null) end(id, 'It is over');
        else if (hold.state !== 'pending') end(id, capitalised(hold.state));
        else compare(hold);
      })
      .catch((error: unknown) => {
        complain(error, asked);
        miss(error, { id, again: () => learnEnd(id), connections });
      });
  }

  function read(id: string): void {
    readings += 1;
    const mine = readings;
    const asked = api();
    const { connections } = store.get();
    missed = null;
    asked.hold(id).then(
      (detail) => {
        // What was asked for later knows more.
        if (mine !== readings) return;
        const summary = newest(detail.summary);
        const shown = store.get().open?.detail?.summary.digest ?? summary.digest;
        if (shown !== summary.digest) return compare(summary);
        setOpen(id, { detail: { ...detail, summary }, problem: '' });
        if (store.get().holds.has(id)) put(summary);
        if (summary.state !== 'pending') end(id, capitalised(summary.state));
      },
      (error: unknown) => {
        if (mine !== readings) return;
        setOpen(id, { problem: messageOf(error) });
        miss(error, { id, again: () => read(id), connections });
        if (error instanceof ApiError && error.status === 401) complain(error, asked);
      },
    );
  }

  function miss(error: unknown, what: NonNullable<typeof missed>): void {
    if (!isOutage(error) || store.get().open?.id !== what.id) return;
    missed = what;
    // The connection may be back before the reading fails.
    connected();
  }

  /** Once for each connection that came after it was asked for. */
  function connected(): void {
    const { open, connections } = store.get();
    if (missed === null || open?.id !== missed.id || connections === missed.connections) return;
    const { again } = missed;
    missed = null;
    again();
  }

  /** A hold may have ended while it was read; then the queue knows, and what was read is of before. */
  function newest(summary: HoldSummary): HoldSummary {
    const line = store.get().holds.get(summary.id);
    const isLate = line !== undefined && line.state !== 'pending' && summary.state === 'pending';
    return isLate ? { ...line, digest: summary.digest } : summary;
  }

  async function rule(ruling: Omit<RulingRequest, 'digest'>): Promise<void> {
    const { open } = store.get();
    if (open?.detail == null || open.over !== '')
      throw new ApiError(409, '', 'There is nothing to rule on.', '');
    const { id, digest } = open.detail.summary;
    try {
      const signed = await signedIfPossible(api(), open.detail, signedIn(), { ...ruling, digest });
      const summary = await api().rule(id, signed);
      setOpen(id, { panel: null });
      if (summary.state === 'pending')
        store.set({ announcement: 'Your approval is sealed; more are needed.' });
      put(summary);
    } catch (error) {
      if (error instanceof ApiError && error.status === 409 && error.code !== '') {
        setOpen(id, { over: error.message });
        refresh();
      }
      store.refuse(id, error);
      throw error;
    }
  }

  return {
    show: (id, panel = null) => {
      const { open, holds, cursor, identity } = store.get();
      if (id === null) return store.set({ open: null });
      if (open?.id === id) return setOpen(id, panel === null ? {} : { panel });
      store.set({ open: { ...closedPage(id), panel }, cursor: holds.has(id) ? id : cursor });
      if (identity !== null) read(id);
    },
    reread: () => {
      const { open } = store.get();
      if (open === null) return;
      store.set({ open: closedPage(open.id) });
      read(open.id);
    },
    connected,
    compare,
    gone: (id) => {
      if (store.get().open?.id === id) learnEnd(id);
    },
    rule,
  };
}

/** What of a line tells that the whole has more to say: who may do what, and what was said. */
function whoRules({ approvals, roles, commentCount }: HoldSummary): string {
  return JSON.stringify([approvals.given, roles, commentCount]);
}
