/**
 * Resume points: the state before a heartbeat leaf, recomputed here and compared with what was stored.
 *
 *     { "frontier": [64 hex ...], "open": [[request seq, [seqs of its entries]] ...], "prev": 64 hex, "size": n, "v": 1 }
 *
 * Portable; imports only its own folder.
 */

import type { Decisions } from './decisions.ts';
import { fromUtf8, toHex } from './encoding.ts';
import type { TreeRange } from './tree.ts';

/** The text of the snapshot that belongs to this state: JCS, decisions in the order of their requests. */
export function snapshotText(range: TreeRange, prev: string, decisions: Decisions): string {
  const open = [...decisions.open.values()].map((decision) => [decision.seq, decision.entries]);
  const frontier = range.frontier.map(toHex);
  return JSON.stringify({ frontier, open, prev, size: range.size, v: 1 });
}

/** Whether the stored record says the same; the order of keys and spacing are the writer's own. */
export function snapshotEquals(record: Uint8Array, expected: string): boolean {
  const text = fromUtf8(record);
  if (text === expected) return true;
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value !== 'object' || value === null) return false;
    return JSON.stringify(Object.fromEntries(Object.entries(value).sort(byKey))) === expected;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
