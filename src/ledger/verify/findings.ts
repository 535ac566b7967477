/** A bounded list of findings, in the order they were made. Portable: imports types only. */
import type { Finding, ReasonCode } from './reasons.ts';

export const findingsMax = 100;
export const messageCharsMax = 400;

export interface Findings {
  readonly list: readonly Finding[];
  /** How many there were, listed or not. */
  count(): number;
  add(code: ReasonCode, seq: number, message: string): void;
  /** What was found at `seq` turns out to be something more exact; where it is listed. */
  retell(code: ReasonCode, seq: number, as: { readonly code: ReasonCode; readonly message: string }): void;
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
    retell(code, seq, as) {
      const at = list.findIndex((finding) => finding.code === code && finding.seq === seq);
      if (at >= 0) list[at] = { code: as.code, seq, message: printable(as.message) };
    },
  };
}

/** Messages quote what the ledger says; none of it may steer the terminal or page that shows them. */
function printable(message: string): string {
  const visible = message.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return visible.length > messageCharsMax ? `${visible.slice(0, messageCharsMax)}…` : visible;
}
