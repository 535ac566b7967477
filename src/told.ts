/** What the log and the metrics are told of the parts: events and numbers, never content. */
import { HoldpointError, refusalOf } from './core/errors.ts';
import type { ErasureDesk } from './erasure/desk.ts';
import type { ErasureJob } from './erasure/job.ts';
import type { HoldQueue } from './hold/queue.ts';
import type { LedgerEvent } from './ledger/ledger-options.ts';
import type { EndedCall } from './proxy/house.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** Shows at 0 what has not happened yet: a series that is absent until the first time cannot be alerted on. */
export function declareAlarms(metrics: Metrics): void {
  metrics.declare('holdpoint_glass_broken_total', {});
  metrics.declare('holdpoint_rulings_total', { status: 'expired' });
  metrics.declare('holdpoint_control_refused_total', { code: 'unauthenticated' });
  for (const asked of ['person', 'schedule'])
    metrics.declare('holdpoint_erasures_total', { asked, state: 'failed' });
}

/** Of erasures, for the metrics page. */
export function erasureGauges(erasures: ErasureDesk) {
  const { pending, parts, bytesWiped, lookedAt } = erasures.totals();
  return {
    holdpoint_erasures_pending: pending,
    holdpoint_erased_parts: parts,
    holdpoint_erased_bytes: bytesWiped,
    holdpoint_retention_entry: lookedAt,
  };
}

/** Of holds that wait, for the metrics page. */
export function holdGauges(holds: HoldQueue, nowMs: number) {
  const pending = holds.list().filter(({ state }) => state.status === 'pending');
  const nextMs = pending.reduce(
    (soonest, { state }) => Math.min(soonest, state.terms.expiresAtMs),
    Number.POSITIVE_INFINITY,
  );
  return {
    holdpoint_holds_pending: pending.length,
    holdpoint_hold_next_expiry_seconds: Math.max(0, nextMs - nowMs) / 1000,
  };
}

/** Of reviews of what one person alone released, for the metrics page. */
export function reviewGauges(holds: HoldQueue) {
  const { open, overdue } = holds.reviewCounts();
  return { holdpoint_reviews_open: open, holdpoint_reviews_overdue: overdue };
}

/** Counts a call that ended, and logs it for whoever looks for one: its decision leads to all that is recorded of it. */
export function onCallEnd(call: EndedCall, log: Logger, metrics: Metrics): void {
  const { operation, status, seconds, decision } = call;
  metrics.count('holdpoint_calls_total', { operation, status: String(status) });
  metrics.observeSeconds(seconds);
  const known = decision === null ? {} : { decision };
  log.debug('call ended', { ...known, operation, status, ms: Math.round(seconds * 1000) });
}

/** Counts and logs an erasure that ended; ids and numbers only. */
export function onErasureEnd(job: ErasureJob, log: Logger, metrics: Metrics): void {
  const { id, order, progress, state, error } = job;
  metrics.count('holdpoint_erasures_total', {
    asked: order.role === 'retention' && !order.dryRun ? 'schedule' : 'person',
    state,
  });
  // A stop is no failure: what a person asked for goes on at the next start, and the schedule comes again.
  if (error !== null && error.code !== 'shutting_down') log.error('erasure failed', error);
  const { decisions, erased, parts, bytesWiped, bytesReclaimed } = progress;
  log.info('erasure ended', {
    id,
    state,
    dryRun: order.dryRun,
    decisions,
    erased,
    parts,
    bytesWiped,
    bytesReclaimed,
  });
}

/** Counts and logs what the ledger went through, and has the queue read what is sealed once it is open again. */
export function onLedgerEvent(
  event: LedgerEvent,
  log: Logger,
  metrics: Metrics,
  holds: () => HoldQueue | null,
): void {
  if (event.kind === 'opened') {
    log.info('ledger open', { size: event.size, checked: event.entriesChecked, closed: event.closed });
    if (!event.isRemembered)
      log.warn(
        'the high-water mark was missing: nothing on this disk tells whether entries were taken away',
        {
          size: event.size,
          next: 'compare with a checkpoint kept elsewhere: holdpoint verify --checkpoint FILE',
        },
      );
    // After a failure the disk knows better than memory what was ruled.
    holds()
      ?.restore()
      .catch((error: unknown) => log.error('holds could not be restored', error));
    return;
  }
  if (event.kind === 'failed') metrics.count('holdpoint_ledger_failures_total', {});
  const error = event.kind === 'failed' ? failureOf(event.error) : event.error;
  log.error(`ledger: ${event.kind.replace('_', ' ')}`, error);
}

/** How LevelDB tells of the system's refusals. */
const ofLevel = /^IO error: .*: (?<why>[^:]+)$/;

/** A disk that refuses a write is no defect of ours, and whoever runs the sidecar can do something about it. */
function failureOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const why = 'syscall' in error ? refusalOf(error) : ofLevel.exec(error.message)?.groups?.['why'];
  if (why === undefined) return error;
  return new HoldpointError(
    'ledger_unavailable',
    `The ledger below data.dir could not be written: ${why}.`,
    'Make room, or let the disk be written again. The ledger then opens by itself. Calls get 503 until it does.',
    error,
  );
}
