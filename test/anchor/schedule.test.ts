/** When anchors are due, how far behind they are, and that they come to rest. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Anchor, anchorFailed, receiptCharsMax } from '../../src/anchor/anchor.ts';
import { openAnchorMemory } from '../../src/anchor/memory.ts';
import { isAnchored } from '../../src/anchor/require.ts';
import { type AnchorEvent, type Anchoring, startAnchoring } from '../../src/anchor/schedule.ts';
import { HoldpointError } from '../../src/core/errors.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createLedgerUnderTest, exchange, type LedgerUnderTest } from '../fault/ledger-under-test.ts';
import { createManualTime, type ManualTime } from '../support/time.ts';
import { eventually } from './scene.ts';

let directory: string;
let house: LedgerUnderTest;
let ledger: Ledger;
let time: ManualTime;
let events: AnchorEvent[];
let sent: number[];
let works: boolean;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-anchors-'));
  house = createLedgerUnderTest();
  ledger = await house.open();
  time = createManualTime();
  events = [];
  sent = [];
  works = true;
});
afterEach(async () => {
  await ledger.close('test ended');
  rmSync(directory, { recursive: true });
});

const anchor: Anchor = {
  name: 'a',
  kind: 'file',
  send: async ({ size }) => {
    sent.push(size);
    if (!works) throw anchorFailed('away');
    return { text: '', files: [] };
  },
};

const start = (anchors: readonly Anchor[] = [anchor], over: Ledger = ledger): Anchoring =>
  startAnchoring({
    anchors,
    ledger: over,
    memory: openAnchorMemory(directory, ledger.origin),
    clock: time.clock,
    schedule: time.schedule,
    everyMs: 60_000,
    timeoutMs: 10_000,
    onEvent: (event) => events.push(event),
  });

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const call = (): Promise<number> => exchange(ledger, () => undefined);
const counted = (count: number): Promise<true> =>
  eventually(() => (events.length === count ? true : undefined));
const lagOf = (anchoring: Anchoring): readonly (number | undefined)[] => {
  const [status] = anchoring.status();
  return [status?.lagEntries, status?.lagSeconds];
};
const sealedAnchors = (): number => house.entries().filter(({ type }) => type === 'anchor').length;

describe('anchoring', () => {
  it('begins with a round at once and seals what the anchor gave back', async () => {
    const { size } = ledger.durable();
    start();
    await counted(1);
    expect(sent).toEqual([size]);
    await eventually(() => (sealedAnchors() === 1 ? true : undefined));
    expect(house.entries().at(-1)).toMatchObject({
      type: 'anchor',
      data: { anchor: 'a', kind: 'file', size },
    });
    expect((await house.verify()).findings).toEqual([]);
  });

  it('comes to rest: entries of anchors alone make no round due', async () => {
    const anchoring = start();
    await counted(1);
    await eventually(() => (sealedAnchors() === 1 ? true : undefined));
    for (let round = 0; round < 5; round += 1) time.advance(60_000);
    await anchoring.stop();
    expect([sent.length, sealedAnchors(), lagOf(anchoring)]).toEqual([1, 1, [0, 0]]);
  });

  it('says how many entries, and how many seconds of them, are not anchored', async () => {
    const anchoring = start();
    await counted(1);
    await eventually(() => (sealedAnchors() === 1 ? true : undefined));
    const before = ledger.durable().size;
    await call();
    time.advance(30_000);
    const [entries, seconds] = lagOf(anchoring);
    expect(entries).toBeGreaterThanOrEqual(ledger.durable().size - before);
    expect(seconds).toBe(30);
  });

  it('counts no age for what was idle: an entry after an hour of rest is not an hour late', async () => {
    const anchoring = start();
    await counted(1);
    await eventually(() => (sealedAnchors() === 1 ? true : undefined));
    for (let round = 0; round < 60; round += 1) {
      time.advance(60_000);
      await turn();
    }
    await call();
    expect(lagOf(anchoring)[1]).toBeLessThanOrEqual(60);
  });

  it('tries again sooner than everyMs, and later each time', async () => {
    works = false;
    start();
    await counted(1);
    for (const [waitMs, count] of [
      [1_000, 2],
      [2_000, 3],
      [4_000, 4],
    ] as const) {
      await turn();
      time.advance(waitMs - 1);
      expect(sent).toHaveLength(count - 1);
      time.advance(1);
      await counted(count);
    }
  });

  it('goes round each `everyMs` where it works, and begins anew to wait where it does so again', async () => {
    works = false;
    start();
    await counted(1);
    await turn();
    works = true;
    time.advance(1_000);
    await counted(2);
    await call();
    await turn();
    time.advance(59_999);
    expect(sent).toHaveLength(2);
    works = false;
    time.advance(1);
    await counted(3);
    await turn();
    time.advance(1_000);
    expect(sent).toHaveLength(4);
  });

  it('comes to rest with two anchors, whose entries make no round due for the other', async () => {
    const anchoring = start([anchor, { ...anchor, name: 'b' }]);
    await eventually(() => (sealedAnchors() === 2 ? true : undefined));
    for (let round = 0; round < 5; round += 1) {
      time.advance(60_000);
      await turn();
    }
    expect([sent.length, sealedAnchors(), lagOf(anchoring)]).toEqual([2, 2, [0, 0]]);
  });

  it('asks nobody again for what was acknowledged before a restart, and takes it for no contradiction', async () => {
    const { size, note } = ledger.durable();
    const memory = openAnchorMemory(directory, ledger.origin);
    const checkpoint = { size, note, origin: ledger.origin, root: Buffer.alloc(32) };
    await memory.acknowledge('a', checkpoint, time.clock.nowMs(), { text: '', files: [] });
    const anchoring = start();
    await turn();
    expect([sent, events, lagOf(anchoring)]).toEqual([[], [], [0, 0]]);
  });

  it('tells an anchor that it is given up on, and none that has answered', async () => {
    const signals: AbortSignal[] = [];
    const listening = (name: string, send: Anchor['send']): Anchor => ({
      ...{ name, kind: 'file' },
      send: (checkpoint, from, signal) => {
        signals.push(signal);
        return send(checkpoint, from, signal);
      },
    });
    start([listening('a', anchor.send), listening('silent', () => new Promise(() => undefined))]);
    await counted(1);
    time.advance(10_000);
    await counted(2);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    expect(signals[1]?.reason).toMatchObject({ code: 'anchor_failed' });
  });

  it.each([
    [receiptCharsMax, 'acknowledged'],
    [receiptCharsMax + 1, 'failed'],
  ] as const)('takes a receipt of %i characters for %s', async (length, kind) => {
    const anchoring = start([{ ...anchor, send: async () => ({ text: 'x'.repeat(length), files: [] }) }]);
    await counted(1);
    expect(events).toMatchObject([{ kind }]);
    const isRemembered = openAnchorMemory(directory, ledger.origin).of('a') !== undefined;
    const isTaken = kind === 'acknowledged';
    expect([(anchoring.status()[0]?.size ?? 0) > 0, isRemembered]).toEqual([isTaken, isTaken]);
  });

  it('says that what an anchor gave back could not be sealed, and does not ask it again for that', async () => {
    const refusal = new HoldpointError('ledger_unavailable', 'no room');
    const { seal } = ledger;
    let refusals = 1;
    const refusing: Ledger = {
      ...ledger,
      seal: (draft) => {
        if (draft.type === 'anchor' && refusals-- > 0) throw refusal;
        return seal(draft);
      },
    };
    const anchoring = start([anchor], refusing);
    await counted(2);
    expect(events).toMatchObject([{ kind: 'acknowledged' }, { kind: 'failed', error: refusal }]);
    time.advance(60_000);
    await turn();
    expect([sent.length, lagOf(anchoring)]).toEqual([1, [0, 0]]);
  });

  it('gives up on an anchor that does not answer, and the others are not delayed', async () => {
    const silent: Anchor = { name: 'silent', kind: 'witness', send: () => new Promise(() => undefined) };
    const anchoring = start([silent, anchor]);
    await counted(1);
    expect(events).toMatchObject([{ kind: 'acknowledged', anchor: 'a' }]);
    time.advance(10_000);
    await counted(2);
    expect(events[1]).toMatchObject({ kind: 'failed', anchor: 'silent', error: { code: 'anchor_failed' } });
    expect(anchoring.status()[0]?.lagSeconds).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes an acknowledgement of more than the ledger has for none of its entries', async () => {
    const ahead = {
      size: ledger.durable().size + 100,
      note: Buffer.alloc(0),
      origin: '',
      root: Buffer.alloc(32),
    };
    const memory = openAnchorMemory(directory, ledger.origin);
    await memory.acknowledge('a', ahead, time.clock.nowMs(), { text: '', files: [] });
    const anchoring = start();
    await counted(1);
    expect(events).toMatchObject([{ kind: 'failed', error: { code: 'anchor_contradicts' } }]);
    expect(lagOf(anchoring)).toEqual([ledger.durable().size, Number.POSITIVE_INFINITY]);
    expect(isAnchored(anchoring.status(), { withinMs: 60_000, quorum: 1 })).toBe(false);
  });

  it('finishes over `stop`, sealing nothing more', async () => {
    const anchoring = start();
    await counted(1);
    await call();
    await anchoring.stop();
    await ledger.close('done', anchoring.finish);
    const { size } = await house.verify();
    expect(sent.at(-1)).toBe(size);
    expect(house.entries().at(-1)?.type).toBe('stop');
    ledger = await house.open();
  });

  it('goes on after a restart from what was acknowledged', async () => {
    const first = start();
    await counted(1);
    await first.stop();
    const froms: number[] = [];
    start([
      {
        ...anchor,
        send: (checkpoint, from, signal) => {
          froms.push(from);
          return anchor.send(checkpoint, from, signal);
        },
      },
    ]);
    await call();
    time.advance(60_000);
    await counted(2);
    expect(froms[0]).toBe(sent[0]);
  });
});
