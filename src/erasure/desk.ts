/**
 * Erasures that people and the schedule ask for: one runs at a time, the others wait; what they did is kept for a
 * while, and in the ledger for good. Also places and lifts legal holds. Owns the jobs.
 */
import type { RandomBytes, Schedule } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from '../ledger/canonical.ts';
import { type KeptOrder, type KeptOrders, type Scope, scopeData } from '../ledger/erasure.ts';
import type { LegalHold } from '../ledger/subjects.ts';
import type { ErasureJob } from './job.ts';
import { keepMark, markFor } from './marks.ts';
import { emptyProgress } from './progress.ts';
import { createRetention, type Retention } from './retention.ts';
import { type ErasureHouse, type ErasureOrder, type ErasureStop, runErasure } from './run.ts';

export interface Person {
  readonly by: string;
  readonly role: 'privacy' | 'admin';
  /** Throws once they may not ask for it any more. Called in one step with the sealing, which may have to wait. */
  readonly requireStanding?: () => void;
}

export interface ErasureDesk {
  /** What is erased by its age. */
  readonly retention: Pick<Retention, 'state' | 'look'>;
  /**
   * Begins it, or puts it in line. A person's goes on at the next start where this run ends before it does. Throws
   * `overloaded`, `shutting_down`, and `ledger_unavailable` where it cannot be kept.
   */
  start(order: ErasureOrder): ErasureJob;
  find(id: string): ErasureJob | null;
  /**
   * Has it end where it is: at once where it waits, after the decision it is at where it runs. What was erased stays so.
   * From when this returns it does not go on at the next start. Throws `not_found`, `erasure_ended`, and
   * `ledger_unavailable` where that cannot be kept; it then goes on.
   */
  stopErasure(id: string, stop: ErasureStop): ErasureJob;
  /** Those that are kept, the newest first. */
  list(): readonly ErasureJob[];
  /** Resolves with the job once it ended. */
  ended(id: string): Promise<ErasureJob | null>;
  /** Resolves with its seq once the legal hold is sealed. */
  placeHold(scope: Scope, person: Person, reason: string): Promise<LegalHold>;
  /** Resolves once it is sealed. Throws `not_found`. */
  liftHold(seq: number, person: Person, reason: string): Promise<void>;
  /** Since the start, the one that runs included. */
  totals(): {
    readonly pending: number;
    readonly parts: number;
    readonly bytesWiped: number;
    readonly lookedAt: number;
  };
  /** Takes no more; resolves once the one that runs has ended, after the entry it is at. */
  stop(): Promise<void>;
}

export interface DeskOptions extends Omit<ErasureHouse, 'isStopping'> {
  readonly random: RandomBytes;
  readonly schedule: Schedule;
  readonly everyHours: number;
  /** Goes on with those that are there. */
  readonly orders: KeptOrders;
  readonly onEnd: (job: ErasureJob) => void;
  readonly onError: (what: string, error: unknown) => void;
}

const waitingMax = 32;
const keptMax = 200;

export function createErasureDesk(options: DeskOptions): ErasureDesk {
  const { ledger, terms, clock } = options;
  const jobs = new Map<string, { job: ErasureJob; ended: Promise<void> }>();
  let line: Promise<void> = Promise.resolve();
  let pending = 0;
  let running: ErasureJob | null = null;
  const erased = { parts: 0, bytesWiped: 0 };
  let stopping = false;
  const house: ErasureHouse = { ledger, terms, clock, isStopping: () => stopping };

  function start(order: ErasureOrder): ErasureJob {
    if (stopping) throw new HoldpointError('shutting_down', 'The sidecar stops.', 'Ask again once it runs.');
    if (pending >= waitingMax)
      throw new HoldpointError('overloaded', 'Too many erasures wait.', 'Ask again when one has ended.');
    const id = options.random(8).toString('hex');
    const kept = keptOf(id, order);
    if (kept !== null) options.orders.keep(kept);
    return putInLine(id, order);
  }

  function putInLine(id: string, order: ErasureOrder): ErasureJob {
    const job: ErasureJob = {
      id,
      order,
      progress: emptyProgress(),
      startedAtMs: clock.nowMs(),
      endedAtMs: null,
      state: 'waiting',
      stop: null,
      error: null,
    };
    pending += 1;
    line = line.then(() => work(job));
    jobs.set(job.id, { job, ended: line });
    forgetOldest();
    return job;
  }

  /** Its turn has come. */
  async function work(job: ErasureJob): Promise<void> {
    // It was stopped while it waited.
    if (job.state !== 'waiting') return jobs.get(job.id)?.ended;
    // A dry run erases nothing, so it counts nothing.
    running = job.order.dryRun ? null : job;
    await carryOut(job);
    if (running !== null) {
      erased.parts += job.progress.parts;
      erased.bytesWiped += job.progress.bytesWiped;
    }
    running = null;
  }

  /** Never rejects: what went wrong is the job's. */
  async function carryOut(job: ErasureJob): Promise<void> {
    job.state = 'running';
    try {
      job.state = await erase(job);
    } catch (error) {
      job.state = 'failed';
      job.error =
        error instanceof HoldpointError
          ? error
          : new HoldpointError('internal', 'The erasure failed; the log says how.', '', error);
    }
    job.endedAtMs = clock.nowMs();
    pending -= 1;
    // What the sidecar's end cut off goes on at the next start.
    if (job.error?.code !== 'shutting_down') forgetOrder(job.id);
    options.onEnd(job);
  }

  async function erase(job: ErasureJob): Promise<'done' | 'stopped'> {
    const { id, order, progress } = job;
    const goOn = await markFor(ledger, order);
    const from = goOn === null ? {} : { goOn };
    try {
      return await runErasure(house, id, { ...order, ...from }, progress, () => job.stop);
    } finally {
      if (progress.isThrough) await keepMark(ledger, job, goOn);
    }
  }

  function stopErasure(id: string, stop: ErasureStop): ErasureJob {
    const found = jobs.get(id);
    if (found === undefined) throw noErasure();
    const { job } = found;
    if (job.endedAtMs !== null)
      throw new HoldpointError(
        'erasure_ended',
        'The erasure has ended: there is nothing left to stop.',
        'Read what it did: holdpoint erase list',
      );
    if (job.stop !== null)
      throw new HoldpointError(
        'erasure_ended',
        `${job.stop.by} stopped it before.`,
        'Wait until it has ended.',
      );
    // Before anybody hears of it: after a crash it must not go on.
    if (options.orders.all().some((order) => order.id === id)) options.orders.drop(id);
    job.stop = stop;
    if (job.state === 'waiting') found.ended = carryOut(job);
    return job;
  }

  function forgetOrder(id: string): void {
    if (!options.orders.all().some((order) => order.id === id)) return;
    try {
      options.orders.drop(id);
    } catch (error) {
      options.onError('An erasure that has ended will be looked at again at the next start', error);
    }
  }

  function forgetOldest(): void {
    for (const [id, { job }] of jobs) {
      if (jobs.size <= keptMax) return;
      if (job.endedAtMs !== null) jobs.delete(id);
    }
  }

  /** @param requireDue throws where it is not due any more when its turn comes */
  function sealHold(
    data: JsonObject,
    reason: string,
    requireDue: () => void = () => undefined,
  ): Promise<number> {
    const parts = [{ name: 'reason', bytes: Buffer.from(reason) }];
    return ledger.sealBetweenErasures(() => {
      requireDue();
      return { type: 'erasure', data, parts };
    });
  }

  function requirePlaced(seq: number): void {
    if (ledger.legalHolds().some((hold) => hold.seq === seq)) return;
    throw new HoldpointError(
      'not_found',
      'There is no such legal hold.',
      'List them with: holdpoint legal-hold list',
    );
  }

  const ended = async (id: string): Promise<ErasureJob | null> => {
    const found = jobs.get(id);
    await found?.ended;
    return found?.job ?? null;
  };

  const retention = createRetention({ ...options, start, ended });
  for (const { id, ...order } of options.orders.all()) putInLine(id, { ...order, dryRun: false });

  return {
    retention,
    start,
    stopErasure,
    find: (id) => jobs.get(id)?.job ?? null,
    list: () => [...jobs.values()].map(({ job }) => job).reverse(),
    ended,
    placeHold: async (scope, { by, role, requireStanding }, reason) => {
      const data = { action: 'hold', by, role, scope: scopeData(scope) };
      return { seq: await sealHold(data, reason, requireStanding), scope: data.scope, by };
    },
    liftHold: async (seq, { by, role, requireStanding }, reason) => {
      await sealHold({ action: 'lift', by, hold: seq, role }, reason, () => {
        requireStanding?.();
        requirePlaced(seq);
      });
    },
    totals: () => ({
      pending,
      parts: erased.parts + (running?.progress.parts ?? 0),
      bytesWiped: erased.bytesWiped + (running?.progress.bytesWiped ?? 0),
      lookedAt: Math.max(0, running?.progress.lookedAt ?? 0),
    }),
    stop: async () => {
      stopping = true;
      retention.stop();
      await line;
    },
  };
}

/** For an id that the desk does not know. */
export function noErasure(): HoldpointError {
  return new HoldpointError(
    'not_found',
    'There is no such erasure since the sidecar started.',
    'Its entries are in the ledger: holdpoint ledger entry SEQ.',
  );
}

/** Null for what is not kept: a look that erases nothing, and what the schedule asks for again by itself. */
function keptOf(id: string, order: ErasureOrder): KeptOrder | null {
  const { scope, meant = '', basis, by, role, reason, dryRun } = order;
  if (dryRun || role === 'retention' || 'rule' in scope) return null;
  return { id, scope, meant, basis, by, role, reason };
}
