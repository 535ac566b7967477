/** A hold as it is read from its entry. */
import { type Hold, holdFromEntries } from '../../../src/hold/record.ts';

export function sealedHold(seq: number, decision: number, retry: string): Hold {
  const terms = { expires: 0, approvals: 1, roles: [], rules: [], digest: 'd', notRequester: true };
  const at = '2026-11-22T00:00:00.000Z';
  const data = { ...terms, decision, phase: 'response', retry };
  const where = { boot: '', kid: '', ledger: '', mono: 0, prev: '' };
  const leaf = {
    ...where,
    at,
    data,
    durability: 'strict',
    parts: [],
    refs: [],
    seq,
    type: 'hold',
    v: 1,
  } as const;
  const hold = holdFromEntries([leaf], (id) => `h-${id}`);
  if (hold === null) throw new Error('an entry of type hold makes a hold');
  return hold;
}
