/**
 * Where each decision's entries lie in the file: byte offsets and numbers, about 25 bytes an entry, never content. An
 * entry is known by its ordinal, the how-manieth it is in the file, which differs from its seq only where entries are
 * missing. Filled while the ledger is verified; owned by the engine.
 */
import type { BlockLeaves } from '../ledger/verify/bodies.ts';
import type { Leaf } from '../ledger/verify/leaf.ts';
import { type Outcome, outcomes } from '../ledger/verify/outcomes.ts';
import { createNumberList, type NumberList } from './number-list.ts';

/** Beyond that many entries no more stories are kept, which the page says; the verdict covers all. */
export const indexedEntriesMax = 8_000_000;

export interface Extent {
  readonly at: number;
  readonly bytes: number;
}

export interface EntryPlace {
  readonly seq: number;
  /** The block's record. */
  readonly block: Extent & { readonly firstSeq: number };
  readonly position: number;
  /** The record of its bodies; null when there is none. */
  readonly bodies: Extent | null;
}

export type Shown = 'all' | 'held' | 'open' | 'damaged' | Outcome;

export interface DecisionPlaces {
  readonly seq: number;
  readonly outcome: Outcome | 'open';
  readonly held: boolean;
  readonly damaged: boolean;
  /** Its entries in order, the one that closed it last. */
  readonly entries: readonly EntryPlace[];
}

export interface StoryIndex {
  addBlock(block: BlockLeaves, extent: Extent): void;
  addBodies(firstSeq: number, extent: Extent): void;
  /** Marks the decisions that one of these entries is part of. */
  markDamaged(seqs: readonly number[]): void;
  /** True once `indexedEntriesMax` was reached. */
  isCut(): boolean;
  /** How many decisions there are of each kind. */
  counts(): Readonly<Record<string, number>>;
  /** Request seqs of the decisions shown, `count` of them from the `from`-th; and how many there are. */
  list(
    shown: Shown,
    from: number,
    count: number,
  ): { readonly total: number; readonly seqs: readonly number[] };
  /** Null when no request has this seq. */
  decision(seq: number): DecisionPlaces | null;
}

const isHeld = 1;
const isDamaged = 2;

interface Tables {
  /** For each block: its first entry's seq and ordinal, its record's place, and that of its bodies. */
  readonly firstSeq: NumberList;
  readonly firstOrdinal: NumberList;
  readonly blockAt: NumberList;
  readonly blockBytes: NumberList;
  readonly bodiesAt: NumberList;
  readonly bodiesBytes: NumberList;
  /** For each entry: 1 + the ordinal of its decision's next one, 0 where there is none. */
  readonly next: NumberList;
  /** For each decision: ordinals of its request, its last entry and its closing one; what closed it; marks. */
  readonly request: NumberList;
  readonly last: NumberList;
  readonly closing: NumberList;
  readonly outcome: NumberList;
  readonly marks: NumberList;
}

const bytes = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length);
const ordinals = (length: number): Uint32Array<ArrayBuffer> => new Uint32Array(length);
const offsets = (length: number): Float64Array<ArrayBuffer> => new Float64Array(length);

export function createStoryIndex(): StoryIndex {
  const tables: Tables = {
    firstSeq: createNumberList(offsets),
    firstOrdinal: createNumberList(ordinals),
    blockAt: createNumberList(offsets),
    blockBytes: createNumberList(ordinals),
    bodiesAt: createNumberList(offsets),
    bodiesBytes: createNumberList(ordinals),
    next: createNumberList(ordinals),
    request: createNumberList(ordinals),
    last: createNumberList(ordinals),
    closing: createNumberList(ordinals),
    outcome: createNumberList(bytes),
    marks: createNumberList(bytes),
  };
  let cut = false;
  return {
    addBlock(block, extent) {
      cut ||= tables.next.length + block.leaves.length > indexedEntriesMax;
      if (cut) return;
      const first = tables.next.length;
      tables.firstSeq.push(block.seq);
      tables.firstOrdinal.push(first);
      tables.blockAt.push(extent.at);
      tables.blockBytes.push(extent.bytes);
      tables.bodiesAt.push(0);
      tables.bodiesBytes.push(0);
      for (let count = block.leaves.length; count > 0; count -= 1) tables.next.push(0);
      for (const [position, leaf] of block.leaves.entries()) {
        if (leaf !== undefined) addEntry(tables, first + position, leaf);
      }
    },
    addBodies(firstSeq, extent) {
      const block = tables.firstSeq.lastAtMost(firstSeq);
      if (cut || block < 0 || tables.firstSeq.get(block) !== firstSeq) return;
      tables.bodiesAt.set(block, extent.at);
      tables.bodiesBytes.set(block, extent.bytes);
    },
    markDamaged(seqs) {
      const damaged = new Set(seqs.map((seq) => ordinalOf(tables, seq)));
      for (let at = 0; at < tables.request.length; at += 1) {
        if (ordinalsOf(tables, at).some((ordinal) => damaged.has(ordinal)))
          tables.marks.set(at, tables.marks.get(at) | isDamaged);
      }
    },
    isCut: () => cut,
    counts: () => countsOf(tables),
    list: (shown, from, count) => listOf(tables, shown, from, count),
    decision: (seq) => placesOf(tables, seq),
  };
}

function addEntry(tables: Tables, ordinal: number, leaf: Leaf): void {
  const { entry } = leaf;
  switch (entry.type) {
    case 'request':
      tables.request.push(ordinal);
      tables.last.push(ordinal);
      tables.closing.push(0);
      tables.outcome.push(0);
      tables.marks.push(0);
      return;
    case 'outcomes':
      for (const [seq, outcome] of entry.outcomes) {
        const decision = decisionAt(tables, seq);
        if (decision < 0) continue;
        tables.outcome.set(decision, 1 + outcomes.indexOf(outcome));
        tables.closing.set(decision, ordinal);
      }
      return;
    case 'response':
    case 'hold':
    case 'ruling':
    case 'delivery':
    case 'redelivery':
    case 'escalation':
    case 'comment':
    case 'assignment':
    case 'review':
    case 'access': {
      const decision = decisionAt(tables, entry.decision);
      if (decision < 0) return;
      tables.next.set(tables.last.get(decision), ordinal + 1);
      tables.last.set(decision, ordinal);
      if (entry.type === 'hold') tables.marks.set(decision, tables.marks.get(decision) | isHeld);
      return;
    }
    default:
      return;
  }
}

/** -1 where no entry of that seq was read. */
function ordinalOf(tables: Tables, seq: number): number {
  const block = tables.firstSeq.lastAtMost(seq);
  if (block < 0) return -1;
  const ordinal = tables.firstOrdinal.get(block) + seq - tables.firstSeq.get(block);
  const end =
    block + 1 < tables.firstOrdinal.length ? tables.firstOrdinal.get(block + 1) : tables.next.length;
  return ordinal < end ? ordinal : -1;
}

/** The decision whose request has this seq; -1 when there is none. */
function decisionAt(tables: Tables, seq: number): number {
  const ordinal = ordinalOf(tables, seq);
  const decision = ordinal < 0 ? -1 : tables.request.lastAtMost(ordinal);
  return decision >= 0 && tables.request.get(decision) === ordinal ? decision : -1;
}

/** Of all entries of a decision, in order. */
function ordinalsOf(tables: Tables, decision: number): readonly number[] {
  const found: number[] = [];
  for (let at = tables.request.get(decision) + 1; at > 0; at = tables.next.get(at - 1)) found.push(at - 1);
  if (tables.outcome.get(decision) > 0) found.push(tables.closing.get(decision));
  return found.sort((a, b) => a - b);
}

function seqOf(tables: Tables, ordinal: number): number {
  const block = tables.firstOrdinal.lastAtMost(ordinal);
  return tables.firstSeq.get(block) + ordinal - tables.firstOrdinal.get(block);
}

function outcomeOf(tables: Tables, decision: number): Outcome | 'open' {
  return outcomes[tables.outcome.get(decision) - 1] ?? 'open';
}

function isShown(tables: Tables, decision: number, shown: Shown): boolean {
  if (shown === 'all') return true;
  if (shown === 'held') return (tables.marks.get(decision) & isHeld) !== 0;
  if (shown === 'damaged') return (tables.marks.get(decision) & isDamaged) !== 0;
  return outcomeOf(tables, decision) === shown;
}

function countsOf(tables: Tables): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { all: tables.request.length, held: 0, damaged: 0 };
  for (let at = 0; at < tables.request.length; at += 1) {
    const outcome = outcomeOf(tables, at);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
    for (const kind of ['held', 'damaged'] as const) {
      if (isShown(tables, at, kind)) counts[kind] = (counts[kind] ?? 0) + 1;
    }
  }
  return counts;
}

function listOf(
  tables: Tables,
  shown: Shown,
  from: number,
  count: number,
): { readonly total: number; readonly seqs: readonly number[] } {
  const seqs: number[] = [];
  let total = 0;
  for (let at = 0; at < tables.request.length; at += 1) {
    if (!isShown(tables, at, shown)) continue;
    if (total >= from && seqs.length < count) seqs.push(seqOf(tables, tables.request.get(at)));
    total += 1;
  }
  return { total, seqs };
}

function placesOf(tables: Tables, seq: number): DecisionPlaces | null {
  const decision = decisionAt(tables, seq);
  if (decision < 0) return null;
  return {
    seq,
    outcome: outcomeOf(tables, decision),
    held: isShown(tables, decision, 'held'),
    damaged: isShown(tables, decision, 'damaged'),
    entries: ordinalsOf(tables, decision).map((ordinal) => entryPlace(tables, ordinal)),
  };
}

function entryPlace(tables: Tables, ordinal: number): EntryPlace {
  const block = tables.firstOrdinal.lastAtMost(ordinal);
  const bodiesBytes = tables.bodiesBytes.get(block);
  return {
    seq: seqOf(tables, ordinal),
    position: ordinal - tables.firstOrdinal.get(block),
    block: {
      firstSeq: tables.firstSeq.get(block),
      at: tables.blockAt.get(block),
      bytes: tables.blockBytes.get(block),
    },
    bodies: bodiesBytes === 0 ? null : { at: tables.bodiesAt.get(block), bytes: bodiesBytes },
  };
}
