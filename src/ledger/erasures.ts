/**
 * Erasures of a ledger that is open, one after the other: sealed, durable, and only then carried out. What must not
 * fall between the two, such as a legal hold, takes its turn here too.
 */
import { HoldpointError } from '../core/errors.ts';
import { createInTurn } from '../core/in-turn.ts';
import { destroy, finishErasures } from './destroying.ts';
import { type Target, targetsOf } from './erasure.ts';
import { decisionId } from './ids.ts';
import type { Opened } from './opening.ts';
import type { Draft, Sealed } from './sealer.ts';
import type { KeyEncryptionKey } from './vault.ts';

/** An erasure that is sealed, and what was destroyed of what it names. */
export interface Erased {
  readonly seq: number;
  readonly bytesWiped: number;
  /** Still stored, or not known to be gone; each start tries again. */
  readonly left: readonly Target[];
  /** Why the first of them is. */
  readonly cause?: unknown;
}

export interface Erasures {
  /** See Ledger.erase. */
  erase(draft: Draft, isStillDue: () => boolean): Promise<Erased | null>;
  /** Does the work between two erasures. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** See Ledger.erasureAge. */
  age(): number;
  /** Resolves when those that were asked for have ended. */
  idle(): Promise<unknown>;
}

export interface ErasuresOptions {
  readonly opened: () => Opened;
  readonly seal: (draft: Draft) => Sealed;
  readonly keks: () => readonly KeyEncryptionKey[];
}

export function createErasures({ opened, seal, keks }: ErasuresOptions): Erasures {
  /** Erasures, one after the other. */
  const inTurn = createInTurn();
  let age = 0;
  let openedBefore: Opened | null = null;
  /** What is sealed in this log before `upTo` was carried out as far as it can be: damage is not met at each erasure. */
  let tried: { readonly log: Opened; readonly upTo: number } | null = null;

  async function erase(draft: Draft, isStillDue: () => boolean): Promise<Erased | null> {
    const log = opened();
    const { ledgerId, store, sealer } = log;
    const upTo = sealer.durable().size;
    const { from } = await finishErasures(store, keks(), ledgerId, upTo, tried?.log === log ? tried.upTo : 0);
    tried = { log, upTo };
    age += 1;
    // Before the entry: a crash after it is durable must find it.
    await store.writeUnfinishedFrom(from ?? sealer.durable().size);
    if (!isStillDue()) return null;
    requireClosed(targetsOf(draft));
    const { seq, durable } = seal(draft);
    await durable;
    try {
      const { bytes, left, cause } = await destroy(store, keks(), ledgerId, targetsOf(draft));
      await store.writeUnfinishedFrom(from ?? (left.length === 0 ? null : seq));
      tried = { log, upTo: seq + 1 };
      return { seq, bytesWiped: bytes, left, cause };
    } finally {
      // Also where it failed: some of it may be gone.
      age += 1;
    }
  }

  /** In one step with the sealing, so that no decision opens or closes in between. */
  function requireClosed(targets: readonly (readonly [number, number])[]): void {
    const { head, ledgerId } = opened();
    const open = targets.find(([seq]) => head.open.has(seq));
    if (open === undefined) return;
    throw new HoldpointError(
      'erasure_under_way',
      `Decision ${decisionId(ledgerId, open[0])} has no outcome yet.`,
      'Erase it once it ended.',
    );
  }

  return {
    erase: (draft, isStillDue) => inTurn(() => erase(draft, isStillDue)),
    inTurn,
    age: () => {
      // What was left is carried out when the log is opened again.
      if (openedBefore !== opened()) age += 1;
      openedBefore = opened();
      return age;
    },
    idle: () => inTurn(async () => undefined),
  };
}
