/** The schedule that asks for erasures. */
import { describe, expect, it } from 'vitest';
import type { DeskOptions } from '../../../src/erasure/desk.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { createLedgerUnderTest, type LedgerUnderTest } from '../ledger-under-test.ts';
import { createMemoryDisk } from '../memory-disk.ts';
import { bodyCode, bySubject, createTimers, dayMs, decide, deskOf, erasuresOf } from './scene.ts';

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

  it('seals it again where another legal hold forbids it now', async () => {
    const { house, ledger, desk, pass } = await scene({ id: 'all', match: {}, keepDays: 1 });
    const decision = await decide(ledger);
    const person = { by: 'petra', role: 'privacy' } as const;
    house.clock.ms += 2 * dayMs;
    const cited: string[] = [];
    for (const what of ['a case', 'another']) {
      const { seq } = await desk.placeHold({ decision }, person, what);
      cited.push(String(seq));
      await pass();
      await desk.liftHold(seq, person, 'closed');
    }
    const refusals = erasuresOf(house).filter(({ data }) => data['action'] === 'refuse');
    expect(refusals.map(({ data }) => data['cites'])).toEqual(cited);
    await ledger.close('test');
  });

  /** Where schedules begin to read the ledger, from here on. */
  function readsOf(ledger: Ledger): number[] {
    const { oldest } = ledger;
    const from: number[] = [];
    Object.assign(ledger, {
      oldest: (fromSeq: number) => {
        from.push(fromSeq);
        return oldest(fromSeq);
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

  it.each([0, 1_000_000])('looks from the beginning where its mark is at entry %i', async (upTo) => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger, { workload: 'chat' });
    const about = JSON.stringify({ workload: 'chat' });
    await ledger.retentionMarks.put('all', { about, upTo, prev: '0'.repeat(64), again: [] });
    house.clock.ms += 2 * dayMs;
    expect(await readsOfOnePass(house, ledger, 'chat')).toEqual([0]);
    expect(await bodyCode(ledger, decision, 'request')).toBe('erased');
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

  it('judges a batch again of which only a line is of its class', async () => {
    const { house, ledger, desk, pass } = await scene({ id: 'chat', match: { model: 'm-1' }, keepDays: 1 });
    const carrier = await decide(ledger, { model: '' });
    const line = ledger.seal({
      type: 'request',
      data: { verdict: 'pass', batch: carrier, line: 1, model: 'm-1' },
      parts: [{ name: 'request', bytes: Buffer.from('a line') }],
    });
    await ledger.seal({ type: 'delivery', data: { outcomes: [[line.seq, 'carried']] } }).durable;
    const person = { by: 'petra', role: 'privacy' } as const;
    const hold = await desk.placeHold({ decision: carrier }, person, 'a case');
    house.clock.ms += 2 * dayMs;
    await pass();
    await desk.liftHold(hold.seq, person, 'closed');
    house.clock.ms += 2 * dayMs;
    await pass();
    expect(await bodyCode(ledger, line.seq, 'request')).toBe('erased');
    expect(await bodyCode(ledger, carrier, 'request')).toBe('erased');
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it.each<[string, string, 'carrier' | 'line', string]>([
    ['a line is', 'm-1', 'carrier', 'erased'],
    ['another line is', 'm-1', 'line', 'erased'],
    ['none is', 'm-2', 'carrier', 'read'],
  ])('erases what is said later of a decision of a batch of which %s of its class', async (...row) => {
    const [, ofLine, about, code] = row;
    const { house, ledger, pass } = await scene({ id: 'chat', match: { model: 'm-1' }, keepDays: 1 });
    const carrier = await decide(ledger, { model: '' });
    const [other = -1, line = -1] = ['m-3', ofLine].map((model, index) => {
      const data = { verdict: 'pass', batch: carrier, line: index + 1, model };
      return ledger.seal({
        type: 'request',
        data,
        parts: [{ name: 'request', bytes: Buffer.from('a line') }],
      }).seq;
    });
    const outcomes = [other, line].map((seq) => [seq, 'carried']);
    await ledger.seal({ type: 'delivery', data: { outcomes } }).durable;
    house.clock.ms += 2 * dayMs;
    await pass();
    const said = ledger.seal({
      type: 'access',
      data: { action: 'read', by: 'ada', role: 'auditor', decision: about === 'carrier' ? carrier : other },
      parts: [{ name: 'reason', bytes: Buffer.from('who was it?') }],
    });
    await said.durable;
    house.clock.ms += 2 * dayMs;
    await pass();
    expect(await bodyCode(ledger, said.seq, 'reason')).toBe(code);
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
