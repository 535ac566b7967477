/** A release of some of the calls that an answer makes: which of them are withheld, and the answer without those. */
import { HoldpointError } from '../core/errors.ts';
import type { Hold } from '../hold/record.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { amendedMessage } from './amend.ts';
import { readExchange } from './exchange.ts';
import { entriesOf } from './hold-entries.ts';

export interface Divided {
  /** Places of the withheld calls among those of the held answer, from 0. Never their ids, which are content. */
  readonly withheld: readonly number[];
  readonly message: Buffer;
}

/**
 * The held answer with only these calls in it; null where they are all of them. Throws `invalid_argument` for ids
 * that are not the answer's, `not_divisible` where its API or form does not allow it.
 */
export async function divide(ledger: Ledger, hold: Hold, ids: readonly string[]): Promise<Divided | null> {
  const { response } =
    hold.phase === 'response'
      ? await readExchange(ledger, await entriesOf(ledger, hold, () => undefined))
      : { response: null };
  const calls = response?.toolCalls ?? [];
  const unknown = ids.find((id) => !calls.some((call) => call.id === id));
  if (unknown !== undefined || ids.length === 0) {
    throw new HoldpointError(
      'invalid_argument',
      unknown === undefined
        ? 'A release of no call is a denial.'
        : `The held answer makes no call ${JSON.stringify(unknown)}.`,
      'Name calls by the ids that the hold shows, or rule on all of it.',
    );
  }
  const withheld = calls.flatMap((call, place) => (ids.includes(call.id) ? [] : [place]));
  if (withheld.length === 0) return null;
  const without = withheld.map((place) => calls[place]?.id ?? '');
  return { withheld, message: await amendedMessage(ledger, hold, { withheld: without }) };
}
