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
  /** Those who have it open, whoever began first standing first. */
  at(holdId: string): readonly string[];
}

/** @param onChange somebody opened or left a hold; not called for those who fall silent */
export function createLooking(nowMs: () => number, onChange: (hold: Hold, who: string) => void): Looking {
  /** Of each hold, until when each of them is believed to be here. The holds looked at last stand last. */
  const open = new Map<string, Map<string, number>>();

  function peopleAt(holdId: string): Map<string, number> {
    const people = open.get(holdId) ?? new Map<string, number>();
    const now = nowMs();
    for (const [who, untilMs] of people) if (untilMs <= now) people.delete(who);
    return people;
  }

  function keep(holdId: string, people: Map<string, number>): void {
    open.delete(holdId);
    if (people.size > 0) open.set(holdId, people);
    if (open.size <= holdsMax) return;
    const [oldest] = open.keys();
    if (oldest !== undefined) open.delete(oldest);
  }

  return {
    tell: (hold, who, here) => {
      const people = peopleAt(hold.id);
      const was = people.has(who);
      if (!here) people.delete(who);
      else if (was || people.size < peopleOfHoldMax) people.set(who, nowMs() + lookMs);
      keep(hold.id, people);
      if (people.has(who) !== was) onChange(hold, who);
    },
    at: (holdId) => [...peopleAt(holdId).keys()],
  };
}
