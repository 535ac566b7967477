import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import {
  type Acknowledged,
  createLedgerUnderTest,
  exchange,
  type LedgerUnderTest,
  outcomesIn,
  requestDraft,
  responseDraft,
  sealMarked,
} from './ledger-under-test.ts';

// The sealer's own scheduling (setImmediate) stays real; waits for reopening and settling are the test's.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets timers and I/O run until `done`, at most 60 s of the test's time. */
async function until(done: () => boolean): Promise<void> {
  for (let step = 0; step < 1200 && !done(); step += 1) {
    await vi.advanceTimersByTimeAsync(50);
    await turn();
  }
  expect(done()).toBe(true);
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'resolved';
  } catch (error) {
    return error instanceof HoldpointError ? error.code : String(error);
  }
}

function missingOf(house: LedgerUnderTest, acknowledged: readonly Acknowledged[]): readonly Acknowledged[] {
  const entries = house.entries();
  return acknowledged.filter(({ seq, marker }) => entries[seq]?.data['marker'] !== marker);
}

async function expectSound(house: LedgerUnderTest, acknowledged: readonly Acknowledged[]): Promise<void> {
  expect(missingOf(house, acknowledged)).toEqual([]);
  const verdict = await house.verify();
  expect(verdict.findings).toEqual([]);
  expect(verdict.size).toBe(house.mark.mark?.size);
}

describe.each(['before', 'after'] as const)('a commit that fails %s it was written', (fate) => {
  // Commit 0 begins the ledger; each exchange after it makes three: request, response, outcome.
  it.each(Array.from({ length: 9 }, (_, index) => index + 1))(
    'as commit %i loses nothing acknowledged and closes every decision once',
    async (failing) => {
      const house = createLedgerUnderTest();
      house.disk.fateOf = (commit) => (commit === failing ? fate : 'written');
      const ledger = await house.open();
      const acknowledged: Acknowledged[] = [];
      const refusals: string[] = [];
      for (let call = 0; call < 6; call += 1) {
        const code = await codeOf(exchange(ledger, (entry) => acknowledged.push(entry)));
        if (code !== 'resolved') refusals.push(code);
        await vi.advanceTimersByTimeAsync(60);
        await turn();
        await turn();
        await until(() => ledger.isWritable());
      }
      await ledger.close('test');

      expect(refusals.every((code) => code === 'ledger_unavailable')).toBe(true);
      expect(house.events.filter(({ kind }) => kind === 'failed')).toHaveLength(1);
      await expectSound(house, acknowledged);
      const closings = outcomesIn(house.entries());
      const decisions = house.entries().filter(({ type }) => type === 'request');
      expect(decisions.map(({ seq }) => closings.get(seq)?.length)).toEqual(decisions.map(() => 1));
      const recoveries = house.entries().filter(({ type }) => type === 'recovery');
      expect(recoveries.map(({ data }) => data['reason'])).toEqual(['store_failure']);
    },
  );

  it('refuses everything that waited for it, and whatever comes before it is open again', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    house.disk.fateOf = () => fate;
    const waiting = [1, 2, 3].map(() => codeOf(sealMarked(ledger, requestDraft)));
    expect(await Promise.all(waiting)).toEqual(Array(3).fill('ledger_unavailable'));
    expect(await codeOf(sealMarked(ledger, requestDraft))).toBe('ledger_unavailable');
    expect(ledger.isWritable()).toBe(false);
    house.disk.fateOf = () => 'written';
    await ledger.close('test');
  });

  it('keeps failing without ever opening the store twice, and recovers when it may', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const acknowledged: Acknowledged[] = [];
    await exchange(ledger, (entry) => acknowledged.push(entry));
    house.disk.fateOf = () => fate;
    await codeOf(exchange(ledger, (entry) => acknowledged.push(entry)));
    await until(() => house.events.filter(({ kind }) => kind === 'reopen_failed').length >= 4);
    expect(ledger.isWritable()).toBe(false);
    expect(house.events.filter(({ kind }) => kind === 'failed')).toHaveLength(1);
    house.disk.fateOf = () => 'written';
    await until(() => ledger.isWritable());
    await exchange(ledger, (entry) => acknowledged.push(entry));
    await ledger.close('test');
    expect(house.disk.isOpen()).toBe(false);
    // The outcome of the first exchange was on its way when the store failed: it is the one that is sealed.
    expect(outcomesIn(house.entries()).get(acknowledged[0]?.seq ?? -1)).toEqual(['delivered']);
    await expectSound(house, acknowledged);
  });

  it('at the very first entry refuses the start and leaves no timer behind', async () => {
    const house = createLedgerUnderTest();
    house.disk.fateOf = () => fate;
    expect(await codeOf(house.open())).toBe('ledger_unavailable');
    expect(vi.getTimerCount()).toBe(0);
    expect(house.disk.isOpen()).toBe(false);
    house.disk.fateOf = () => 'written';
    const ledger = await house.open();
    await ledger.close('test');
    await expectSound(house, []);
  });
});

describe('a store that cannot be read', () => {
  it('fails the read alone and keeps sealing', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await exchange(ledger, () => undefined);
    house.disk.failReads = true;
    expect(await codeOf(ledger.entry(decision))).toContain('EIO');
    expect(await codeOf(ledger.part(decision, 'request'))).toContain('EIO');
    expect(await codeOf(sealMarked(ledger, requestDraft))).toBe('resolved');
    house.disk.failReads = false;
    expect((await ledger.part(decision, 'request')).toString()).toBe('what is a hold point?');
    await ledger.close('test');
  });

  it('while it is reopened keeps it closed until it can be', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    house.disk.fateOf = () => 'before';
    await codeOf(sealMarked(ledger, requestDraft));
    house.disk.fateOf = () => 'written';
    house.disk.failReads = true;
    await until(() => house.events.some(({ kind }) => kind === 'reopen_failed'));
    house.disk.failReads = false;
    house.disk.failOpens = true;
    await until(() => house.events.filter(({ kind }) => kind === 'reopen_failed').length >= 3);
    expect(ledger.isWritable()).toBe(false);
    house.disk.failOpens = false;
    await until(() => ledger.isWritable());
    await ledger.close('test');
    await expectSound(house, []);
  });
});

describe('a call that outlives an outage', () => {
  it('cannot answer under the decision that recovery closed, nor close it again', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const slow = await sealMarked(ledger, requestDraft);
    house.disk.fateOf = () => 'before';
    await codeOf(sealMarked(ledger, requestDraft));
    house.disk.fateOf = () => 'written';
    await until(() => ledger.isWritable());
    expect(await codeOf(sealMarked(ledger, responseDraft(slow.seq)))).toBe('ledger_unavailable');
    ledger.settle(slow.seq, 'ledger_unavailable');
    await vi.advanceTimersByTimeAsync(100);
    await ledger.close('test');
    expect(outcomesIn(house.entries()).get(slow.seq)).toEqual(['ledger_unavailable']);
    await expectSound(house, [slow]);
  });

  it('whose entry was lost never closes the decision that got its number', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    house.disk.fateOf = () => 'before';
    const lost = ledger.seal(requestDraft);
    expect(await codeOf(lost.durable)).toBe('ledger_unavailable');
    ledger.settle(lost.seq, 'ledger_unavailable');
    house.disk.fateOf = () => 'written';
    await until(() => ledger.isWritable());
    const kept = [];
    do kept.push(await exchange(ledger, () => undefined));
    while ((kept.at(-1) ?? 0) < lost.seq);
    await ledger.close('test');
    const closings = outcomesIn(house.entries());
    expect(kept.map((decision) => closings.get(decision))).toEqual(kept.map(() => ['delivered']));
    await expectSound(house, []);
  });
});

describe('a start after the process died', () => {
  it('closes what was in flight as interrupted, once, and a second start finds nothing to close', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const open = await sealMarked(ledger, requestDraft);
    house.disk.loseUnsynced();
    house.indexDisk.abandon();
    const next = await house.open();
    await next.close('test');
    const third = await house.open();
    await third.close('test');
    expect(outcomesIn(house.entries()).get(open.seq)).toEqual(['interrupted']);
    const recoveries = house.entries().filter(({ type }) => type === 'recovery');
    expect(recoveries.map(({ data }) => data)).toEqual([
      { found: 3, outcomes: [[open.seq, 'interrupted']], reason: 'start' },
    ]);
    await expectSound(house, [open]);
  });

  it('under relaxed durability refuses a disk that lost what the high-water mark remembers', async () => {
    const house = createLedgerUnderTest();
    house.durability = 'relaxed';
    const ledger = await house.open();
    await exchange(ledger, () => undefined);
    house.disk.loseUnsynced();
    house.indexDisk.abandon();
    expect(await codeOf(house.open())).toBe('ledger_rolled_back');
    expect(house.disk.isOpen()).toBe(false);
  });

  it('under relaxed durability goes on from what is left once a person gave up the mark', async () => {
    const house = createLedgerUnderTest();
    const first = await house.open();
    const kept: Acknowledged[] = [];
    await exchange(first, (entry) => kept.push(entry));
    await first.close('test');
    house.durability = 'relaxed';
    const ledger = await house.open();
    await exchange(ledger, () => undefined);
    await exchange(ledger, () => undefined);
    await ledger.close('test');
    house.disk.loseUnsynced();
    house.mark.mark = null;
    // The index remembers entries that are gone: it must not lead anybody to others with their numbers.
    const next = await house.open();
    const decision = await exchange(next, (entry) => kept.push(entry));
    await vi.advanceTimersByTimeAsync(100);
    await turn();
    await turn();
    const about = await next.decision(decision);
    expect(about.map(({ type }) => type)).toEqual(['request', 'response', 'delivery']);
    await next.close('test');
    await expectSound(house, kept);
    expect((await house.verify()).durability).toBe('mixed');
  });
});

describe('the clock', () => {
  it('may jump back without a finding, and the verdict says so', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    await exchange(ledger, () => undefined);
    house.clock.ms -= 3_600_000;
    await exchange(ledger, () => undefined);
    await ledger.close('test');
    const verdict = await house.verify();
    expect(verdict.findings).toEqual([]);
    expect(verdict.notes.join()).toContain('The wall clock stepped back 1 time');
  });
});

describe('the queue before the disk', () => {
  it('is bounded: what does not fit is refused as overloaded, and what fitted is sealed', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const big = { ...requestDraft, parts: [{ name: 'request', bytes: Buffer.alloc(32 * 1024 * 1024) }] };
    const sealed = [];
    let refusal = '';
    while (refusal === '' && sealed.length < 20) {
      try {
        sealed.push(ledger.seal(big));
      } catch (error) {
        refusal = error instanceof HoldpointError ? error.code : String(error);
      }
    }
    expect(refusal).toBe('overloaded');
    expect(sealed.length).toBeLessThan(10);
    await Promise.all(sealed.map(({ durable }) => durable));
    // Room again.
    expect(await codeOf(sealMarked(ledger, requestDraft))).toBe('resolved');
    await ledger.close('test');
    expect(house.entries().filter(({ type }) => type === 'request')).toHaveLength(sealed.length + 1);
    // A quarter of a gigabyte is encrypted, on machines that do other work too.
  }, 60_000);
});

it('what is read while the store is closed, to be opened again, is refused as that', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const { seq } = await sealMarked(ledger, requestDraft);
  house.disk.fateOf = () => 'before';
  house.disk.failOpens = true;
  expect(await codeOf(sealMarked(ledger, requestDraft))).toBe('ledger_unavailable');
  await until(() => !house.disk.isOpen());
  for (const reading of [ledger.entry(seq), ledger.decision(seq), ledger.part(seq, 'request')])
    expect(await codeOf(reading)).toBe('ledger_unavailable');
  house.disk.fateOf = () => 'written';
  house.disk.failOpens = false;
  await until(() => ledger.isWritable());
  expect((await ledger.entry(seq)).seq).toBe(seq);
  await ledger.close('test over');
});
