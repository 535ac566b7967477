/**
 * The state at the ledger's end: what the next entry builds on and which decisions are open.
 * The same `advance` serves the live path and start-up, so recovery is exercised by every call.
 */
import { sha256Hex } from '../core/bytes.ts';
import type { Json, JsonObject } from './canonical.ts';
import { type Outcome, outcomes } from './entry.ts';

export interface Head {
  /** 64 hex; hash of the last leaf that is chained, zeros before the first. */
  prev: string;
  /** Seq of the next entry. */
  nextSeq: number;
  /** Request seq -> seqs of all its entries, for every decision without an outcome. */
  readonly open: Map<number, number[]>;
}

export const noPrev = '0'.repeat(64);

export function emptyHead(): Head {
  return { prev: noPrev, nextSeq: 0, open: new Map() };
}

/** What advancing needs of an entry. */
export interface Step {
  readonly seq: number;
  readonly type: string;
  readonly data: JsonObject;
}

/** Applies one entry to the head; its place in the chain, `prev`, is for whoever hashes its leaf. */
export function advance(head: Head, step: Step): void {
  head.nextSeq = step.seq + 1;
  if (step.type === 'request') {
    head.open.set(step.seq, [step.seq]);
    return;
  }
  const decision = step.data['decision'];
  if (typeof decision === 'number') append(head.open, decision, step.seq);
  for (const [closed] of outcomesOf(step.data)) head.open.delete(closed);
}

const shortListMax = 8;

/**
 * A list that is pushed to has room for sixteen more, which thousands of open decisions would each keep; a short one is
 * copied instead, so that it is exactly as long as it is.
 */
function append(open: Map<number, number[]>, decision: number, seq: number): void {
  const seqs = open.get(decision);
  if (seqs === undefined) return;
  if (seqs.length < shortListMax) open.set(decision, seqs.concat(seq));
  else seqs.push(seq);
}

/** The `[request seq, outcome]` pairs of a delivery or recovery entry; none for other entries. */
export function outcomesOf(data: JsonObject): readonly (readonly [number, Outcome])[] {
  const list = data['outcomes'];
  return Array.isArray(list) ? list.filter(isOutcomePair) : [];
}

function isOutcomePair(value: Json): value is [number, Outcome] {
  return Array.isArray(value) && typeof value[0] === 'number' && outcomes.some((known) => known === value[1]);
}

/** The snapshot record's bytes and digest. FORMAT.md, "Snapshot". */
export function encodeSnapshot(head: Head, frontier: readonly Buffer[]): { bytes: Buffer; digest: string } {
  const bytes = Buffer.from(
    JSON.stringify({
      frontier: frontier.map((node) => node.toString('hex')),
      open: [...head.open],
      prev: head.prev,
      size: head.nextSeq,
      v: 1,
    }),
  );
  return { bytes, digest: sha256Hex(bytes) };
}

export interface Snapshot {
  readonly frontier: readonly string[];
  readonly open: readonly (readonly [number, readonly number[]])[];
  readonly prev: string;
  readonly size: number;
}

/** Reads a snapshot record; null when it is not one. */
export function decodeSnapshot(bytes: Buffer): Snapshot | null {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  return isSnapshot(value) ? value : null;
}

function isSnapshot(value: unknown): value is Snapshot {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Record<string, unknown> = { ...value };
  const { frontier, open, prev, size } = fields;
  return (
    Array.isArray(frontier) &&
    frontier.every((node) => typeof node === 'string') &&
    Array.isArray(open) &&
    open.every((pair) => Array.isArray(pair) && typeof pair[0] === 'number' && Array.isArray(pair[1])) &&
    typeof prev === 'string' &&
    typeof size === 'number'
  );
}
