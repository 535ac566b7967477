/**
 * The log that is in use, and what happens when a write to it fails: nothing is sealed, and it is opened again until
 * that works. Owns which log is in use and whether it takes entries.
 */
import { HoldpointError } from '../core/errors.ts';
import type { LedgerEvent, RecoveryReason } from './ledger-options.ts';
import type { Opened } from './opening.ts';
import type { Draft, Sealed, Sealer } from './sealer.ts';

export interface Reopening {
  /** The first opening, whose failure is the caller's. */
  start(): Promise<void>;
  /** The log in use; call it once `start` resolved. */
  opened(): Opened;
  /** What is durable; nothing before `start` resolved. */
  durable(): { readonly size: number; readonly note: Buffer };
  isWritable(): boolean;
  /** Throws `ledger_unavailable` while the log takes nothing. */
  requireWritable(): void;
  /** Throws `ledger_unavailable` while the log takes nothing, and as Sealer.seal does. */
  seal(draft: Draft): Sealed;
  /** Reads; throws `ledger_unavailable` where the store was closed meanwhile, to be opened again. */
  reading<T>(read: () => Promise<T>): Promise<T>;
  /** Told that a commit of this sealer failed. */
  failed(sealer: Sealer, error: unknown): void;
  /** Opens nothing more; resolves when what was being opened is, or is not. */
  stop(): Promise<void>;
  /** Takes no more entries. */
  end(): void;
}

export interface ReopeningOptions {
  readonly open: (reason: RecoveryReason) => Promise<Opened>;
  readonly onEvent: (event: LedgerEvent) => void;
  /** Called once entries are taken, the first time included. */
  readonly onWritable: () => void;
}

const nothingDurable = { size: 0, note: Buffer.alloc(0) };
const reopenAfterMs = 500;
/** Waits between attempts double up to this, so that a long outage does not fill the log. */
const reopenAfterMsMax = 5_000;

export function createReopening({ open, onEvent, onWritable }: ReopeningOptions): Reopening {
  let opened: Opened | null = null;
  let writable = false;
  let closing = false;
  let reopenTimer: NodeJS.Timeout | null = null;
  let reopening: Promise<void> = Promise.resolve();
  let reopenWaitMs = reopenAfterMs;

  /** From here on calls are sealed there. One step with `writable`, so that nobody meets half of it. */
  function adopt(next: Opened): void {
    opened = next;
    writable = true;
    reopenWaitMs = reopenAfterMs;
    onEvent({
      kind: 'opened',
      size: next.head.nextSeq,
      entriesChecked: next.entriesChecked,
      isRemembered: next.isRemembered,
      closed: next.closed,
    });
    onWritable();
  }

  function scheduleReopen(): void {
    if (closing) return;
    reopenTimer = setTimeout(() => {
      reopening = reopen().catch((error: unknown) => {
        onEvent({ kind: 'reopen_failed', error });
        scheduleReopen();
      });
    }, reopenWaitMs);
    reopenWaitMs = Math.min(2 * reopenWaitMs, reopenAfterMsMax);
  }

  async function reopen(): Promise<void> {
    await opened?.store.close();
    adopt(await open('store_failure'));
  }

  return {
    start: async () => adopt(await open('start')),
    opened: () => {
      if (opened === null) throw notWritable();
      return opened;
    },
    durable: () => opened?.sealer.durable() ?? nothingDurable,
    isWritable: () => writable,
    requireWritable: () => {
      if (!writable) throw notWritable();
    },
    seal: (draft) => {
      if (!writable || opened === null) throw notWritable();
      return opened.sealer.seal(draft);
    },
    reading: async (read) => {
      const before = opened;
      try {
        return await read();
      } catch (error) {
        const isSame = writable && opened === before;
        throw error instanceof HoldpointError || isSame ? error : notReadable(error);
      }
    },
    failed: (sealer, error) => {
      // While it is being opened, whoever opens it hears of the failure from `drain`.
      if (opened?.sealer !== sealer) return;
      writable = false;
      onEvent({ kind: 'failed', error });
      scheduleReopen();
    },
    stop: async () => {
      closing = true;
      if (reopenTimer !== null) clearTimeout(reopenTimer);
      await reopening;
    },
    end: () => {
      writable = false;
    },
  };
}

function notWritable(): HoldpointError {
  return new HoldpointError(
    'ledger_unavailable',
    'The ledger cannot be written, so nothing is sent or delivered.',
    'Holdpoint retries by itself; check disk space and the log, then retry the call.',
  );
}

function notReadable(cause: unknown): HoldpointError {
  return new HoldpointError(
    'ledger_unavailable',
    'The ledger is not open, so nothing is read from it.',
    'Holdpoint retries by itself; check disk space and the log, then ask again.',
    cause,
  );
}
