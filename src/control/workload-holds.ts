/** What else a workload had held lately, as the ledger has it: whether this one is like it, or is the first. */
import type { Hold } from '../hold/record.ts';
import type { ControlParts } from './parts.ts';

const shownMax = 5;
/** The newest held decisions that are looked at; the index may name some that are none of the workload's. */
const decisionsMax = 50;

/** The newest other holds of the workload that had this one, the newest first; none where nobody said who calls. */
export async function otherHoldsOfWorkload(
  { ledger, holds }: Pick<ControlParts, 'ledger' | 'holds'>,
  hold: Hold,
): Promise<readonly Hold[]> {
  const found: Hold[] = [];
  const workload = (await ledger.entry(hold.decision)).data['workload'];
  if (typeof workload !== 'string' || workload === '') return found;
  let looked = 0;
  for await (const seq of ledger.find({ workload, verdict: 'hold' }, Number.MAX_SAFE_INTEGER)) {
    if (looked >= decisionsMax || found.length >= shownMax) break;
    looked += 1;
    const entries = await ledger.decision(seq);
    // The index is never evidence.
    if (entries[0]?.data['workload'] !== workload) continue;
    for (const { type, seq: holdSeq } of entries.toReversed())
      if (type === 'hold' && holdSeq !== hold.seq) found.push(await holds.get(holdSeq));
  }
  return found.slice(0, shownMax);
}
