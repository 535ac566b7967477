/**
 * Who has which hold open now, so that reviewers see each other before two of them do the same work. Kept in memory
 * alone: it tells of this minute, and binds nobody. That content was read is sealed where it is read.
 */
import type { Hold } from './record.ts';

/** Consoles say again that somebody is here before this is over. */
export const lookMs = 45_000;
const holdsMax = 4_096;
const peopleOfHoldMax = 32;

export interface Looking {
  /** Somebody has the hold open, or not any more; whoever listens hears of it where it is new. */
  tell(hold: Hold, who: string, here: boolean): void;
  /** Somebody is gone altogether and has none open any more. */
  leave(who: string): void;
  /** Those who have it open, whoever began first standing first. */
  at(holdId: string): readonly string[];
}

/** @param onChange somebody opened or left a hold; not called for those who fall silent */
export function createLooking(nowMs: () => number, onChange: (hold: Hold, who: string) => void): Looking {
  /** Of each hold, until when each of them is believed to be here. The holds looked at last stand last. */
  const open = new Map<string, { readonly hold: Hold; readonly people: Map<string, number> }>();

  function peopleAt(holdId: string): Map<string, number> {
    const people = open.get(holdId)?.people ?? new Map<string, number>();
    const now = nowMs();
    for (const [who, untilMs] of people) if (untilMs <= now) people.delete(who);
    return people;
  }

  function keep(hold: Hold, people: Map<string, number>): void {
    open.delete(hold.id);
    if (people.size > 0) open.set(hold.id, { hold, people });
    if (open.size <= holdsMax) return;
    const [oldest] = open.keys();
    if (oldest !== undefined) open.delete(oldest);
  }

  function tell(hold: Hold, who: string, here: boolean): void {
    const people = peopleAt(hold.id);
    const was = people.has(who);
    if (!here) people.delete(who);
    else if (was || people.size < peopleOfHoldMax) people.set(who, nowMs() + lookMs);
    keep(hold, people);
    if (people.has(who) !== was) onChange(hold, who);
  }

  return {
    tell,
    leave: (who) => {
      for (const { hold, people } of [...open.values()]) if (people.has(who)) tell(hold, who, false);
    },
    at: (holdId) => [...peopleAt(holdId).keys()],
  };
}
