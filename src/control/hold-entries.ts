/** The entries of a held decision, as far as they can be read. */
import type { Hold } from '../hold/record.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { UnreadableEntry } from '../ledger/reader.ts';

/**
 * While a hold waits, one that cannot be read is told and keeps nobody from the others. Thrown are its request and its held
 * answer, without which nobody knows what is ruled on, and any of a hold that is over: it may be what became of it.
 */
export function entriesOf(
  ledger: Pick<Ledger, 'decision'>,
  { decision, response, state }: Pick<Hold, 'decision' | 'response' | 'state'>,
  tell: (why: UnreadableEntry) => void,
): Promise<readonly Entry[]> {
  return ledger.decision(decision, (why) => {
    if (why.seq === response || state.status !== 'pending') throw why;
    tell(why);
  });
}
