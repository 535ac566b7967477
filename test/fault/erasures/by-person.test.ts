/** An erasure that a person asked for, over stops and starts. */
import { describe, expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { meantBy } from '../../../src/erasure/candidates.ts';
import { createKeptOrders } from '../../support/kept-orders.ts';
import { createLedgerUnderTest } from '../ledger-under-test.ts';
import { bodyCode, bySubject, decide, deskOf, erasuresOf, run } from './scene.ts';

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

  it('and that was kept reaches no other decision that a restored ledger has in the place of the one it meant', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const meant = meantBy(await ledger.entry(decision));
    const orders = createKeptOrders();
    const before = deskOf(house, ledger, { orders });
    const { id } = before.start({ ...bySubject, scope: { decision }, meant });
    await before.stop();
    await ledger.close('test');
    const other = createLedgerUnderTest();
    const restored = await other.open();
    expect(await decide(restored)).toBe(decision);
    const after = deskOf(other, restored, { orders });
    expect(await after.ended(id)).toMatchObject({ state: 'failed', error: { code: 'not_found' } });
    expect(await bodyCode(restored, decision, 'request')).toBe('read');
    expect([orders.all(), erasuresOf(other)]).toEqual([[], []]);
    await restored.close('test');
  });

  it('and that was kept says that its decision is gone where a restored ledger ends before it', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const orders = createKeptOrders();
    const scope = { decision: 900 };
    orders.keep({ ...bySubject, id: 'ab'.repeat(8), role: 'privacy', scope, meant: 'cd'.repeat(32) });
    const job = await deskOf(house, ledger, { orders }).ended('ab'.repeat(8));
    expect(job?.error?.message).toContain('which was restored since: nothing was erased');
    await ledger.close('test');
  });

  it('and that was kept goes on with the decision it meant', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const decision = await decide(ledger);
    const meant = meantBy(await ledger.entry(decision));
    const orders = createKeptOrders();
    const before = deskOf(house, ledger, { orders });
    const { id } = before.start({ ...bySubject, scope: { decision }, meant });
    await before.stop();
    expect(await deskOf(house, ledger, { orders }).ended(id)).toMatchObject({ state: 'done' });
    expect(await bodyCode(ledger, decision, 'request')).toBe('erased');
    await ledger.close('test');
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
