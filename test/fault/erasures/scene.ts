/** Decisions that are erased, and the desk that does it, over a ledger in memory. */
import type { Schedule } from '../../../src/core/clock.ts';
import { createErasureDesk, type DeskOptions, type ErasureDesk } from '../../../src/erasure/desk.ts';
import type { ErasureOrder } from '../../../src/erasure/run.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { createKeptOrders } from '../../support/kept-orders.ts';
import type { LedgerUnderTest } from '../ledger-under-test.ts';

export const subject = 'ab'.repeat(8);
export const dayMs = 86_400_000;

/** One closed decision of a workload and a subject. */
export async function decide(ledger: Ledger, data: Record<string, string> = {}): Promise<number> {
  const request = ledger.seal({
    type: 'request',
    data: { verdict: 'pass', subject, ...data },
    parts: [{ name: 'request', bytes: Buffer.from('who am I?') }],
  });
  const decision = request.seq;
  ledger.seal({
    type: 'response',
    data: { decision, verdict: 'pass' },
    parts: [{ name: 'response', bytes: Buffer.from('a person') }],
  });
  const closing = ledger.seal({ type: 'delivery', data: { outcomes: [[decision, 'delivered']] } });
  await closing.durable;
  return decision;
}

/** Decisions of one part each, faster than one after the other. */
export async function decideMany(ledger: Ledger, count: number): Promise<readonly number[]> {
  const seqs: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const parts = [{ name: 'request', bytes: Buffer.from('x') }];
    const { seq } = ledger.seal({ type: 'request', data: { verdict: 'deny', subject }, parts });
    const { durable } = ledger.seal({ type: 'delivery', data: { outcomes: [[seq, 'denied']] } });
    seqs.push(seq);
    if (i % 400 === 399 || i === count - 1) await durable;
  }
  return seqs;
}

export interface Timers {
  readonly schedule: Schedule;
  /** Runs what is due next; false when nothing waits. */
  fire(): boolean;
}

export function createTimers(): Timers {
  const waiting = new Set<() => void>();
  return {
    schedule: (_ms, fn) => {
      waiting.add(fn);
      return () => waiting.delete(fn);
    },
    fire: () => {
      const [next] = waiting;
      if (next === undefined) return false;
      waiting.delete(next);
      next();
      return true;
    },
  };
}

export function deskOf(
  house: LedgerUnderTest,
  ledger: Ledger,
  options: Partial<DeskOptions> = {},
): ErasureDesk {
  let ids = 0;
  return createErasureDesk({
    ledger,
    terms: { rules: [], exemptions: [] },
    everyHours: 24,
    clock: { nowMs: () => house.clock.ms, monoUs: () => house.clock.ms * 1000 },
    schedule: createTimers().schedule,
    random: (length) => {
      ids += 1;
      return Buffer.alloc(length, ids);
    },
    orders: createKeptOrders(),
    onEnd: () => undefined,
    onError: (_what, error) => {
      throw error;
    },
    ...options,
  });
}

export const bySubject: ErasureOrder = {
  scope: { subject },
  basis: 'objection',
  by: 'petra',
  role: 'privacy',
  reason: 'request 1',
  dryRun: false,
};

export async function run(desk: ErasureDesk, order: ErasureOrder) {
  const job = await desk.ended(desk.start(order).id);
  if (job === null) throw new Error('the erasure was forgotten');
  return job;
}

export const erasuresOf = (house: LedgerUnderTest) =>
  house.entries().filter(({ type }) => type === 'erasure');

export async function bodyCode(ledger: Ledger, seq: number, name: string): Promise<string> {
  const read = await ledger.part(seq, name).catch((error: { code?: string }) => error.code);
  return typeof read === 'string' ? read : 'read';
}
