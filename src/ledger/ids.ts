/**
 * Names people and clients see. They carry the seq, so finding a decision needs no index, and the ledger's
 * first 8 hex digits, so an id of one sidecar is not found in another's ledger.
 */

/** `d-<8 hex>-<seq>`. */
export function decisionId(ledgerId: string, requestSeq: number): string {
  return `d-${ledgerId.slice(0, 8)}-${requestSeq}`;
}

/** `h-<8 hex>-<seq>`. */
export function holdId(ledgerId: string, holdSeq: number): string {
  return `h-${ledgerId.slice(0, 8)}-${holdSeq}`;
}

/** `l-<8 hex>-<seq>`. */
export function legalHoldId(ledgerId: string, seq: number): string {
  return `l-${ledgerId.slice(0, 8)}-${seq}`;
}

/** The seq an id of this ledger and kind names, or null. */
export function seqOfId(kind: 'd' | 'h' | 'l', ledgerId: string, id: string): number | null {
  const match = /^([dhl])-([0-9a-f]{8})-(0|[1-9][0-9]{0,15})$/.exec(id);
  if (match === null || match[1] !== kind || match[2] !== ledgerId.slice(0, 8)) return null;
  const seq = Number(match[3]);
  return Number.isSafeInteger(seq) ? seq : null;
}
