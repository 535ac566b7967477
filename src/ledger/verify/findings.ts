/** A bounded list of findings, in the order they were made. Portable: imports types only. */
import type { Finding, ReasonCode } from './reasons.ts';

export const findingsMax = 100;
export const messageCharsMax = 400;

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
      if (list.length < findingsMax) list.push({ code, seq, message: printable(message) });
    },
  };
}

/** Messages quote what the ledger says; none of it may steer the terminal or page that shows them. */
function printable(message: string): string {
  const visible = message.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return visible.length > messageCharsMax ? `${visible.slice(0, messageCharsMax)}…` : visible;
}
