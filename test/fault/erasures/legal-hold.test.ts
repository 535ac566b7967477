/** A legal hold, which no erasure passes. */
import { describe, expect, it } from 'vitest';
import type { ErasureDesk } from '../../../src/erasure/desk.ts';
import { type Scope, targetsMax } from '../../../src/ledger/erasure.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { createLedgerUnderTest } from '../ledger-under-test.ts';
import { bodyCode, bySubject, decide, deskOf, erasuresOf, run, subject } from './scene.ts';

const person = { by: 'petra', role: 'privacy' } as const;

/** Seals a legal hold before the next erasure's own turn comes, after that read which holds stand. */
function placeFirst(ledger: Ledger, desk: ErasureDesk, scope: Scope): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const original = ledger.erase;
    Object.assign(ledger, {
      erase: async (...args: Parameters<Ledger['erase']>) => {
        Object.assign(ledger, { erase: original });
        await desk.placeHold(scope, person, 'a case').then(() => resolve(), reject);
        return original(...args);
      },
    });
  });
}

describe('a legal hold', () => {
  it('that is placed once an erasure was judged is obeyed all the same', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const desk = deskOf(house, ledger);
    const job = desk.start(bySubject);
    const placed = placeFirst(ledger, desk, { decision });
    await placed;
    const ended = await desk.ended(job.id);
    expect(ended?.progress).toMatchObject({ erased: 0, refused: { legal_hold: 1 } });
    expect(await bodyCode(ledger, decision, 'request')).toBe('read');
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('that is placed on one of two that were judged keeps that one, and the other is erased', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const [kept, erased] = [await decide(ledger), await decide(ledger)];
    const desk = deskOf(house, ledger);
    const job = desk.start(bySubject);
    const { seq } = await desk.placeHold({ subject: 'cd'.repeat(8) }, person, 'an earlier case');
    await placeFirst(ledger, desk, { decision: kept });
    expect((await desk.ended(job.id))?.progress).toMatchObject({ erased: 1, refused: { legal_hold: 1 } });
    expect(await bodyCode(ledger, kept, 'request')).toBe('read');
    expect(await bodyCode(ledger, erased, 'request')).toBe('erased');
    await desk.liftHold(seq, person, 'closed');
    await ledger.close('test');
    const entries = erasuresOf(house).filter(({ data }) => data['request'] === job.id);
    expect(entries.map(({ data }) => [data['action'], data['final']])).toEqual([
      ['erase', false],
      ['refuse', true],
    ]);
    expect((await house.verify()).findings).toEqual([]);
  });

  it('that is placed on a decision that was judged, while the next one is read, is obeyed all the same', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const [kept, erased] = [await decide(ledger), await decide(ledger)];
    const desk = deskOf(house, {
      ...ledger,
      decision: async (seq) => {
        if (seq === erased) await desk.placeHold({ decision: kept }, person, 'a case');
        return ledger.decision(seq);
      },
    });
    expect((await run(desk, bySubject)).progress).toMatchObject({ erased: 1, refused: { legal_hold: 1 } });
    expect(await bodyCode(ledger, kept, 'request')).toBe('read');
    expect(await bodyCode(ledger, erased, 'request')).toBe('erased');
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('on a line of a batch that more entries erase than one keeps all of the batch that is there', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const carrier = await decide(ledger);
    const lines: number[] = [];
    for (let line = 1; line <= targetsMax; line += 1) {
      const { seq } = ledger.seal({
        type: 'request',
        data: { verdict: 'pass', batch: carrier, line },
        parts: [{ name: 'request', bytes: Buffer.from('a line') }],
      });
      lines.push(seq);
      const { durable } = ledger.seal({ type: 'delivery', data: { outcomes: [[seq, 'carried']] } });
      if (line % 256 === 0) await durable;
    }
    const held = lines.at(-1) ?? -1;
    const desk = deskOf(house, ledger);
    const job = desk.start(bySubject);
    await placeFirst(ledger, desk, { decision: held });
    const progress = (await desk.ended(job.id))?.progress;
    expect(progress).toMatchObject({ erased: 0, refused: { legal_hold: targetsMax + 1 } });
    for (const decision of [carrier, held]) expect(await bodyCode(ledger, decision, 'request')).toBe('read');
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('is cited once for a decision that more entries erase than one', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const read = { action: 'read', by: 'ada', role: 'auditor', decision };
    const parts = [{ name: 'reason', bytes: Buffer.from('why') }];
    for (let i = 0; i < targetsMax; i += 1) {
      const { durable } = ledger.seal({ type: 'access', data: read, parts });
      if (i % 256 === 255) await durable;
    }
    const desk = deskOf(house, ledger);
    const job = desk.start(bySubject);
    await placeFirst(ledger, desk, { decision });
    const progress = (await desk.ended(job.id))?.progress;
    expect(progress).toMatchObject({ erased: 0, refused: { legal_hold: 1 } });
    await ledger.close('test');
    const refused = erasuresOf(house).filter(({ data }) => data['action'] === 'refuse');
    expect(refused.map(({ data }) => data['decisions'])).toEqual([[decision]]);
  });

  it('that is placed while an erasure finds nothing does not keep its last entry away', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const desk = deskOf(house, ledger);
    const placed = placeFirst(ledger, desk, { subject });
    const { id } = await run(desk, bySubject);
    await placed;
    await ledger.close('test');
    const entries = erasuresOf(house).filter(({ data }) => data['request'] === id);
    expect(entries.map(({ data }) => [data['targets'], data['final']])).toEqual([[[], true]]);
    expect((await house.verify()).findings).toEqual([]);
  });

  it('stands after a start, also after one that lost the index', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const { seq } = await deskOf(house, ledger).placeHold({ subject }, person, 'a case');
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

it('a legal hold that two people lift at the same moment is lifted once', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const desk = deskOf(house, ledger);
  const { seq } = await desk.placeHold({ subject }, person, 'a claim');
  const lifts = ['petra', 'paul'].map((by) => desk.liftHold(seq, { by, role: 'privacy' }, 'it is settled'));
  const ended = await Promise.allSettled(lifts);
  expect(ended.map((one) => (one.status === 'rejected' ? one.reason.code : 'lifted'))).toEqual([
    'lifted',
    'not_found',
  ]);
  await ledger.close('test');
  expect((await house.verify()).findings).toEqual([]);
});
