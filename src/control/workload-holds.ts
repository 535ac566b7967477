/** What else a workload had held lately, as the ledger has it: whether this one is like it, or is the first. */
import type { Hold } from '../hold/record.ts';
import { UnreadableEntry } from '../ledger/reader.ts';
import type { Damage } from './damage.ts';
import type { ControlParts } from './parts.ts';

const shownMax = 5;
/** The newest held decisions that are looked at; the index may name some that are none of the workload's. */
const decisionsMax = 50;

interface Holds {
  readonly ledger: Pick<ControlParts['ledger'], 'entry' | 'decision' | 'newest'>;
  readonly holds: Pick<ControlParts['holds'], 'get'>;
}

/**
 * The newest other holds of the workload that had this one, the newest first; none where nobody said who calls. Those
 * that cannot be read are told of instead.
 */
export async function otherHoldsOfWorkload(
  { ledger, holds }: Holds,
  hold: Pick<Hold, 'decision' | 'seq'>,
  damage: Damage,
): Promise<readonly Hold[]> {
  const found: Hold[] = [];
  const workload = (await ledger.entry(hold.decision)).data['workload'];
  if (typeof workload !== 'string' || workload === '') return found;
  let looked = 0;
  for await (const named of ledger.newest(Number.MAX_SAFE_INTEGER, { workload, verdict: 'hold' })) {
    if (looked >= decisionsMax || found.length >= shownMax) break;
    looked += 1;
    if (named instanceof UnreadableEntry) damage.tell(named);
    // The index is never evidence: what it names need be no request, or none of this workload's.
    else if (named.type === 'request' && named.data['workload'] === workload)
      found.push(...((await damage.read(named.seq, () => others(named.seq))) ?? []));
  }
  return found.slice(0, shownMax);

  async function others(decision: number): Promise<Hold[]> {
    const some: Hold[] = [];
    for (const { type, seq } of (await ledger.decision(decision)).toReversed())
      if (type === 'hold' && seq !== hold.seq) some.push(await holds.get(seq));
    return some;
  }
}
