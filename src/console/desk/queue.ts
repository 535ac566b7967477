/** The order of the queue on screen, and what a filter finds in it. Pure. */
import type { HoldSummary } from '../answers/hold-data.ts';

export type Holds = ReadonlyMap<string, HoldSummary>;

/** Oldest deadline first; equal ones as they came. */
export function byDeadline(a: HoldSummary, b: HoldSummary): number {
  return a.expiresAtMs - b.expiresAtMs || a.openedAtMs - b.openedAtMs || (a.id < b.id ? -1 : 1);
}

/**
 * The order after something changed. Lines that were there keep their order; new ones take their place by deadline
 * but never above the line under the cursor, which therefore does not move.
 */
export function orderAfter(shown: readonly string[], holds: Holds, cursor: string | null): readonly string[] {
  const pending = [...holds.values()].filter(({ state }) => state === 'pending');
  const isPending = new Set(pending.map(({ id }) => id));
  const order = shown.filter((id) => isPending.has(id));
  const known = new Set(order);
  const floor = cursor === null ? 0 : order.indexOf(cursor) + 1;
  const arrived = pending.filter(({ id }) => !known.has(id)).sort(byDeadline);
  const merged = order.slice(0, floor);
  let next = 0;
  for (const id of order.slice(floor)) {
    for (let hold = arrived[next]; hold !== undefined && isAfter(holds.get(id), hold); hold = arrived[next]) {
      merged.push(hold.id);
      next += 1;
    }
    merged.push(id);
  }
  return [...merged, ...arrived.slice(next).map(({ id }) => id)];
}

function isAfter(other: HoldSummary | undefined, hold: HoldSummary): boolean {
  return other !== undefined && byDeadline(other, hold) > 0;
}

/** The pending holds strictly by deadline. */
export function sortedOrder(holds: Holds): readonly string[] {
  return orderAfter([], holds, null);
}

/** Whether lines that arrived meanwhile stand below one with a later deadline. */
export function isOutOfOrder(order: readonly string[], holds: Holds): boolean {
  return order.some((id, i) => {
    const hold = holds.get(id);
    const next = holds.get(order[i + 1] ?? '');
    return hold !== undefined && next !== undefined && byDeadline(hold, next) > 0;
  });
}

/** Whether every word of the filter stands somewhere in the line. */
export function matchesFilter(hold: HoldSummary, filter: string): boolean {
  // Asked of every line at every key: the usual answer first.
  if (filter === '') return true;
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = [
    hold.headline,
    hold.workload,
    hold.model,
    hold.severity,
    hold.state,
    hold.id,
    hold.decisionId,
    hold.session,
    ...hold.rules.flatMap(({ id, title }) => [id, title]),
  ]
    .join('\n')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The line `steps` away from the cursor; the nearest end beyond it, the first when there is no cursor. */
export function movedCursor(visible: readonly string[], cursor: string | null, steps: number): string | null {
  const at = cursor === null ? -1 : visible.indexOf(cursor);
  if (at < 0) return visible[0] ?? null;
  return visible[Math.min(Math.max(at + steps, 0), visible.length - 1)] ?? null;
}

/** Where the cursor goes when its line left the queue: the one that took its place, else the last. */
export function cursorAfter(
  before: readonly string[],
  after: readonly string[],
  cursor: string | null,
): string | null {
  if (cursor === null || after.includes(cursor)) return cursor;
  const at = before.indexOf(cursor);
  if (at < 0) return null;
  const survivor = before.slice(at + 1).find((id) => after.includes(id));
  return survivor ?? after.at(-1) ?? null;
}
