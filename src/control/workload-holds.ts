/** What else a workload had held lately, as the ledger has it: whether this one is like it, or is the first. */
import type { Hold } from '../hold/record.ts';
import type { ControlParts } from './parts.ts';

const shownMax = 5;
/** The newest held decisions that are looked at; the index may name some that are none of the workload's. */
const decisionsMax = 50;

interface Holds {
  readonly ledger: Pick<ControlParts['ledger'], 'entry' | 'decision' | 'find' | 'durable'>;
  readonly holds: Pick<ControlParts['holds'], 'get'>;
}

/** The newest other holds of the workload that had this one, the newest first; none where nobody said who calls. */
export async function otherHoldsOfWorkload(
  { ledger, holds }: Holds,
  hold: Pick<Hold, 'decision' | 'seq'>,
): Promise<readonly Hold[]> {
  const found: Hold[] = [];
  const workload = (await ledger.entry(hold.decision)).data['workload'];
  if (typeof workload !== 'string' || workload === '') return found;
  let looked = 0;
  for await (const seq of ledger.find({ workload, verdict: 'hold' }, ledger.durable().size)) {
    if (looked >= decisionsMax || found.length >= shownMax) break;
    looked += 1;
    // The index is never evidence: what it names need be no request, or none of this workload's.
    const named = await ledger.entry(seq);
    if (named.type !== 'request' || named.data['workload'] !== workload) continue;
    for (const { type, seq: holdSeq } of (await ledger.decision(seq)).toReversed())
      if (type === 'hold' && holdSeq !== hold.seq) found.push(await holds.get(holdSeq));
  }
  return found.slice(0, shownMax);
}
