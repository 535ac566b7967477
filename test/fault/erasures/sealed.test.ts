/** An erasure that was sealed, whose disk fails or whose process dies before it is carried out. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseRecordKey } from '../../../src/ledger/block.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createLedgerUnderTest } from '../ledger-under-test.ts';
import { bodyCode, bySubject, decide, deskOf, erasuresOf, run, subject } from './scene.ts';

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

  it('and meets bodies that are damaged destroys all others, says which are left, and keeps none from coming after', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const damaged = await decide(ledger);
    const whole = await decide(ledger);
    const [first] = house.disk.records().filter(({ key }) => parseRecordKey(key)?.kind === 'bodies');
    house.disk.overwrite(first?.key ?? Buffer.alloc(0), Buffer.from('HPV1 no bodies'));
    const desk = deskOf(house, ledger);
    const job = await run(desk, bySubject);
    expect(job).toMatchObject({ state: 'failed', progress: { erased: 1, parts: 2 } });
    expect(job.error?.message).toContain(
      `What the erasure names of entries ${damaged}, ${damaged + 1} is not`,
    );
    expect(await bodyCode(ledger, whole, 'request')).toBe('erased');
    expect(await bodyCode(ledger, damaged, 'request')).toBe('ledger_damaged');
    const later = await decide(ledger);
    expect(await run(desk, bySubject)).toMatchObject({ state: 'done', progress: { decisions: 1, parts: 2 } });
    expect(await bodyCode(ledger, later, 'request')).toBe('erased');
    // A start looks at so many of the newest bodies, and is refused where one of those is damaged.
    for (let others = 0; others < 128; others += 1) await decide(ledger, { subject: 'cd'.repeat(8) });
    await ledger.close('test');
    const next = await house.open();
    const told = house.events.flatMap((event) => (event.kind === 'erasure_failed' ? [event.error] : []));
    expect(told.map(String).join()).toContain(`of entries ${damaged}, ${damaged + 1} is not destroyed`);
    await next.close('test');
  });

  it('and met damaged bodies is carried out at a start that finds them whole', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const [record] = house.disk.records().filter(({ key }) => parseRecordKey(key)?.kind === 'bodies');
    const { key, value } = record ?? { key: Buffer.alloc(0), value: Buffer.alloc(0) };
    house.disk.overwrite(key, Buffer.from('HPV1 no bodies'));
    const desk = deskOf(house, ledger);
    await run(desk, bySubject);
    await decide(ledger);
    await run(desk, bySubject);
    await ledger.close('test');
    house.disk.overwrite(key, Buffer.from(value));
    const next = await house.open();
    expect(await bodyCode(next, decision, 'request')).toBe('erased');
    await next.close('test');
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

  it('and was carried out when the log was opened again is not shown from memory', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    await decide(ledger);
    const ages = [ledger.erasureAge(), ledger.erasureAge()];
    house.disk.failRewrites = true;
    await run(deskOf(house, ledger), bySubject);
    ages.push(ledger.erasureAge());
    house.disk.failRewrites = false;
    const failing = house.disk.commits();
    house.disk.fateOf = (commit) => (commit === failing ? 'before' : 'written');
    const { durable } = ledger.seal({ type: 'stop', data: { reason: 'x' } });
    await expect(durable).rejects.toMatchObject({ code: 'ledger_unavailable' });
    await vi.advanceTimersByTimeAsync(1000);
    await waitFor(() => expect(ledger.isWritable()).toBe(true));
    ages.push(ledger.erasureAge());
    expect(await bodyCode(ledger, 2, 'request')).toBe('erased');
    const [first, same, sealed, carriedOut] = ages;
    expect([first === same, same !== sealed, sealed !== carriedOut]).toEqual([true, true, true]);
    await ledger.close('test');
  });

  it('and could not be carried out is carried out also before one that is not due any more', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    house.disk.failRewrites = true;
    await run(deskOf(house, ledger), bySubject);
    const before = ledger.erasureAge();
    house.disk.failRewrites = false;
    const data = { action: 'erase', targets: [] };
    expect(await ledger.erase({ type: 'erasure', data }, () => false)).toBeNull();
    expect(await bodyCode(ledger, decision, 'request')).toBe('erased');
    expect(ledger.erasureAge()).not.toBe(before);
    await ledger.close('test');
  });

  it('is none of a decision that has no outcome yet, whoever asks', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const { seq, durable } = ledger.seal({
      type: 'request',
      data: { verdict: 'pass', subject },
      parts: [{ name: 'request', bytes: Buffer.from('who am I?') }],
    });
    await durable;
    const data = { action: 'erase', targets: [[seq, 0]] };
    await expect(ledger.erase({ type: 'erasure', data }, () => true)).rejects.toMatchObject({
      code: 'erasure_under_way',
    });
    expect(erasuresOf(house)).toEqual([]);
    expect(await bodyCode(ledger, seq, 'request')).toBe('read');
    await ledger.close('test');
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
