/** The hold on the page when the queue does not list it any more, and when answers about it come late. */
import { expect, it } from 'vitest';
import type { HoldSummary } from '../../../../src/console/answers/hold-data.ts';
import type { HoldDetail, Ruling } from '../../../../src/console/answers/hold-detail.ts';
import { type Api, ApiError, createApi } from '../../../../src/console/desk/api.ts';
import { createDeskPage } from '../../../../src/console/desk/desk-page.ts';
import { closedPage, signedOut } from '../../../../src/console/desk/desk-state.ts';
import { createStore } from '../../../../src/console/desk/desk-store.ts';
import { detailOf, hold } from '../holds.ts';

const nothing = (): Promise<null> => Promise.resolve(null);

function setScene(line: () => Promise<HoldSummary | null> = nothing, holds: readonly HoldSummary[] = []) {
  const store = createStore({
    ...signedOut,
    identity: { name: 'rita', role: 'reviewer', permissions: [], display: 'rita' },
    holds: new Map(holds.map((one) => [one.id, one])),
    open: closedPage('one'),
  });
  const readings: PromiseWithResolvers<HoldDetail>[] = [];
  const rulings: PromiseWithResolvers<Ruling | null>[] = [];
  const api: Api = {
    ...createApi('key'),
    holdLine: line,
    finalRuling: () => {
      const asked = Promise.withResolvers<Ruling | null>();
      rulings.push(asked);
      return asked.promise;
    },
    hold: () => {
      const reading = Promise.withResolvers<HoldDetail>();
      readings.push(reading);
      return reading.promise;
    },
  };
  const complaints: unknown[] = [];
  const page = createDeskPage({
    store,
    api: () => api,
    put: () => undefined,
    refresh: () => undefined,
    signedIn: () => {
      throw new Error('nobody is');
    },
    complain: (error) => complaints.push(error),
  });
  return { page, store, readings, rulings, complaints, over: () => store.get().open?.over };
}

const outage = (): ApiError => new ApiError(0, 'unreachable', 'The sidecar cannot be reached.', '');
const who = { by: 'rita', role: 'reviewer', inStead: '', reason: null };
const ruling: Ruling = { ...who, verdict: 'release', atMs: 0, withheld: [], breakGlass: false };

/** Everything that follows from what was answered has happened. */
const allIsHeard = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('says nothing of its end while it is pending: a long queue lists a part of what waits', async () => {
  const { page, over } = setScene(async () => hold('one'));
  page.gone('one');
  await allIsHeard();
  expect(over()).toBe('');
});

it('says that it is over once the sidecar does not know it any more', async () => {
  const { page, over } = setScene(async () => null);
  page.gone('one');
  await allIsHeard();
  expect(over()).toBe('It is over.');
});

it('says how it ended where the sidecar knows', async () => {
  const { page, over } = setScene(async () => hold('one', { state: 'expired' }));
  page.gone('one');
  await allIsHeard();
  expect(over()).toBe('Expired.');
});

it('says nothing of its end where that could not be learned', async () => {
  const why = new Error('no answer');
  const { page, over, complaints } = setScene(() => Promise.reject(why));
  page.gone('one');
  await allIsHeard();
  expect([over(), complaints]).toEqual(['', [why]]);
});

it('learns its end once an outage is over that kept it from being learned', async () => {
  const lines = [Promise.reject(outage()), Promise.resolve(hold('one', { state: 'expired' }))];
  const { page, store, over } = setScene(() => lines.shift() ?? nothing());
  page.gone('one');
  await allIsHeard();
  page.connected();
  expect([over(), lines.length]).toEqual(['', 1]);
  store.set({ connections: 1 });
  page.connected();
  await allIsHeard();
  expect([over(), lines.length]).toEqual(['Expired.', 0]);
});

it('learns who ended it once an outage is over that kept it from being learned', async () => {
  const { page, store, readings, rulings, over } = setScene(nothing, [hold('one')]);
  page.reread();
  readings[0]?.resolve(detailOf(hold('one', { state: 'released' })));
  await allIsHeard();
  rulings[0]?.reject(outage());
  await allIsHeard();
  store.set({ connections: 1 });
  page.connected();
  rulings[1]?.resolve(ruling);
  await allIsHeard();
  expect(over()).toContain('rita');
});

it('is over where it ended while it was read: what was read is of before', async () => {
  const { page, store, readings, over } = setScene(nothing, [hold('one')]);
  page.reread();
  const released = hold('one', { state: 'released' });
  store.set({ holds: new Map([['one', released]]) });
  page.compare(released);
  readings[0]?.resolve(detailOf(hold('one')));
  await allIsHeard();
  expect([over(), store.get().open?.detail?.summary.state]).toEqual(['Released.', 'released']);
});

it('stays over when what was asked before is answered only then', async () => {
  const { page, store, readings, over } = setScene(nothing, [hold('one')]);
  page.reread();
  readings[0]?.resolve(detailOf(hold('one')));
  await allIsHeard();
  page.compare(hold('one', { commentCount: 1 }));
  const denied = hold('one', { state: 'denied', commentCount: 1 });
  store.set({ holds: new Map([['one', denied]]) });
  page.compare(denied);
  readings[1]?.resolve(detailOf(hold('one', { commentCount: 1 })));
  await allIsHeard();
  expect([over(), store.get().open?.detail?.summary.state]).toEqual(['Denied.', 'denied']);
});

it('shows what was asked for last, whichever answer comes last', async () => {
  const { page, store, readings } = setScene(nothing, [hold('one')]);
  page.reread();
  page.reread();
  readings[1]?.resolve(detailOf(hold('one', { commentCount: 2 })));
  await allIsHeard();
  readings[0]?.resolve(detailOf(hold('one', { commentCount: 1 })));
  await allIsHeard();
  expect(store.get().open?.detail?.summary.commentCount).toBe(2);
});
