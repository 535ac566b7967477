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
  return text !== undefined && (text === expected || isSame(parsed(text), parsed(expected)));
}

/** Undefined where it is no JSON, or none that the engine can read. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Goes no deeper than `wanted` does: what was stored may be nested beyond what the stack can take. */
function isSame(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null || Array.isArray(found) !== Array.isArray(wanted))
    return false;
  const members = new Map<string, unknown>(Object.entries(found));
  const due = Object.entries(wanted);
  return members.size === due.length && due.every(([name, value]) => isSame(members.get(name), value));
}
