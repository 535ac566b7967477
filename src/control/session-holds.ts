/** The holds of one session, those that ended among them: an agent's whole run, as the ledger has it. */
import type { HoldQueue } from '../hold/queue.ts';
import type { Hold } from '../hold/record.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** The newest decisions of a session that are looked at. */
const decisionsMax = 2_000;

/** Holds of the newest decisions of the session, in no order. */
export async function holdsOfSession(ledger: Ledger, queue: HoldQueue, session: string): Promise<Hold[]> {
  const found: Hold[] = [];
  let looked = 0;
  for await (const seq of ledger.find({ session }, Number.MAX_SAFE_INTEGER)) {
    if (looked >= decisionsMax) break;
    looked += 1;
    const entries = await ledger.decision(seq);
    // The index is never evidence.
    if (entries[0]?.data['session'] !== session) continue;
    for (const entry of entries) if (entry.type === 'hold') found.push(await queue.get(entry.seq));
  }
  return found;
}
