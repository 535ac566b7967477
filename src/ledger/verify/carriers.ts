/**
 * Which decisions may carry lines of a batch, and how strictly either half of each was judged: the body as a whole is
 * judged by the strictest of its lines. Half a byte per entry. Portable; imports only its own folder.
 */
import type { RuleVerdict } from './outcomes.ts';
import { createPartSet } from './part-set.ts';

type Half = 'request' | 'response';

export interface Carriers {
  /** A half of a decision that stands alone; the first one counts. */
  take(decision: number, half: Half, verdict: RuleVerdict): void;
  /** Whether this half of that decision is there, and judged at least as strictly as the line. */
  covers(decision: number, half: Half, line: RuleVerdict): boolean;
}

/** Two bits each; 0 is none. What a rule only flags goes on like what passes. */
const strictness = { pass: 1, flag: 1, hold: 2, deny: 3 } as const;
const bitOf = { request: 0, response: 2 } as const;

export function createCarriers(): Carriers {
  const bits = createPartSet();
  return {
    take: (decision, half, verdict) => {
      const bit = bitOf[half];
      if ((strictness[verdict] & 1) !== 0) bits.add(decision, bit);
      if ((strictness[verdict] & 2) !== 0) bits.add(decision, bit + 1);
    },
    covers: (decision, half, line) => {
      const bit = bitOf[half];
      const judged = (bits.has(decision, bit) ? 1 : 0) + (bits.has(decision, bit + 1) ? 2 : 0);
      return judged >= strictness[line];
    },
  };
}
