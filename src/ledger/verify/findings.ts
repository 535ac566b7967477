/** A bounded list of findings, in the order they were made. Portable: imports types only. */
import type { Finding, ReasonCode } from './reasons.ts';

export const findingsMax = 100;

export interface Findings {
  readonly list: readonly Finding[];
  /** How many there were, listed or not. */
  count(): number;
  add(code: ReasonCode, seq: number, message: string): void;
}

/** Keeps the first `findingsMax` and counts the rest. */
export function createFindings(): Findings {
  const list: Finding[] = [];
  let count = 0;
  return {
    list,
    count: () => count,
    add(code, seq, message) {
      count += 1;
      if (list.length < findingsMax) list.push({ code, seq, message });
    },
  };
}
