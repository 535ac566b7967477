/**
 * The text of a signed ruling, once it is opened: it hashes to what was signed, and gives the reason that was sealed.
 * Portable; imports only its own folder.
 */
import { ascii, fromUtf8, hexEquals } from './encoding.ts';
import type { RulingEntry } from './hold-entries.ts';
import type { Leaf } from './leaf.ts';
import { hashPieces, type Primitives } from './primitives.ts';

const orderDomain = ascii.encode('holdpoint/order/1\0');

export interface OrderChecking {
  /** Takes an opened part, in the order of the parts; a text says what is wrong with it. */
  take(leaf: Leaf, name: string, plaintext: Uint8Array): string | undefined;
}

/**
 * Remembers the reason of the entry at hand, which stands before its order.
 * @param released by ruling that released calls of an answer: how many
 */
export function createOrderChecking(
  primitives: Primitives,
  released: ReadonlyMap<number, number>,
): OrderChecking {
  let reason = { seq: -1, text: '' };
  return {
    take: (leaf, name, plaintext) => {
      const { entry, seq } = leaf;
      if (entry.type !== 'ruling' || entry.signature === undefined) return undefined;
      if (name === 'reason') reason = { seq, text: fromUtf8(plaintext) ?? '' };
      if (name !== 'order') return undefined;
      const hasReason = leaf.parts.some((part) => part.name === 'reason');
      // Its reason may have been erased: then there is nothing to compare it with.
      const sealed = hasReason ? (reason.seq === seq ? reason.text : undefined) : '';
      const ruling = { ...entry, released: released.get(seq) ?? 0 };
      return complaint(ruling, entry.signature.order, plaintext, sealed, primitives);
    },
  };
}

function complaint(
  ruling: Pick<RulingEntry, 'withheld' | 'breakGlass' | 'inStead'> & { readonly released: number },
  digest: string,
  plaintext: Uint8Array,
  sealedReason: string | undefined,
  primitives: Primitives,
): string | undefined {
  if (!hexEquals(digest, hashPieces(primitives, [orderDomain, plaintext])))
    return 'its text is not the one that was signed';
  const order = parsed(fromUtf8(plaintext));
  if (typeof order !== 'object' || order === null) return 'its text is no order';
  if (ruling.withheld > 0 && !('calls' in order))
    return 'it was not signed for the tool calls that were released';
  if ('calls' in order && countOf(order.calls) < ruling.released)
    return 'it was signed for fewer tool calls than were released';
  if (('breakGlass' in order && order.breakGlass === true) !== ruling.breakGlass)
    return 'it was not signed as a release by one person alone';
  if (('inStead' in order ? order.inStead : '') !== ruling.inStead)
    return 'it was not signed in the stead of that person';
  const reason = 'reason' in order ? order.reason : '';
  return sealedReason === undefined || reason === sealedReason
    ? undefined
    : 'the reason that was sealed is not the one that was signed';
}

/** Of different names in a list. */
function countOf(names: unknown): number {
  return Array.isArray(names) ? new Set(names).size : 0;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // Not JSON: the caller says so.
  }
}
