/**
 * Refusals on the record: who was refused what, why, from where. The first of its kind in a minute is sealed at once, the
 * rest are counted and sealed as one, so that whoever provokes refusals cannot fill the disk with them.
 */
import type { JsonObject } from '../ledger/canonical.ts';
import type { Ledger } from '../ledger/ledger.ts';

export interface Refused {
  /** '' where nobody signed in. */
  readonly by: string;
  readonly role: string;
  /** The operation's id. */
  readonly operation: string;
  readonly code: string;
  /** The address of the other end of the connection. */
  readonly from: string;
  /** What the code does not say; from a closed set of words, but for the error that a provider names. */
  readonly why?: string;
}

export interface Refusals {
  take(refused: Refused): void;
  /** Seals what is counted. */
  flush(): void;
}

const windowMs = 60_000;
/** Kinds that are told apart in one window; what is beyond them is one number. */
const kindsMax = 16;
const codes: ReadonlySet<string> = new Set([
  'forbidden',
  'unauthenticated',
  'too_many_attempts',
  'sign_in_unavailable',
  'signature_required',
  'signature_invalid',
]);

export function createRefusals(ledger: Pick<Ledger, 'seal'>, onError: (error: unknown) => void): Refusals {
  let counted = new Map<string, { refused: Refused; count: number }>();
  let others = 0;
  let timer: NodeJS.Timeout | null = null;

  function seal(refused: Refused, count: number): void {
    const data: JsonObject = { action: 'refused', count, ...refused };
    try {
      ledger.seal({ type: 'access', data }).durable.catch(onError);
    } catch (error) {
      // A ledger that takes nothing refuses every call of the workload as well.
      onError(error);
    }
  }

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    for (const { refused, count } of counted.values()) if (count > 0) seal(refused, count);
    if (others > 0) seal({ by: '', role: '', operation: '', code: '', from: '' }, others);
    counted = new Map();
    others = 0;
  }

  return {
    take: (refused) => {
      if (!codes.has(refused.code)) return;
      timer ??= setTimeout(flush, windowMs).unref();
      const kind = JSON.stringify(Object.values(refused));
      const known = counted.get(kind);
      if (known !== undefined) known.count += 1;
      else if (counted.size >= kindsMax) others += 1;
      else {
        counted.set(kind, { refused, count: 0 });
        seal(refused, 1);
      }
    },
    flush,
  };
}
