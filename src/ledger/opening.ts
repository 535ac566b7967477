/**
 * Opens or begins the log: the tail is checked, what is derived catches up, what a crash left open is closed, and
 * what a start says is sealed. The same after a failed write as at a start, so that it is exercised either way.
 */
import { HoldpointError } from '../core/errors.ts';
import type { Derived } from './derived.ts';
import { finishErasures, leftStored, unreadSaid } from './destroying.ts';
import type { Outcome } from './entry.ts';
import { emptyHead, type Head } from './head.ts';
import { epochDraft, escrowDraft } from './key-drafts.ts';
import type { LedgerKeys } from './ledger-keys.ts';
import type { LedgerOptions, RecoveryReason } from './ledger-options.ts';
import { readEntry } from './reader.ts';
import { type Resumed, resume, rolledBack } from './resume.ts';
import { type Sealer, startSealer } from './sealer.ts';
import type { LedgerStore, RecordStore, Restored } from './store.ts';
import { emptyTree } from './tree.ts';
import type { KeyEncryptionKey } from './vault.ts';

/** A log that entries are sealed in; after a failed write another one takes its place. */
export interface Opened {
  readonly ledgerId: string;
  readonly store: LedgerStore;
  readonly sealer: Sealer;
  readonly head: Head;
  readonly entriesChecked: number;
  readonly isRemembered: boolean;
  /** How many decisions recovery gave their outcome. */
  readonly closed: number;
}

export interface OpeningOptions {
  readonly ledger: LedgerOptions;
  readonly keys: LedgerKeys;
  readonly derived: Derived;
  /** What `checkCopyBeside` found. */
  readonly copied: Resumed | null;
  /** What a decision ended with and is not known to be sealed. */
  readonly outcomeOf: (decision: number) => Outcome | undefined;
  /** Told when a commit of this sealer failed. */
  readonly onFailure: (sealer: Sealer, error: unknown) => void;
}

export interface Opening {
  /** Rejects with whatever kept it from opening; the store is closed then. */
  open(reason: RecoveryReason): Promise<Opened>;
}

const recoverPerEntryMax = 1024;
const mayErase =
  'where one of them is an erasure, nobody can tell what it names, nor whether that is destroyed.';

/**
 * Looks at a copy of the ledger before it is opened, so that a refused start leaves what it found, while what is derived
 * from it is being opened: neither reads what the other one does. Throws as `openLedger` does; then nothing is left open.
 */
export async function checkCopyBeside(
  deriving: Promise<Derived>,
  options: LedgerOptions,
  keys: LedgerKeys,
): Promise<{ readonly derived: Derived; readonly copied: Resumed | null }> {
  const [opened, checked] = await Promise.allSettled([deriving, checkCopy(options, keys)]);
  // Before what the copy says: that is no finding where another process has the directory.
  if (opened.status === 'rejected') throw opened.reason;
  if (checked.status === 'fulfilled') return { derived: opened.value, copied: checked.value };
  await opened.value.close();
  throw checked.reason;
}

/** What the copy resumed to; null where there is nothing to copy. */
async function checkCopy(options: LedgerOptions, keys: LedgerKeys): Promise<Resumed | null> {
  const copy = await options.openCopy?.();
  if (copy === undefined) return null;
  if (copy === null) {
    // Nothing is begun where a ledger was: what is to be restored there finds the place as it was left.
    const mark = options.highWater.read();
    if (mark !== null) throw rolledBack(0, mark.size);
    return null;
  }
  try {
    return await resumeFrom(copy, options, keys, null);
  } finally {
    await copy.close();
  }
}

async function resumeFrom(
  store: RecordStore,
  { highWater, tailBytesMin }: LedgerOptions,
  keys: LedgerKeys,
  before: Resumed | null,
): Promise<Resumed | null> {
  const resumed = await resume(store, highWater, keys.signerFor, tailBytesMin, keys.keks(), before);
  requireKek(resumed?.kekId ?? null, keys.keks());
  return resumed;
}

export function createOpening(parts: OpeningOptions): Opening {
  const { ledger: options, keys, derived } = parts;
  const boot = options.random(8).toString('hex');

  /** What the copy resumed to, until the store that it is a copy of is opened. */
  let { copied } = parts;

  async function open(reason: RecoveryReason): Promise<Opened> {
    const store = await options.openStore();
    try {
      return await continueFrom(store, reason);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  function sealerOf(store: LedgerStore, ledgerId: string, head: Head, resumed: Resumed | null): Sealer {
    const sealer = startSealer({
      ledgerId,
      boot,
      signer: keys.signer(),
      store,
      head,
      durability: options.durability,
      kek: keys.kekInUse(),
      clock: options.clock,
      highWater: options.highWater,
      tree: resumed?.tree ?? emptyTree,
      note: resumed?.note ?? Buffer.alloc(0),
      onDurable: derived.take,
      onFailure: (error) => parts.onFailure(sealer, error),
    });
    return sealer;
  }

  async function continueFrom(store: LedgerStore, reason: RecoveryReason): Promise<Opened> {
    const before = copied;
    copied = null;
    const resumed = await resumeFrom(store, options, keys, before);
    const ledgerId = resumed?.ledgerId ?? options.random(16).toString('hex');
    keys.use(keys.signerFor(ledgerId, resumed?.kid));
    const head = resumed?.head ?? emptyHead();
    const sealer = sealerOf(store, ledgerId, head, resumed);
    await derived.catchUp(store, head.nextSeq);
    if (resumed === null) {
      const { verifierKey, origin } = keys.signer();
      sealer.seal({ type: 'genesis', data: { key: verifierKey, origin, product: options.product } });
    }
    const noted = reason === 'start' ? await store.readRestored() : null;
    // Of another size: sealed before, by a start that died before the note was gone.
    const restored = [noted, reason === 'start' ? (options.restored ?? null) : null].find(
      (note) => note !== null && resumed !== null && note.size === head.nextSeq,
    );
    if (restored) sealRestore(sealer, restored);
    // Before any body is wrapped under them, and at each start: which keys and whose escrow may both have changed.
    if (reason === 'start' && options.escrow !== undefined) {
      sealer.seal(escrowDraft(keys.keks(), options.escrow));
    }
    const closed = await recover(store, sealer, head, restored ? 'restore' : reason);
    if (reason === 'start') sealer.seal({ type: 'start', data: options.startData });
    const refusal = await keys.rotateAtStart({ ledgerId, sealer, head, store });
    if (refusal !== null) options.onEvent({ kind: 'rotation_refused', error: refusal });
    // The key was replaced, and a crash or a restart stood between that and its first body.
    const kek = keys.kekInUse();
    if (resumed !== null && resumed.kekId !== null && resumed.kekId !== kek.id)
      sealer.seal(epochDraft(kek, { by: 'holdpoint', reason: 'start' }, options.escrow));
    await sealer.drain();
    // The ledger says it itself from now on.
    if (noted !== null) await store.writeRestored(null);
    await carryOut(store, ledgerId, sealer.durable().size);
    const { entriesChecked, isRemembered } = resumed ?? { entriesChecked: 0, isRemembered: true };
    return { ledgerId, store, sealer, head, entriesChecked, isRemembered, closed };
  }

  /** What cannot be carried out keeps no start from happening. */
  async function carryOut(store: LedgerStore, ledgerId: string, size: number): Promise<void> {
    try {
      const { left, unread, cause } = await finishErasures(store, keys.keks(), ledgerId, size);
      if (left.length > 0) options.onEvent({ kind: 'erasure_failed', error: leftStored(left, cause) });
      if (unread.length > 0) options.onEvent({ kind: 'erasure_failed', error: unreadSaid(unread, mayErase) });
    } catch (error) {
      options.onEvent({ kind: 'erasure_failed', error });
    }
  }

  /** Gives every decision that nobody will finish its outcome; holds that still wait stay open. */
  async function recover(
    store: LedgerStore,
    sealer: Sealer,
    head: Head,
    reason: RecoveryReason,
  ): Promise<number> {
    const found = head.nextSeq;
    const outcomes: [number, Outcome][] = [];
    for (const [decision, seqs] of head.open) {
      const outcome =
        parts.outcomeOf(decision) ??
        options.recoveredOutcome(await Promise.all(seqs.map((seq) => readEntry(store, seq))), reason);
      if (outcome !== null) outcomes.push([decision, outcome]);
    }
    // After a failure one is sealed in any case: it records the outage, and proves that the store takes writes again.
    for (let i = 0; i < outcomes.length || (i === 0 && reason === 'store_failure'); i += recoverPerEntryMax) {
      const data = {
        found,
        outcomes: outcomes.slice(i, i + recoverPerEntryMax),
        reason: reason === 'restore' ? 'start' : reason,
      };
      sealer.seal({ type: 'recovery', data });
    }
    return outcomes.length;
  }

  return { open };
}

function sealRestore(sealer: Sealer, { size, backup, taken, lost }: Restored): void {
  const data = { backup, found: size, lost, outcomes: [], reason: 'restore', taken };
  sealer.seal({ type: 'recovery', data });
}

/** Bodies sealed under another key could not be read any more: that is noticed before anything is sealed. */
function requireKek(kekId: string | null, keks: readonly KeyEncryptionKey[]): void {
  if (kekId === null || keks.some(({ id }) => id === kekId)) return;
  throw new HoldpointError(
    'config_invalid',
    `The ledger's bodies are encrypted under the key ${kekId}, but kek.key is ${keks[0]?.id}.`,
    `Restore the kek.key that this ledger was last sealed with to keys.dir, or that one as kek-${kekId}.key.`,
  );
}
