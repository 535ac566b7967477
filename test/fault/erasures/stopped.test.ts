/** An erasure that a person stops: it ends where it is, says who stopped it, and does not begin again by itself. */
import { describe, expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import type { ErasureDesk } from '../../../src/erasure/desk.ts';
import { targetsMax } from '../../../src/ledger/erasure.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { createKeptOrders } from '../../support/kept-orders.ts';
import { createLedgerUnderTest } from '../ledger-under-test.ts';
import {
  bodyCode,
  bySubject,
  createTimers,
  dayMs,
  decide,
  decideMany,
  deskOf,
  erasuresOf,
  subject,
} from './scene.ts';

const stop = { by: 'otto', role: 'admin', reason: 'the wrong person' } as const;

/** A desk whose erasures wait with their first entry until they are let go on. */
async function setScene() {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const gate = Promise.withResolvers<void>();
  const atGate = Promise.withResolvers<void>();
  const orders = createKeptOrders();
  const gated: Ledger = {
    ...ledger,
    erase: async (draft, isStillDue) => {
      if (draft.data['stopped'] === true) return ledger.erase(draft, isStillDue);
      atGate.resolve();
      await gate.promise;
      return ledger.erase(draft, isStillDue);
    },
  };
  const desk = deskOf(house, gated, { orders });
  return { house, ledger, orders, desk, gate, atGate };
}

async function verified({ house, ledger }: Awaited<ReturnType<typeof setScene>>) {
  await ledger.close('test');
  const { findings, notes } = await house.verify();
  return { findings, unended: notes.filter((note) => note.includes('have no last entry')) };
}

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'none';
  } catch (error) {
    return error instanceof HoldpointError ? error.code : String(error);
  }
};

describe('an erasure that waits', () => {
  it('ends at once, before the one that it waits for, and erases nothing', async () => {
    const scene = await setScene();
    const { house, ledger, desk, gate, atGate, orders } = scene;
    const [first, second] = [await decide(ledger), await decide(ledger, { subject: 'cd'.repeat(8) })];
    const one = desk.start(bySubject);
    await atGate.promise;
    const other = desk.start({ ...bySubject, scope: { decision: second } });
    desk.stopErasure(other.id, stop);
    expect(await desk.ended(other.id)).toMatchObject({
      state: 'stopped',
      error: null,
      progress: { parts: 0 },
    });
    expect([one.state, desk.totals().pending]).toEqual(['running', 1]);
    gate.resolve();
    expect((await desk.ended(one.id))?.state).toBe('done');
    expect(await bodyCode(ledger, first, 'request')).toBe('erased');
    expect(await bodyCode(ledger, second, 'request')).toBe('read');
    const { request, by, role, final, targets, stopped } = erasuresOf(house)[0]?.data ?? {};
    expect([request, by, role, final, targets, stopped]).toEqual([other.id, 'otto', 'admin', true, [], true]);
    expect(orders.all()).toEqual([]);
    expect(await verified(scene)).toEqual({ findings: [], unended: [] });
  });
});

describe('an erasure that runs', () => {
  it('ends after the entry that it is at: what that names is gone, the rest is there', async () => {
    const scene = await setScene();
    const { house, ledger, desk, gate, atGate } = scene;
    const seqs = await decideMany(ledger, targetsMax + 2);
    const { id } = desk.start(bySubject);
    await atGate.promise;
    expect(desk.stopErasure(id, stop).state).toBe('running');
    gate.resolve();
    expect(await desk.ended(id)).toMatchObject({ state: 'stopped', progress: { parts: targetsMax } });
    expect(await bodyCode(ledger, seqs[0] ?? -1, 'request')).toBe('erased');
    expect(await bodyCode(ledger, seqs.at(-1) ?? -1, 'request')).toBe('read');
    const said = erasuresOf(house).map(({ data }) => [data['request'], data['by'], data['final']]);
    expect(said).toEqual([
      [id, 'petra', false],
      [id, 'otto', true],
    ]);
    expect(await verified(scene)).toEqual({ findings: [], unended: [] });
  });

  it('and whose every entry is sealed is done', async () => {
    const scene = await setScene();
    const { ledger, desk, gate, atGate } = scene;
    const decision = await decide(ledger);
    const { id } = desk.start(bySubject);
    await atGate.promise;
    desk.stopErasure(id, stop);
    gate.resolve();
    expect(await desk.ended(id)).toMatchObject({ state: 'done', progress: { erased: 1 } });
    expect(await bodyCode(ledger, decision, 'request')).toBe('erased');
    expect(await verified(scene)).toEqual({ findings: [], unended: [] });
  });

  it('keeps to what it refused before', async () => {
    const scene = await setScene();
    const { house, ledger, desk, gate, atGate } = scene;
    const [kept] = await decideMany(ledger, targetsMax + 2);
    await desk.placeHold({ decision: kept ?? -1 }, stop, 'a case');
    const { id } = desk.start(bySubject);
    await atGate.promise;
    desk.stopErasure(id, stop);
    gate.resolve();
    expect((await desk.ended(id))?.progress.refused.legal_hold).toBe(1);
    const refusals = erasuresOf(house).filter(({ data }) => data['action'] === 'refuse');
    expect(refusals.map(({ data }) => [data['by'], data['decisions']])).toEqual([['petra', [kept]]]);
    expect(await verified(scene)).toEqual({ findings: [], unended: [] });
  });

  it('and only looks seals nothing', async () => {
    const { house, ledger, desk } = await setScene();
    await decide(ledger);
    const { id } = desk.start({ ...bySubject, dryRun: true });
    desk.stopErasure(id, stop);
    expect((await desk.ended(id))?.state).toBe('stopped');
    expect(erasuresOf(house)).toEqual([]);
    await ledger.close('test');
  });

  it('ends with the sidecar also where nothing that it looks at is meant', async () => {
    const { house, ledger } = await setScene();
    const other = await ledger.entry(await decide(ledger));
    const isLooking = Promise.withResolvers<void>();
    const endless = async function* () {
      for (;;) {
        isLooking.resolve();
        yield [other];
      }
    };
    const desk = deskOf(house, { ...ledger, oldest: endless });
    const { id } = desk.start({ ...bySubject, scope: { match: { workload: 'nobody' } } });
    await isLooking.promise;
    await desk.stop();
    expect(await desk.ended(id)).toMatchObject({ state: 'failed', error: { code: 'shutting_down' } });
    await ledger.close('test');
  });
});

describe('a stop', () => {
  it('outlasts the power: the next start does not go on', async () => {
    const { house, ledger, desk, orders, atGate } = await setScene();
    const decision = await decide(ledger);
    const { id } = desk.start(bySubject);
    await atGate.promise;
    desk.stopErasure(id, stop);
    expect(orders.all()).toEqual([]);
    expect(deskOf(house, ledger, { orders }).list()).toEqual([]);
    expect(await bodyCode(ledger, decision, 'request')).toBe('read');
    await ledger.close('test');
  });

  it('that cannot be kept is refused, and the erasure goes on', async () => {
    const { house, ledger } = await setScene();
    const decision = await decide(ledger);
    const full = new HoldpointError('ledger_unavailable', 'No space is left.');
    let isFull = true;
    const orders = createKeptOrders();
    const drop = (id: string): void => {
      if (isFull) throw full;
      orders.drop(id);
    };
    const desk: ErasureDesk = deskOf(house, ledger, { orders: { ...orders, drop } });
    const { id } = desk.start(bySubject);
    expect(() => desk.stopErasure(id, stop)).toThrow(full);
    isFull = false;
    expect(await desk.ended(id)).toMatchObject({ state: 'done', stop: null });
    expect(await bodyCode(ledger, decision, 'request')).toBe('erased');
    await ledger.close('test');
  });

  it('comes once, and not after the end', async () => {
    const { ledger, desk, gate } = await setScene();
    await decide(ledger);
    gate.resolve();
    const { id } = desk.start(bySubject);
    expect(codeOf(() => desk.stopErasure('0'.repeat(16), stop))).toBe('not_found');
    desk.stopErasure(id, stop);
    expect(codeOf(() => desk.stopErasure(id, stop))).toBe('erasure_ended');
    expect((await desk.ended(id))?.state).toBe('stopped');
    expect(codeOf(() => desk.stopErasure(id, stop))).toBe('erasure_ended');
    await ledger.close('test');
  });

  it('of the schedule is one for this time: the next erases what is due', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const timers = createTimers();
    const terms = { rules: [{ id: 'all', match: {}, keepDays: 1 }], exemptions: [] };
    const desk = deskOf(house, ledger, { terms, schedule: timers.schedule });
    house.clock.ms += 2 * dayMs;
    const pass = async (onBegun: (id: string) => void): Promise<string | undefined> => {
      timers.fire();
      const [begun] = desk.list();
      onBegun(begun?.id ?? '');
      return (await desk.ended(begun?.id ?? ''))?.state;
    };
    expect(await pass((id) => desk.stopErasure(id, stop))).toBe('stopped');
    expect(await bodyCode(ledger, decision, 'request')).toBe('read');
    while (desk.totals().pending > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await pass(() => undefined)).toBe('done');
    expect(await bodyCode(ledger, decision, 'request')).toBe('erased');
    expect(erasuresOf(house)[0]?.data).toMatchObject({ scope: { rule: 'all' }, by: 'otto', stopped: true });
    await ledger.close('test');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('is told with its reason beside the entry', async () => {
    const { house, ledger, desk } = await setScene();
    await decide(ledger, { subject });
    const { id } = desk.start(bySubject);
    desk.stopErasure(id, stop);
    await desk.ended(id);
    const seq = erasuresOf(house)[0]?.seq ?? -1;
    expect((await ledger.part(seq, 'reason')).toString()).toBe('the wrong person');
    await ledger.close('test');
  });
});
