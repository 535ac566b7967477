import type { ErasureJob } from '../../erasure/job.ts';
import { scopeData } from '../../ledger/erasure.ts';
import type { ErasureShown } from '../api/erasures.ts';

/** An erasure as the control port tells it. */
export function shownErasure({ id, order, progress, stop, ...job }: ErasureJob): ErasureShown {
  const { again: _again, firstBeyond: _first, isThrough: _through, lookedAt: _looked, ...counts } = progress;
  return {
    id,
    state: job.state,
    dryRun: order.dryRun,
    by: order.by,
    basis: order.basis,
    scope: scopeData(order.scope),
    ...counts,
    startedAt: new Date(job.startedAtMs).toISOString(),
    endedAt: job.endedAtMs === null ? null : new Date(job.endedAtMs).toISOString(),
    stoppedBy: stop?.by ?? null,
    error: job.error?.message ?? null,
  };
}
