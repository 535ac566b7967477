/**
 * Held answers that lie on disk. They are not in the ledger whole, so this is what a release hands over: each is kept
 * from the opening of its hold to its outcome, whoever waits or comes back meanwhile, and ends with the process.
 */
import type { RawHeaders } from '../core/http-message.ts';
import type { Spool } from '../core/spool.ts';
import type { HoldQueue } from '../hold/queue.ts';
import type { Hold } from '../hold/record.ts';
import type { StoredBody } from './stored-body.ts';

/** An answer as it came, to be handed over once it is released. */
export interface ArrivedAnswer {
  readonly headers: RawHeaders;
  readonly body: Buffer;
  readonly bytes: number;
  /** All of it, where `body` is its beginning. */
  readonly spool: Spool | null;
  readonly passedBytes: number;
  readonly stored: StoredBody;
}

export interface KeptAnswers {
  /** Owns the answer's spool from now on. */
  keep(hold: Hold, answer: ArrivedAnswer, spool: Spool): void;
  keeps(spool: Spool): boolean;
  /** The answer of a hold; null where none is kept. */
  of(hold: Hold): ArrivedAnswer | null;
  /** Lets all of them go. */
  close(): Promise<void>;
}

const empty = Buffer.alloc(0);

/** Keeps answers until the queue says that their holds are over. */
export function createKeptAnswers(
  holds: Pick<HoldQueue, 'subscribe'>,
  onError: (what: string, error: unknown) => void,
): KeptAnswers {
  const kept = new Map<number, ArrivedAnswer>();
  async function drop(seq: number): Promise<void> {
    const answer = kept.get(seq);
    kept.delete(seq);
    await answer?.spool?.close();
  }
  const unsubscribe = holds.subscribe(({ kind, hold }) => {
    if (kind !== 'settled') return;
    drop(hold.seq).catch((error: unknown) => onError('A held answer on disk could not be let go', error));
  });
  return {
    keep: (hold, { headers, bytes, passedBytes, stored }, spool) => {
      // The bytes are on disk: those in memory may go.
      kept.set(hold.seq, {
        headers,
        bytes,
        passedBytes,
        spool,
        body: empty,
        stored: { ...stored, body: empty },
      });
    },
    keeps: (spool) => [...kept.values()].some((answer) => answer.spool === spool),
    of: (hold) => kept.get(hold.seq) ?? null,
    close: async () => {
      unsubscribe();
      await Promise.all([...kept.keys()].map(drop));
    },
  };
}
