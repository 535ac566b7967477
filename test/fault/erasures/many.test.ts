/** One erasure of many decisions. */
import { describe, expect, it } from 'vitest';
import { targetsOf } from '../../../src/ledger/erasure.ts';
import { createLedgerUnderTest } from '../ledger-under-test.ts';
import { bodyCode, bySubject, decide, deskOf, erasuresOf, run, subject } from './scene.ts';

describe('an erasure of one decision', () => {
  it('leaves every other', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const [one, other] = [await decide(ledger), await decide(ledger)];
    const { progress } = await run(deskOf(house, ledger), { ...bySubject, scope: { decision: one } });
    expect([progress.decisions, progress.parts]).toEqual([1, 2]);
    expect(await bodyCode(ledger, other, 'request')).toBe('read');
    await ledger.close('test');
  });

  it('is refused of an entry that is none', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const answer = (await decide(ledger)) + 1;
    const job = await run(deskOf(house, ledger), { ...bySubject, scope: { decision: answer } });
    expect(job).toMatchObject({ state: 'failed', error: { code: 'not_found' } });
    expect(erasuresOf(house)).toEqual([]);
    await ledger.close('test');
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

  it('erases one that more was said of than an entry names', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const read = { action: 'read', by: 'ada', role: 'auditor', decision };
    const parts = [{ name: 'reason', bytes: Buffer.from('why') }];
    for (let i = 0; i < 2100; i += 1) {
      const { durable } = ledger.seal({ type: 'access', data: read, parts });
      if (i % 300 === 299) await durable;
    }
    const { state, progress } = await run(deskOf(house, ledger), bySubject);
    expect([state, progress.decisions, progress.erased, progress.parts]).toEqual(['done', 1, 1, 2102]);
    const sealed = erasuresOf(house);
    expect(sealed.map((entry) => targetsOf(entry).length)).toEqual([2048, 54]);
    expect(sealed.map(({ data }) => data['final'])).toEqual([false, true]);
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('that a legal hold forbids is refused in as many entries as it takes, each decision once', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decisions: number[] = [];
    for (let i = 0; i < 2100; i += 1) {
      const parts = [{ name: 'request', bytes: Buffer.from('x') }];
      const { seq } = ledger.seal({ type: 'request', data: { verdict: 'deny', subject }, parts });
      const { durable } = ledger.seal({ type: 'delivery', data: { outcomes: [[seq, 'denied']] } });
      decisions.push(seq);
      if (i % 300 === 299) await durable;
    }
    const desk = deskOf(house, ledger);
    await desk.placeHold({ subject }, { by: 'petra', role: 'privacy' }, 'a case');
    const { state, id } = await run(desk, bySubject);
    expect(state).toBe('done');
    await ledger.close('test');
    const sealed = erasuresOf(house).filter(({ data }) => data['request'] === id);
    expect(sealed.map(({ data }) => data['final'])).toEqual([false, true]);
    expect(sealed.map(({ data }) => data['decisions'])).toEqual([
      decisions.slice(0, 2048),
      decisions.slice(2048),
    ]);
  });

  it('is ended by the last of its refusals alone, where there are several grounds', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const person = { by: 'petra', role: 'privacy' } as const;
    const desk = deskOf(house, ledger);
    const decisions = [await decide(ledger), await decide(ledger)];
    for (const decision of decisions) await desk.placeHold({ decision }, person, 'a case');
    const { id } = await run(desk, bySubject);
    await ledger.close('test');
    const entries = erasuresOf(house).filter(({ data }) => data['request'] === id);
    expect(entries.map(({ data }) => [data['decisions'], data['final']])).toEqual([
      [[decisions[0]], false],
      [[decisions[1]], true],
    ]);
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
