/**
 * What one pass over the records has learnt so far, and what it still waits for. Owned by `verifyLedger`.
 * Portable; imports only its own folder.
 */
import type { BlockLeaves, BodyCounts, UnwrapKeys } from './bodies.ts';
import { createDecisions, type Decisions } from './decisions.ts';
import type { AnchorEntry } from './entry.ts';
import { createErasures, type Erasures } from './erased.ts';
import { createFindings, type Findings } from './findings.ts';
import { createLatest, type Latest } from './latest.ts';
import type { Checkpoint, VerifierKey } from './note.ts';
import type { Primitives } from './primitives.ts';
import type { ReasonCode } from './reasons.ts';
import { emptyRange, rootOf, type TreeRange } from './tree.ts';

/** How many ends of blocks are remembered: 6 MB. An anchor that lags further behind is not compared. */
export const blockRootsMax = 65_536;

/** A block whose root disagrees, until the next block's first `prev` or the last signature explains it. */
export interface Suspect {
  readonly seq: number;
  readonly hashes: readonly Uint8Array[];
  /** The tree before the block. */
  readonly before: TreeRange;
  readonly statedRoot: Uint8Array;
  /** `prev` of the entry after each position, as far as the block has it. */
  readonly prevs: readonly (string | undefined)[];
  /** Positions in the block whose `prev` disagrees. */
  readonly breaks: readonly number[];
}

/** A signing key of the ledger: the size it came in at, and the size of the last checkpoint it signed. */
export interface KeySpan {
  readonly key: VerifierKey;
  readonly from: number;
  to: number | undefined;
  /** By which entry it was revoked, and down to which size its word still counts. */
  revoked: { readonly seq: number; readonly size: number } | undefined;
}

export interface AwaitedSnapshot {
  readonly seq: number;
  readonly digest: string;
  /** What the record must say; undefined once the state before it is not known. */
  readonly expected: string | undefined;
}

export interface LastNote {
  readonly seq: number;
  readonly note: Checkpoint | undefined;
  /** Who must have signed it, in the order of the lines. */
  readonly due: readonly VerifierKey[];
  /** What came out when its signatures were checked. */
  holds: boolean | undefined;
}

export interface Pass {
  readonly findings: Findings;
  readonly trusted: readonly VerifierKey[] | undefined;
  readonly unwrap: UnwrapKeys | undefined;
  readonly primitives: Primitives;
  readonly everySignature: boolean;
  /** No finding so far touches the entries themselves: only then is their meaning judged. */
  intact: boolean;
  /** How many entries were judged as parts of decisions. */
  judged: number;
  nextSeq: number;
  /** False after a block whose count could not be read. */
  nextIsCertain: boolean;
  range: TreeRange;
  treeKnown: boolean;
  /** The last leaf's hash; undefined when it is not known. */
  prev: Uint8Array | undefined;
  ledger: string;
  /** The key in use; undefined until genesis names it. */
  key: VerifierKey | undefined;
  /** All keys so far, `key` the last. */
  readonly keys: KeySpan[];
  /** What a rotation in the block at hand brings in. */
  incoming: VerifierKey | undefined;
  /** Key hash -> the entry where it was first met, for keys that nothing has brought in. */
  readonly strangers: Map<string, number>;
  boot: string;
  mono: number;
  suspect: Suspect | undefined;
  /** The last block's checkpoint; undefined when it was refused, which is then a finding already. */
  lastNote: LastNote | undefined;
  /** The block whose bodies have not come yet. */
  block: BlockLeaves | undefined;
  /** The seq of a block that could not be read, so that nothing is said of its other records. */
  unreadableBlock: number;
  awaited: AwaitedSnapshot[];
  /** So far every snapshot said what it must. */
  snapshotsAgree: boolean;
  /** Roots at the sizes that someone outside remembers. */
  readonly watched: Map<number, Uint8Array | undefined>;
  /** Roots at the ends of the last blocks, by size: what anchor entries are compared with. */
  readonly blockRoots: Latest<Uint8Array>;
  /** The last `anchor` entry of each anchor. */
  readonly receipts: Map<string, AnchorEntry>;
  readonly decisions: Decisions;
  readonly erasures: Erasures;
  readonly bodies: BodyCounts;
  readonly counts: Record<string, number>;
  readonly durabilities: Set<'strict' | 'relaxed'>;
  blocks: number;
  clockSteps: number;
  firstAt: string;
  lastAt: string;
}

export interface PassOptions {
  readonly trusted: readonly VerifierKey[] | undefined;
  readonly unwrap: UnwrapKeys | undefined;
  readonly primitives: Primitives;
  readonly everySignature: boolean;
  readonly watchedSizes: readonly number[];
}

export function createPass(options: PassOptions): Pass {
  const watched = new Map<number, Uint8Array | undefined>(
    options.watchedSizes.map((size) => [size, undefined]),
  );
  if (watched.has(0)) watched.set(0, rootOf(emptyRange()));
  return {
    findings: createFindings(),
    trusted: options.trusted,
    unwrap: options.unwrap,
    primitives: options.primitives,
    everySignature: options.everySignature,
    intact: true,
    judged: 0,
    nextSeq: 0,
    nextIsCertain: true,
    range: emptyRange(options.primitives.sha256),
    treeKnown: true,
    prev: new Uint8Array(32),
    ledger: '',
    key: undefined,
    keys: [],
    incoming: undefined,
    strangers: new Map(),
    boot: '',
    mono: 0,
    suspect: undefined,
    lastNote: undefined,
    block: undefined,
    unreadableBlock: -1,
    awaited: [],
    snapshotsAgree: true,
    watched,
    blockRoots: createLatest(blockRootsMax),
    receipts: new Map(),
    decisions: createDecisions(),
    erasures: createErasures(),
    bodies: { stored: 0, checked: 0, opened: 0, erased: 0 },
    counts: Object.create(null),
    durabilities: new Set(),
    blocks: 0,
    clockSteps: 0,
    firstAt: '',
    lastAt: '',
  };
}

/** A finding about the entries themselves: nothing after it is evidence of what people did. */
export function damage(pass: Pass, code: ReasonCode, seq: number, message: string): void {
  pass.intact = false;
  pass.findings.add(code, seq, message);
}
