/** The holds of one session, those that ended among them: an agent's whole run, as the ledger has it. */
import type { HoldQueue } from '../hold/queue.ts';
import type { Hold } from '../hold/record.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { UnreadableEntry } from '../ledger/reader.ts';
import type { Damage } from './damage.ts';

/** The newest decisions of a session that are looked at. */
const decisionsMax = 2_000;

/** Holds of the newest decisions of the session, in no order; those that cannot be read are told of instead. */
export async function holdsOfSession(
  ledger: Ledger,
  queue: HoldQueue,
  session: string,
  damage: Damage,
): Promise<Hold[]> {
  const found: Hold[] = [];
  let looked = 0;
  for await (const request of ledger.newest(Number.MAX_SAFE_INTEGER, { session })) {
    if (looked >= decisionsMax) break;
    looked += 1;
    if (request instanceof UnreadableEntry) damage.tell(request);
    // The index is never evidence.
    else if (request.data['session'] === session)
      found.push(...((await damage.read(request.seq, () => holdsOf(ledger, queue, request.seq))) ?? []));
  }
  return found;
}

async function holdsOf(ledger: Ledger, queue: HoldQueue, decision: number): Promise<Hold[]> {
  const found: Hold[] = [];
  for (const { type, seq } of await ledger.decision(decision))
    if (type === 'hold') found.push(await queue.get(seq));
  return found;
}
