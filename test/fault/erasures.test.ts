/** Erasures over a ledger whose disk fails or whose process dies, and the schedule that asks for them. */
import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../src/core/clock.ts';
import { HoldpointError } from '../../src/core/errors.ts';
import { createErasureDesk, type DeskOptions, type ErasureDesk } from '../../src/erasure/desk.ts';
import type { ErasureOrder } from '../../src/erasure/run.ts';
import { targetsOf } from '../../src/ledger/erasure.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createKeptOrders } from '../support/kept-orders.ts';
import { createLedgerUnderTest, type LedgerUnderTest } from './ledger-under-test.ts';
import { createMemoryDisk } from './memory-disk.ts';

const subject = 'ab'.repeat(8);
const dayMs = 86_400_000;

/** One closed decision of a workload and a subject. */
async function decide(ledger: Ledger, data: Record<string, string> = {}): Promise<number> {
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

interface Timers {
  readonly schedule: Schedule;
  /** Runs what is due next; false when nothing waits. */
  fire(): boolean;
}

function createTimers(): Timers {
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

function deskOf(house: LedgerUnderTest, ledger: Ledger, options: Partial<DeskOptions> = {}): ErasureDesk {
  let ids = 0;
  return createErasureDesk({
    ledger,
    terms: { rules: [], exemptions: [] },
    everyHours: 24,
    clock: { nowMs: () => house.clock.ms, monoUs: () => 0 },
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

const bySubject: ErasureOrder = {
  scope: { subject },
  basis: 'objection',
  by: 'petra',
  role: 'privacy',
  reason: 'request 1',
  dryRun: false,
};

async function run(desk: ErasureDesk, order: ErasureOrder) {
  const job = await desk.ended(desk.start(order).id);
  if (job === null) throw new Error('the erasure was forgotten');
  return job;
}

const erasuresOf = (house: LedgerUnderTest) => house.entries().filter(({ type }) => type === 'erasure');

async function bodyCode(ledger: Ledger, seq: number, name: string): Promise<string> {
  const read = await ledger.part(seq, name).catch((error: { code?: string }) => error.code);
  return typeof read === 'string' ? read : 'read';
}

describe('an erasure that is sealed', () => {
  it('and could not be carried out is carried out before the next, and fails only itself', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const first = await decide(ledger);
    const desk = deskOf(house, ledger);
    house.disk.failRewrites = true;
    expect(await run(desk, bySubject)).toMatchObject({ state: 'failed' });
    const underWay = await house.verify();
    expect([underWay.findings, underWay.bodies.erased]).toEqual([[], 0]);
    expect(underWay.notes.join()).toContain('2 parts that an erasure names are still stored');
    const second = await decide(ledger);
    house.disk.failRewrites = false;
    expect(await run(desk, bySubject)).toMatchObject({ state: 'done', progress: { decisions: 1, parts: 2 } });
    for (const seq of [first, second]) expect(await bodyCode(ledger, seq, 'request')).toBe('erased');
    await ledger.close('test');
    const verdict = await house.verify();
    expect([verdict.findings, verdict.bodies.erased]).toEqual([[], 4]);
  });

  it('and was not carried out when the process died is carried out at the next start', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    house.disk.failRewrites = true;
    await run(deskOf(house, ledger), bySubject);
    house.disk.loseUnsynced();
    house.indexDisk.abandon();
    house.disk.failRewrites = false;
    const next = await house.open();
    expect(await bodyCode(next, decision, 'request')).toBe('erased');
    expect(await bodyCode(next, decision + 1, 'response')).toBe('erased');
    await next.close('test');
    const verdict = await house.verify();
    expect([verdict.findings, verdict.bodies.erased]).toEqual([[], 2]);
  });

  it('does not keep a start from happening while it cannot be carried out', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    await decide(ledger);
    house.disk.failRewrites = true;
    await run(deskOf(house, ledger), bySubject);
    await ledger.close('test');
    const next = await house.open();
    expect(house.events.some(({ kind }) => kind === 'erasure_failed')).toBe(true);
    await next.close('test');
  });

  it('cannot be sealed while the ledger cannot be written, and then destroys nothing', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    house.disk.fateOf = () => 'before';
    expect(await run(deskOf(house, ledger), bySubject)).toMatchObject({ state: 'failed' });
    house.disk.fateOf = () => 'written';
    expect(erasuresOf(house)).toEqual([]);
    await ledger.close('test');
    const next = await house.open();
    expect(await bodyCode(next, decision, 'request')).toBe('read');
    await next.close('test');
  });
});

describe('an erasure of many decisions', () => {
  it('is several entries of one request, of which only the last is final', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    for (let i = 0; i < 1500; i += 1) {
      const { seq } = ledger.seal({
        type: 'request',
        data: { verdict: 'deny', subject },
        parts: ['request', 'source'].map((name) => ({ name, bytes: Buffer.from('x') })),
      });
      const { durable } = ledger.seal({ type: 'delivery', data: { outcomes: [[seq, 'denied']] } });
      if (i % 500 === 499) await durable;
    }
    const { progress } = await run(deskOf(house, ledger), bySubject);
    expect([progress.erased, progress.parts]).toEqual([1500, 3000]);
    const sealed = erasuresOf(house);
    expect(sealed.map(({ data }) => data['final'])).toEqual([false, true]);
    expect(new Set(sealed.map(({ data }) => data['request'])).size).toBe(1);
    expect(sealed.map((entry) => targetsOf(entry).length)).toEqual([2048, 952]);
    expect(sealed.map(({ parts }) => parts.map(({ name }) => name))).toEqual([['reason'], []]);
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('that finds nothing leaves one entry that says so', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    await run(deskOf(house, ledger), { ...bySubject, scope: { subject: 'cd'.repeat(8) } });
    expect(erasuresOf(house).map(({ data }) => [data['targets'], data['final']])).toEqual([[[], true]]);
    await ledger.close('test');
  });

  it('names what was said after a first erasure once, however often erasure is asked for', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const desk = deskOf(house, ledger);
    const decision = await decide(ledger);
    await run(desk, bySubject);
    await ledger.seal({
      type: 'access',
      data: { action: 'read', by: 'ada', role: 'auditor', decision },
      parts: [{ name: 'reason', bytes: Buffer.from('who was it?') }],
    }).durable;
    const counts = [];
    for (let time = 0; time < 3; time += 1) counts.push((await run(desk, bySubject)).progress.parts);
    await ledger.close('test');
    expect(counts).toEqual([1, 0, 0]);
    expect((await house.verify()).findings).toEqual([]);
  });

  it('erases a batch with its lines, or nothing of it', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const carrier = await decide(ledger);
    const line = ledger.seal({
      type: 'request',
      data: { verdict: 'pass', batch: carrier, line: 1 },
      parts: [{ name: 'request', bytes: Buffer.from('a line') }],
    });
    await ledger.seal({ type: 'delivery', data: { outcomes: [[line.seq, 'carried']] } }).durable;
    const desk = deskOf(house, ledger);
    const hold = await desk.placeHold({ decision: line.seq }, { by: 'petra', role: 'privacy' }, 'a case');
    const order = { ...bySubject, scope: { decision: line.seq } };
    expect((await run(desk, order)).progress).toMatchObject({ erased: 0, refused: { legal_hold: 2 } });
    await desk.liftHold(hold.seq, { by: 'petra', role: 'privacy' }, 'closed');
    expect((await run(desk, order)).progress).toMatchObject({ erased: 2, parts: 3 });
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });
});

describe('a legal hold', () => {
  it('that is placed once an erasure was judged is obeyed all the same', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const desk = deskOf(house, ledger);
    // Sealed before the erasure's own turn comes, after it read which holds stand.
    const job = desk.start(bySubject);
    const placed = new Promise<void>((resolve, reject) => {
      const original = ledger.erase;
      Object.assign(ledger, {
        erase: async (...args: Parameters<Ledger['erase']>) => {
          Object.assign(ledger, { erase: original });
          await desk
            .placeHold({ decision }, { by: 'petra', role: 'privacy' }, 'a case')
            .then(() => resolve(), reject);
          return original(...args);
        },
      });
    });
    await placed;
    const ended = await desk.ended(job.id);
    expect(ended?.progress).toMatchObject({ erased: 0, refused: { legal_hold: 1 } });
    expect(await bodyCode(ledger, decision, 'request')).toBe('read');
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('stands after a start, also after one that lost the index', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const { seq } = await deskOf(house, ledger).placeHold(
      { subject },
      { by: 'petra', role: 'privacy' },
      'a case',
    );
    await ledger.close('test');
    const next = await house.open();
    expect(next.legalHolds().map((hold) => hold.seq)).toEqual([seq]);
    await next.close('test');
    const lost = createLedgerUnderTest();
    Object.assign(house, { indexDisk: lost.indexDisk });
    const third = await house.open();
    expect(third.legalHolds()).toEqual([{ seq, by: 'petra', scope: { subject } }]);
    expect(await third.decisionsOf(subject)).toEqual([decision]);
    await third.close('test');
  });
});

describe('retention', () => {
  async function scene(rule: DeskOptions['terms']['rules'][number]) {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const timers = createTimers();
    const ended: string[] = [];
    const desk = deskOf(house, ledger, {
      terms: { rules: [rule], exemptions: [] },
      schedule: timers.schedule,
      onEnd: ({ id }) => ended.push(id),
    });
    /** Lets the schedule come and waits until all it asked for has ended. */
    const pass = async (): Promise<void> => {
      expect(timers.fire()).toBe(true);
      while (desk.totals().pending > 0) await new Promise((resolve) => setImmediate(resolve));
    };
    return { house, ledger, desk, pass, ended };
  }

  it('erases on schedule what is older than its rule keeps, in its own name, and nothing else', async () => {
    const { house, ledger, pass } = await scene({ id: 'chat', match: { workload: 'chat' }, keepDays: 30 });
    const old = await decide(ledger, { workload: 'chat' });
    const others = await decide(ledger, { workload: 'billing' });
    house.clock.ms += 20 * dayMs;
    const young = await decide(ledger, { workload: 'chat' });
    await pass();
    expect(erasuresOf(house)).toEqual([]);
    house.clock.ms += 11 * dayMs;
    await pass();
    expect(erasuresOf(house).map(({ data }) => data)).toMatchObject([
      { action: 'erase', basis: 'retention', by: 'holdpoint', role: 'retention', scope: { rule: 'chat' } },
    ]);
    expect(await bodyCode(ledger, old, 'request')).toBe('erased');
    for (const seq of [others, young]) expect(await bodyCode(ledger, seq, 'request')).toBe('read');
    await pass();
    expect(erasuresOf(house)).toHaveLength(1);
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('is looked at by a dry run, which tells what the next time does and leaves it all there', async () => {
    const { house, ledger, desk, pass } = await scene({
      id: 'chat',
      match: { workload: 'chat' },
      keepDays: 30,
    });
    const old = await decide(ledger, { workload: 'chat' });
    house.clock.ms += 31 * dayMs;
    await decide(ledger, { workload: 'chat' });
    const look = async () => (await desk.ended(desk.retention.look('chat', 'petra').id))?.progress;
    expect(await look()).toMatchObject({ decisions: 1, erased: 1, parts: 2 });
    expect(erasuresOf(house)).toEqual([]);
    expect(await bodyCode(ledger, old, 'request')).toBe('read');
    await pass();
    expect(desk.retention.state().rules[0]?.last).toMatchObject({
      state: 'done',
      progress: { decisions: 1, erased: 1, parts: 2 },
    });
    expect(await look()).toMatchObject({ decisions: 0, parts: 0 });
    await ledger.close('test');
  });

  it('seals once that a legal hold forbids it, and erases when that is lifted', async () => {
    const { house, ledger, desk, pass } = await scene({ id: 'all', match: {}, keepDays: 1 });
    const decision = await decide(ledger);
    const person = { by: 'petra', role: 'privacy' } as const;
    const hold = await desk.placeHold({ decision }, person, 'a case');
    house.clock.ms += 2 * dayMs;
    await pass();
    await pass();
    const refusals = erasuresOf(house).filter(({ data }) => data['action'] === 'refuse');
    expect(refusals.map(({ data }) => [data['why'], data['cites']])).toEqual([
      ['legal_hold', String(hold.seq)],
    ]);
    await desk.liftHold(hold.seq, person, 'closed');
    await pass();
    expect(await bodyCode(ledger, decision, 'request')).toBe('erased');
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  /** Where schedules begin to read the ledger, from here on. */
  function readsOf(ledger: Ledger): number[] {
    const { blocks } = ledger;
    const from: number[] = [];
    Object.assign(ledger, {
      blocks: (range: Parameters<Ledger['blocks']>[0]) => {
        from.push(range.fromSeq);
        return blocks(range);
      },
    });
    return from;
  }

  it('goes on where it stopped, also after a start, and judges again what was refused alone', async () => {
    const rule = { id: 'all', match: {}, keepDays: 1 };
    const { house, ledger, desk, pass } = await scene(rule);
    const person = { by: 'petra', role: 'privacy' } as const;
    const held = await decide(ledger);
    const hold = await desk.placeHold({ decision: held }, person, 'a case');
    await decide(ledger);
    house.clock.ms += 2 * dayMs;
    await pass();
    const judged = ledger.durable().size;
    await ledger.close('test');
    const next = await house.open();
    const reads = readsOf(next);
    const timers = createTimers();
    const again = deskOf(house, next, {
      terms: { rules: [rule], exemptions: [] },
      schedule: timers.schedule,
    });
    const passAgain = async (): Promise<void> => {
      house.clock.ms += 2 * dayMs;
      timers.fire();
      while (again.totals().pending > 0) await new Promise((resolve) => setImmediate(resolve));
    };
    const later = await decide(next);
    await passAgain();
    await again.liftHold(hold.seq, person, 'closed');
    await passAgain();
    expect(reads).toHaveLength(2);
    // The first run came to the end of what was due, which is where its own refusal was sealed.
    expect(reads[0]).toBeGreaterThan(held + 3);
    expect(reads[0]).toBeLessThanOrEqual(judged);
    expect(reads[1]).toBeGreaterThan(later);
    for (const seq of [held, later]) expect(await bodyCode(next, seq, 'request')).toBe('erased');
    await next.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  /** Lets the schedule come once over what is open; returns where it began to read. */
  async function readsOfOnePass(house: LedgerUnderTest, ledger: Ledger, workload: string) {
    const reads = readsOf(ledger);
    const timers = createTimers();
    const rule = { id: 'all', match: { workload }, keepDays: 1 };
    const desk = deskOf(house, ledger, {
      terms: { rules: [rule], exemptions: [] },
      schedule: timers.schedule,
    });
    timers.fire();
    while (desk.totals().pending > 0) await new Promise((resolve) => setImmediate(resolve));
    return reads;
  }

  /** A ledger with one decision of `workload`, which a schedule for that class has come to the end of. */
  async function lookedThrough(workload: string): Promise<LedgerUnderTest> {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    await decide(ledger, { workload });
    house.clock.ms += 2 * dayMs;
    await readsOfOnePass(house, ledger, workload);
    await ledger.close('test');
    return house;
  }

  it('looks from the beginning for a rule that is about something else now', async () => {
    const house = await lookedThrough('chat');
    const ledger = await house.open();
    expect((await readsOfOnePass(house, ledger, 'chat'))[0]).toBeGreaterThan(0);
    expect(await readsOfOnePass(house, ledger, 'billing')).toEqual([0]);
    await ledger.close('test');
  });

  it('looks from the beginning where the index is gone', async () => {
    const house = await lookedThrough('chat');
    const ledger = await house.open({ openIndexStore: createMemoryDisk().open });
    expect(await readsOfOnePass(house, ledger, 'chat')).toEqual([0]);
    await ledger.close('test');
  });

  it('looks from the beginning of a ledger that is not the one that it had looked through', async () => {
    const before = await lookedThrough('chat');
    const house = await lookedThrough('billing');
    const ledger = await house.open({ openIndexStore: before.indexDisk.open });
    expect(await readsOfOnePass(house, ledger, 'chat')).toEqual([0]);
    await ledger.close('test');
  });

  it('erases what is said of a decision after that was erased, once it is as old, and of no other class', async () => {
    const { house, ledger, pass } = await scene({ id: 'chat', match: { workload: 'chat' }, keepDays: 1 });
    const [erased, others] = [
      await decide(ledger, { workload: 'chat' }),
      await decide(ledger, { workload: 'billing' }),
    ];
    house.clock.ms += 2 * dayMs;
    await pass();
    const said = [erased, others].map((decision) =>
      ledger.seal({
        type: 'access',
        data: { action: 'read', by: 'ada', role: 'auditor', decision },
        parts: [{ name: 'reason', bytes: Buffer.from('who was it?') }],
      }),
    );
    await said[1]?.durable;
    await pass();
    const codes = () => Promise.all(said.map(({ seq }) => bodyCode(ledger, seq, 'reason')));
    expect(await codes()).toEqual(['read', 'read']);
    house.clock.ms += 2 * dayMs;
    await pass();
    expect(await codes()).toEqual(['erased', 'read']);
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('is not kept from what comes after it by an entry of a clock that had run ahead', async () => {
    const { house, ledger, pass } = await scene({ id: 'all', match: {}, keepDays: 1 });
    house.clock.ms += 1000 * dayMs;
    const ahead = await decide(ledger);
    house.clock.ms -= 1000 * dayMs;
    const after = await decide(ledger);
    house.clock.ms += 2 * dayMs;
    await pass();
    expect(await bodyCode(ledger, after, 'request')).toBe('erased');
    expect(await bodyCode(ledger, ahead, 'request')).toBe('read');
    house.clock.ms += 1000 * dayMs;
    await pass();
    expect(await bodyCode(ledger, ahead, 'request')).toBe('erased');
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('ends after the entry it is at when the sidecar stops', async () => {
    const { ledger, desk } = await scene({ id: 'all', match: {}, keepDays: 1 });
    await decide(ledger);
    const job = desk.start(bySubject);
    await desk.stop();
    expect(job).toMatchObject({ state: 'failed', error: { code: 'shutting_down' } });
    expect(() => desk.start(bySubject)).toThrow('The sidecar stops.');
    await ledger.close('test');
  });
});

describe('an erasure that a person asked for', () => {
  it('and that a stop cut off goes on at the next start, under its own id, and is then forgotten', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const orders = createKeptOrders();
    const before = deskOf(house, ledger, { orders });
    const { id } = before.start(bySubject);
    await before.stop();
    expect(await bodyCode(ledger, decision, 'request')).toBe('read');
    const after = deskOf(house, ledger, { orders });
    expect(await after.ended(id)).toMatchObject({ state: 'done', progress: { erased: 1 } });
    expect(await bodyCode(ledger, decision, 'request')).toBe('erased');
    expect(erasuresOf(house).map(({ data }) => [data['request'], data['final']])).toEqual([[id, true]]);
    expect(orders.all()).toEqual([]);
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('is not begun when it cannot be kept', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const full = new HoldpointError('ledger_unavailable', 'No space is left.');
    const keep = (): never => {
      throw full;
    };
    const desk = deskOf(house, ledger, { orders: { ...createKeptOrders(), keep } });
    expect(() => desk.start(bySubject)).toThrow(full);
    expect(desk.totals().pending).toBe(0);
    expect(await bodyCode(ledger, decision, 'request')).toBe('read');
    await ledger.close('test');
  });

  it('is refused once, also where it is cut off after its refusal was sealed', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const orders = createKeptOrders();
    const before = deskOf(house, ledger, { orders });
    await before.placeHold({ decision }, { by: 'petra', role: 'privacy' }, 'a case');
    // As if the power had failed between its last entry and its end.
    const drop = (): void => undefined;
    const cut = deskOf(house, ledger, { orders: { ...orders, drop } });
    const { id } = await run(cut, bySubject);
    expect(orders.all()).toMatchObject([{ id }]);
    const after = deskOf(house, ledger, { orders });
    expect(await after.ended(id)).toMatchObject({ state: 'done', progress: { refused: { legal_hold: 1 } } });
    const refusals = erasuresOf(house).filter(({ data }) => data['action'] === 'refuse');
    expect(refusals).toHaveLength(1);
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('is not kept when it only looks', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const orders = createKeptOrders();
    const desk = deskOf(house, ledger, { orders });
    desk.start({ ...bySubject, dryRun: true });
    expect(orders.all()).toEqual([]);
    await desk.stop();
    await ledger.close('test');
  });
});

it('a legal hold that two people lift at the same moment is lifted once', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const desk = deskOf(house, ledger);
  const { seq } = await desk.placeHold({ subject }, { by: 'petra', role: 'privacy' }, 'a claim');
  const lifts = ['petra', 'paul'].map((by) => desk.liftHold(seq, { by, role: 'privacy' }, 'it is settled'));
  const ended = await Promise.allSettled(lifts);
  expect(ended.map((one) => (one.status === 'rejected' ? one.reason.code : 'lifted'))).toEqual([
    'lifted',
    'not_found',
  ]);
  await ledger.close('test');
  expect((await house.verify()).findings).toEqual([]);
});
