/** Erasures over a ledger of which something cannot be read: all else is erased, and what was not is named. */
import { describe, expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { decodeBodies, encodeBodies, parseRecordKey, recordKey } from '../../../src/ledger/block.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { createLedgerUnderTest, type LedgerUnderTest } from '../ledger-under-test.ts';
import {
  bodyCode,
  bySubject,
  createTimers,
  dayMs,
  decide,
  deskOf,
  erasuresOf,
  run,
  subject,
} from './scene.ts';

const other = 'cd'.repeat(8);

/** Makes the block that has an entry one that cannot be read; the function it returns puts it back. */
function damageBlock(house: LedgerUnderTest, seq: number): () => void {
  const key = keyOfBlock(house, seq);
  const before = house.disk.records().find((record) => record.key.equals(key))?.value ?? Buffer.alloc(0);
  house.disk.overwrite(key, Buffer.from('HPB1 no block'));
  return () => house.disk.overwrite(key, before);
}

function keyOfBlock(house: LedgerUnderTest, seq: number): Buffer {
  const seqs = house.disk.records().flatMap(({ key }) => {
    const place = parseRecordKey(key);
    return place?.kind === 'block' && place.seq <= seq ? [place.seq] : [];
  });
  return recordKey(Math.max(...seqs), 'block');
}

/** Seals a decision whose entries lie in blocks of their own; gives the seqs of request, answer and delivery. */
async function decideApart(ledger: Ledger): Promise<readonly [number, number]> {
  const request = ledger.seal({
    type: 'request',
    data: { verdict: 'pass', subject },
    parts: [{ name: 'request', bytes: Buffer.from('who am I?') }],
  });
  await request.durable;
  const decision = request.seq;
  const parts = [{ name: 'response', bytes: Buffer.from('a person') }];
  const response = ledger.seal({ type: 'response', data: { decision, verdict: 'pass' }, parts });
  await response.durable;
  await ledger.seal({ type: 'delivery', data: { outcomes: [[decision, 'delivered']] } }).durable;
  return [decision, response.seq];
}

/** A ledger of three decisions, opened again. */
async function threeDecided() {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const [first, second, third] = [await decide(ledger), await decide(ledger), await decide(ledger)];
  await ledger.close('test');
  return { house, next: await house.open(), first, second, third };
}

describe('an erasure', () => {
  it('of a subject passes over a request that cannot be read, and names it', async () => {
    const { house, next, first, second, third } = await threeDecided();
    const putBack = damageBlock(house, second);
    const job = await run(deskOf(house, next), bySubject);
    expect(job).toMatchObject({
      state: 'failed',
      error: { code: 'ledger_damaged' },
      progress: { erased: 2, parts: 4 },
    });
    expect(job.error?.message).toContain(`Entry ${second} cannot be read`);
    for (const seq of [first, third]) expect(await bodyCode(next, seq, 'request')).toBe('erased');
    putBack();
    expect(erasuresOf(house).map(({ data }) => data['final'])).toEqual([true]);
    await next.close('test');
  });

  it('of a class passes over a block that cannot be read, and names its entries', async () => {
    const { house, next, first, second, third } = await threeDecided();
    damageBlock(house, second);
    const job = await run(deskOf(house, next), { ...bySubject, scope: { match: {} } });
    expect(job.error?.message).toContain(`Entries ${second} to ${second + 2} cannot be read`);
    for (const seq of [first, third]) expect(await bodyCode(next, seq, 'request')).toBe('erased');
    await next.close('test');
  });

  it('takes no decision by halves of which an entry cannot be read, and erases the others', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const [decision, response] = await decideApart(ledger);
    const whole = await decide(ledger);
    await ledger.close('test');
    const next = await house.open();
    const putBack = damageBlock(house, response);
    const desk = deskOf(house, next);
    const job = await run(desk, bySubject);
    expect(job).toMatchObject({ state: 'failed', progress: { erased: 1, parts: 2 } });
    expect(job.error?.message).toContain(`Entry ${response} cannot be read`);
    expect(await bodyCode(next, whole, 'request')).toBe('erased');
    expect(await bodyCode(next, decision, 'request')).toBe('read');
    putBack();
    expect(await run(desk, bySubject)).toMatchObject({ state: 'done', progress: { erased: 1, parts: 2 } });
    await next.close('test');
  });

  it('takes no batch by halves of which a line cannot be read', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const batch = await decide(ledger);
    const line = await ledger.seal({ type: 'request', data: { verdict: 'pass', batch, line: 1 } });
    await line.durable;
    await ledger.seal({ type: 'delivery', data: { outcomes: [[line.seq, 'carried']] } }).durable;
    await ledger.close('test');
    const next = await house.open();
    damageBlock(house, line.seq);
    const job = await run(deskOf(house, next), bySubject);
    expect(job).toMatchObject({ state: 'failed', progress: { erased: 0, parts: 0 } });
    expect(job.error?.message).toContain(`Entry ${line.seq} cannot be read`);
    expect(await bodyCode(next, batch, 'request')).toBe('read');
    await next.close('test');
  });

  it('during which the ledger cannot be read at all fails with that, and is not taken for done', async () => {
    const { house, next } = await threeDecided();
    const closed = new HoldpointError('ledger_unavailable', 'The ledger was closed meanwhile.');
    const entry = (): Promise<never> => Promise.reject(closed);
    for (const scope of [{ subject }, { match: {} }]) {
      const desk = deskOf(house, { ...next, entry, decision: entry });
      expect(await run(desk, { ...bySubject, scope })).toMatchObject({ state: 'failed', error: closed });
    }
    expect(erasuresOf(house)).toEqual([]);
    await next.close('test');
  });

  it('that only looks says so too', async () => {
    const { house, next, second } = await threeDecided();
    damageBlock(house, second);
    const job = await run(deskOf(house, next), { ...bySubject, dryRun: true });
    expect(job).toMatchObject({ state: 'failed', error: { code: 'ledger_damaged' }, progress: { parts: 4 } });
    await next.close('test');
  });

  it('on schedule goes on from where it came to, and judges what could not be read once it can be', async () => {
    const { house, next, first, second, third } = await threeDecided();
    const putBack = damageBlock(house, second);
    const timers = createTimers();
    const rules = [{ id: 'all', match: {}, keepDays: 1 }];
    const desk = deskOf(house, next, { terms: { rules, exemptions: [] }, schedule: timers.schedule });
    const pass = async () => {
      timers.fire();
      while (desk.totals().pending > 0) await new Promise((resolve) => setImmediate(resolve));
      return desk.retention.state().rules[0]?.last;
    };
    house.clock.ms += 2 * dayMs;
    await next.seal({ type: 'stop', data: { reason: 'a newer entry' } }).durable;
    expect(await pass()).toMatchObject({ state: 'failed', progress: { erased: 2 } });
    const mark = await next.retentionMarks.get('all');
    expect(mark?.upTo).toBeGreaterThan(third);
    expect(mark?.again).toEqual([second, second + 1, second + 2]);
    putBack();
    expect(await pass()).toMatchObject({ state: 'done', progress: { erased: 1 } });
    for (const seq of [first, second, third]) expect(await bodyCode(next, seq, 'request')).toBe('erased');
    expect((await next.retentionMarks.get('all'))?.again).toEqual([]);
    await next.close('test');
  });
});

it('a schedule judges a decision again of which an entry that nothing was said in could not be read', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const [decision, response] = await decideApart(ledger);
  await ledger.close('test');
  const next = await house.open();
  const putBack = damageBlock(house, response + 1);
  const timers = createTimers();
  const terms = { rules: [{ id: 'all', match: {}, keepDays: 1 }], exemptions: [] };
  const desk = deskOf(house, next, { terms, schedule: timers.schedule });
  house.clock.ms += 2 * dayMs;
  for (const code of ['read', 'erased']) {
    timers.fire();
    while (desk.totals().pending > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await bodyCode(next, decision, 'request')).toBe(code);
    putBack();
  }
  await next.close('test');
});

describe('what a sealed erasure names', () => {
  const erasing = (targets: [number, number][]) => ({
    type: 'erasure' as const,
    data: {
      ...{ action: 'erase', basis: 'objection', by: 'petra', final: true, request: 'a'.repeat(16) },
      ...{ role: 'privacy', scope: { subject }, targets },
    },
  });

  it('and whose block is gone is told as left, and not taken for gone', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const whole = await decide(ledger);
    await ledger.close('test');
    const next = await house.open();
    house.disk.remove(keyOfBlock(house, decision));
    house.disk.remove(recordKey(decision, 'bodies'));
    const done = await next.erase(
      erasing([
        [decision, 0],
        [whole, 0],
      ]),
      () => true,
    );
    expect(done?.left).toEqual([[decision, 0]]);
    expect(await bodyCode(next, whole, 'request')).toBe('erased');
    await next.close('test');
  });

  it('and whose block alone is gone is destroyed, as its body says itself whose it is', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    await decide(ledger, { subject: other });
    await ledger.close('test');
    const next = await house.open();
    house.disk.remove(keyOfBlock(house, decision));
    const done = await next.erase(
      erasing([
        [decision, 0],
        [decision, 1],
      ]),
      () => true,
    );
    // Nothing says that there is no second part.
    expect(done?.left).toEqual([[decision, 1]]);
    const record = house.disk.records().find(({ key }) => key.equals(recordKey(decision, 'bodies')));
    expect(decodeBodies(record?.value ?? Buffer.alloc(0)).items.map(({ seq }) => seq)).toEqual([
      decision + 1,
    ]);
    await next.close('test');
  });

  it('and stands in its record under another seq is destroyed all the same', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const key = recordKey(decision, 'bodies');
    const record = house.disk.records().find((one) => one.key.equals(key));
    const { items, ...bodies } = decodeBodies(record?.value ?? Buffer.alloc(0));
    const [first, ...others] = items;
    if (first === undefined) throw new Error('no body');
    house.disk.overwrite(
      key,
      encodeBodies({ ...bodies, items: [{ ...first, seq: first.seq ^ 64 }, ...others] }),
    );
    expect(await ledger.erase(erasing([[decision, 0]]), () => true)).toMatchObject({ left: [] });
    const now = house.disk.records().find((one) => one.key.equals(key));
    expect(decodeBodies(now?.value ?? Buffer.alloc(0)).items).toEqual(others);
    await ledger.close('test');
  });

  it('is destroyed although a block behind it cannot be read, and later erasures are too', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const desk = deskOf(house, ledger);
    house.disk.failRewrites = true;
    expect(await run(desk, bySubject)).toMatchObject({ state: 'failed' });
    house.disk.failRewrites = false;
    const between = await decide(ledger, { subject: other });
    damageBlock(house, between);
    const later = await decide(ledger);
    expect(await run(desk, bySubject)).toMatchObject({ state: 'done', progress: { decisions: 1, parts: 2 } });
    for (const seq of [decision, later]) expect(await bodyCode(ledger, seq, 'request')).toBe('erased');
    // So many that there is a snapshot behind them: a start reads no further back.
    for (let more = 0; more < 500; more += 1) await decide(ledger, { subject: other });
    await ledger.close('test');
    const next = await house.open({ tailBytesMin: 1024 });
    const told = house.events.flatMap((event) =>
      event.kind === 'erasure_failed' ? [String(event.error)] : [],
    );
    expect(told).toEqual([expect.stringContaining(`Entries ${between} to ${between + 2} cannot be read`)]);
    await next.close('test');
    await (await house.open({ tailBytesMin: 1024 })).close('test');
    // Each start says it again, as long as it is so.
    expect(house.events.filter(({ kind }) => kind === 'erasure_failed')).toHaveLength(2);
  });
});
