/**
 * Carrying an erasure out: destroying the items and data keys that sealed entries name. FORMAT.md, "Erasure". An entry is
 * durable before anything is destroyed; what is sealed can be carried out again. What damage keeps from being destroyed is
 * told, never taken for gone, and keeps nothing else from it.
 */
import { HoldpointError, messageOf } from '../core/errors.ts';
import {
  type Bodies,
  type BodyItem,
  decodeBlock,
  decodeBodies,
  encodeBodies,
  parseRecordKey,
  recordKey,
} from './block.ts';
import { type Target, targetsOf } from './erasure.ts';
import { oldestFirst } from './oldest-first.ts';
import { readEntry, UnreadableEntry } from './reader.ts';
import type { LedgerStore, RecordStore } from './store.ts';
import { hashOf, type KeyEncryptionKey, keepItems } from './vault.ts';

/** What became of parts that were to be destroyed. */
export interface Destruction {
  /** How many were overwritten. */
  readonly bytes: number;
  /** Those that are stored still, or may be: their bodies record is damaged, or the disk let nothing be done about it. */
  readonly left: readonly Target[];
  /** Why the first of them is. */
  readonly cause?: unknown;
}

/**
 * Destroys the parts; resolves when neither their ciphertext nor their keys are in the ledger's files, those that are
 * `left` apart. Those that are gone already are passed over.
 */
export async function destroy(
  store: LedgerStore,
  keks: readonly KeyEncryptionKey[],
  ledgerId: string,
  targets: readonly Target[],
): Promise<Destruction> {
  const byBlock = new Map<number, Named[]>();
  const left: Target[] = [];
  let cause: unknown;
  let place: BodiesPlace | null = null;
  for (const target of targets) {
    if (place === null || target[0] < place.firstSeq || target[0] >= place.end)
      place = await bodiesPlaceOf(store, target[0]);
    if (place === null) {
      left.push(target);
      continue;
    }
    const named = byBlock.get(place.firstSeq) ?? [];
    named.push({ target, e: await hashNamedBy(store, target) });
    byBlock.set(place.firstSeq, named);
  }
  const namedIn = (key: Buffer): readonly Named[] => byBlock.get(parseRecordKey(key)?.seq ?? -1) ?? [];
  const keys = [...byBlock.keys()].sort((a, b) => a - b).map((seq) => recordKey(seq, 'bodies'));
  const leave = (key: Buffer, why: unknown): void => {
    const named = namedIn(key);
    left.push(...named.map(({ target }) => target));
    // What earlier calls left is told with it, and is none of these.
    if (named.length > 0) cause ??= why;
  };
  const done = await store.rewriteBodies(keys, (key, value) => {
    try {
      const bodies = decodeBodies(value);
      const { isNamed, missing } = namedAmong(bodies.items, namedIn(key));
      left.push(...missing.map(({ target }) => target));
      return without(value, bodies, isNamed, keks, ledgerId, parseRecordKey(key)?.seq ?? -1);
    } catch (error) {
      // One damaged record keeps nothing else from being destroyed.
      if (!(error instanceof HoldpointError)) throw error;
      leave(key, error);
      return value;
    }
  });
  for (const one of done.left) leave(one.key, one.cause);
  return { bytes: done.bytes, left, cause };
}

/** A part that is to be destroyed. */
interface Named {
  readonly target: Target;
  /** Hash of its ciphertext; undefined where its entry cannot be read: a record that does not have it says nothing then. */
  readonly e: string | undefined;
}

async function hashNamedBy(store: RecordStore, [seq, part]: Target): Promise<string | undefined> {
  try {
    return (await readEntry(store, seq)).parts[part]?.e;
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error;
    // Its body can be found all the same, by what that says itself.
    return undefined;
  }
}

/** Where the bodies of some entries are stored. */
interface BodiesPlace {
  /** The seq in their key. */
  readonly firstSeq: number;
  /** The entries before this one are in the same block. */
  readonly end: number;
}

/** The last records up to an entry's bodies: the snapshot of the block that has it, which most have not, and its bodies. */
const recordsOfBlockMax = 2;

/** Null where nobody can tell, because no block has the entry. */
async function bodiesPlaceOf(store: RecordStore, seq: number): Promise<BodiesPlace | null> {
  const keys = { to: recordKey(seq, 'bodies'), reverse: true, limit: recordsOfBlockMax, keysOnly: true };
  for await (const { key } of store.scan(keys)) {
    const place = parseRecordKey(key);
    if (place === null || place.kind === 'snapshot') continue;
    const firstSeq = place.seq;
    const end = endOf(firstSeq, await store.get(recordKey(firstSeq, 'block')));
    // Of a block that is gone or damaged the bodies are found by their key; whose they are they say themselves.
    if (end === null) return place.kind === 'bodies' ? { firstSeq, end: seq + 1 } : null;
    return seq < end ? { firstSeq, end } : null;
  }
  return null;
}

/** Null where the block cannot be read. */
function endOf(firstSeq: number, block: Buffer | undefined): number | null {
  if (block === undefined) return null;
  try {
    return firstSeq + decodeBlock(block).leaves.length;
  } catch (error) {
    if (error instanceof HoldpointError) return null;
    throw error;
  }
}

/** The record without these parts; null where nothing is left of it, the value itself where it has none of them. */
function without(
  value: Buffer,
  bodies: Bodies,
  isNamed: (item: BodyItem) => boolean,
  keks: readonly KeyEncryptionKey[],
  ledgerId: string,
  firstSeq: number,
): Buffer | null {
  if (!bodies.items.some(isNamed)) return value;
  const isKept = (item: BodyItem): boolean => !isNamed(item);
  const kept = keepItems(keks, Buffer.from(ledgerId, 'hex'), firstSeq, bodies, isKept);
  return kept === null ? null : encodeBodies(kept);
}

/**
 * Which items are named, and what may be there and is not found. One that is missing under its name stands under another
 * where a bit of that was flipped.
 */
function namedAmong(items: readonly BodyItem[], named: readonly Named[]) {
  const names = new Set(named.map(({ target: [seq, part] }) => nameOf(seq, part)));
  const there = new Set(items.map(({ seq, partIndex }) => nameOf(seq, partIndex)));
  const sought = named.filter(({ target: [seq, part] }) => !there.has(nameOf(seq, part)));
  const hashes =
    sought.length === 0 ? new Map<string, BodyItem>() : new Map(items.map((item) => [hashOf(item), item]));
  const renamed = new Set(sought.map(({ e = '' }) => hashes.get(e)));
  return {
    isNamed: (item: BodyItem): boolean => renamed.has(item) || names.has(nameOf(item.seq, item.partIndex)),
    missing: sought.filter(({ e }) => e === undefined),
  };
}

/** What carrying out what was sealed came to. */
export interface Finished {
  /** The mark as it stays on disk: the erasure sealed there left something, or cannot be read. Null when none did. */
  readonly from: number | null;
  readonly left: readonly Target[];
  /** Entries that may say that something is erased, and that cannot be read. */
  readonly unread: readonly UnreadableEntry[];
  readonly cause?: unknown;
}

/**
 * Carries out every erasure sealed from the mark on; does nothing where there is no mark, or before `tried`.
 * @param size how many entries are durable
 * @param tried what is sealed before it was carried out as far as it can be
 */
export async function finishErasures(
  store: LedgerStore,
  keks: readonly KeyEncryptionKey[],
  ledgerId: string,
  size: number,
  tried = 0,
): Promise<Finished> {
  const mark = await store.readUnfinishedFrom();
  if (mark === null) return { from: null, left: [], unread: [] };
  const left: Target[] = [];
  const unread: UnreadableEntry[] = [];
  let cause: unknown;
  let from = mark < tried ? mark : null;
  for await (const entries of oldestFirst(store, Math.max(mark, tried), size)) {
    for (const entry of entries) {
      if (entry instanceof UnreadableEntry) {
        unread.push(entry);
        from ??= entry.seq;
        continue;
      }
      const done = await destroy(store, keks, ledgerId, targetsOf(entry));
      if (done.left.length === 0) continue;
      from ??= entry.seq;
      left.push(...done.left);
      cause ??= done.cause;
    }
  }
  await store.writeUnfinishedFrom(from);
  return { from, left, unread, cause };
}

const placesShownMax = 10;

/** Says of which entries something is stored that an erasure names. */
export function leftStored(left: readonly Target[], cause?: unknown): HoldpointError {
  const seqs = [...new Set(left.map(([seq]) => seq))].sort((a, b) => a - b);
  const which = `${seqs.length === 1 ? 'entry' : 'entries'} ${shown(seqs.map(String))}`;
  const why = cause === undefined ? '' : ` The first: ${messageOf(cause)}`;
  return new HoldpointError(
    'ledger_damaged',
    `What the erasure names of ${which} is not destroyed, or not known to be: what is stored with it is damaged, its key is missing, or the disk did not let it be overwritten. Everything else it names is destroyed.${why}`,
    'Where a key-encryption key is missing, put it back, and where the disk refused, see to that: each start tries again. Otherwise restore a backup in which `holdpoint verify` finds these entries whole, and ask again for what it does not have as erased.',
    cause,
  );
}

/** Says which entries cannot be read, and what that keeps from being done. */
export function unreadSaid(unread: readonly UnreadableEntry[], what: string): HoldpointError {
  const runs = unread.map(({ seq, last }) => (seq === last ? `${seq}` : `${seq} to ${last}`));
  const isOne = unread.length === 1 && unread[0]?.seq === unread[0]?.last;
  return new HoldpointError(
    'ledger_damaged',
    `${isOne ? 'Entry' : 'Entries'} ${shown(runs)} cannot be read: ${what}`,
    '`holdpoint ledger fsck` says whether the journal has them whole, and with --repair makes LevelDB again from it; otherwise restore a backup that has them. Then ask again.',
    unread[0],
  );
}

function shown(places: readonly string[]): string {
  const more = places.length > placesShownMax ? ` and ${places.length - placesShownMax} more` : '';
  return `${places.slice(0, placesShownMax).join(', ')}${more}`;
}

function nameOf(seq: number, part: number): string {
  return `${seq}/${part}`;
}
