/** Credentials that come with every request are on the record once in a while, and not with each. */
import type { Clock } from '../../core/clock.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Caller } from './caller.ts';
import { type Admission, sealAdmission } from './record.ts';

const againMs = 12 * 3_600_000;
const usesMax = 2_000;

export type FirstUses = (caller: Caller, admission: Omit<Admission, 'action'>) => Promise<void>;

/** Resolves once it is durable that they came in this way, from there. Rejects with `ledger_unavailable`. */
export function createFirstUses(ledger: Pick<Ledger, 'seal'>, clock: Clock): FirstUses {
  const sealed = new Map<string, { readonly atMs: number; readonly done: Promise<void> }>();
  return (caller, admission) => {
    const key = JSON.stringify([caller.name, caller.role, admission.via, admission.grant, admission.from]);
    const nowMs = clock.monoUs() / 1000;
    const known = sealed.get(key);
    if (known !== undefined && nowMs - known.atMs < againMs) return known.done;
    sealed.delete(key);
    const [oldest] = sealed.keys();
    if (sealed.size >= usesMax && oldest !== undefined) sealed.delete(oldest);
    const done = sealAdmission(ledger, caller, { action: 'sign in', ...admission });
    sealed.set(key, { atMs: nowMs, done });
    done.catch(() => sealed.delete(key));
    return done;
  };
}
