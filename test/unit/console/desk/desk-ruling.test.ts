/** A ruling from the page of a hold: bound to the digest that is shown, refused where that is over or something else. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { HoldSummary } from '../../../../src/console/answers/hold-data.ts';
import type { HoldDetail, Ruling } from '../../../../src/console/answers/hold-detail.ts';
import {
  type Api,
  ApiError,
  createApi,
  type RulingRequest,
  type SignedRuling,
} from '../../../../src/console/desk/api.ts';
import { createDeskPage } from '../../../../src/console/desk/desk-page.ts';
import { signedOut } from '../../../../src/console/desk/desk-state.ts';
import { createStore } from '../../../../src/console/desk/desk-store.ts';
import { detailOf, hold } from '../holds.ts';

/** A browser that keeps no key. */
beforeAll(() => {
  const soon = (name: string, on: object): object => {
    queueMicrotask(() => Reflect.get(on, name)());
    return on;
  };
  const transaction = () => soon('oncomplete', { objectStore: () => ({ get: () => ({}) }) });
  const database = { transaction, close: () => undefined };
  vi.stubGlobal('indexedDB', { open: () => soon('onsuccess', { result: database }) });
});
afterAll(() => {
  vi.unstubAllGlobals();
});

const other = 'f'.repeat(64);
const release = { verdict: 'release', reason: '' } as const;

function setScene(holds: readonly HoldSummary[] = []) {
  const identity = { name: 'rita', role: 'reviewer', permissions: [], display: 'rita' };
  const store = createStore({ ...signedOut, identity, holds: new Map(holds.map((one) => [one.id, one])) });
  const sent: { readonly id: string; readonly ruling: RulingRequest | SignedRuling }[] = [];
  const answers: PromiseWithResolvers<HoldSummary>[] = [];
  const readings: PromiseWithResolvers<HoldDetail>[] = [];
  const finals: PromiseWithResolvers<Ruling | null>[] = [];
  const later = <T>(list: PromiseWithResolvers<T>[]): Promise<T> => {
    const asked = Promise.withResolvers<T>();
    list.push(asked);
    return asked.promise;
  };
  const api: Api = {
    ...createApi('key'),
    reviewerKeys: async () => ({ origin: '', required: false, keys: [] }),
    hold: () => later(readings),
    finalRuling: () => later(finals),
    rule: (id, ruling) => {
      sent.push({ id, ruling });
      return later(answers);
    },
  };
  let refreshes = 0;
  const page = createDeskPage({
    store,
    api: () => api,
    put: (one) => page.compare(one),
    refresh: () => {
      refreshes += 1;
    },
    signedIn: () => identity,
    complain: () => undefined,
  });
  return {
    ...{ page, store, sent, answers, readings, finals },
    refreshes: () => refreshes,
    over: () => store.get().open?.over,
    /** Opens a hold and gives the answer. */
    show: async (one: HoldSummary): Promise<void> => {
      page.show(one.id, 'release');
      // Whatever was asked for before is nobody's any more.
      readings.splice(0).at(-1)?.resolve(detailOf(one));
      await heard();
    },
  };
}

/** Everything that follows from what was answered has happened. */
const heard = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('names the digest that is shown, and goes to the hold that is shown', async () => {
  const { page, sent, answers, show, store } = setScene();
  await show(hold('one'));
  const ruled = page.rule(release);
  await heard();
  expect(sent).toEqual([{ id: 'one', ruling: { ...release, digest: '0'.repeat(64) } }]);
  answers[0]?.resolve(hold('one', { state: 'released' }));
  await ruled;
  expect(store.get().open).toMatchObject({ panel: null, over: 'Released.' });
});

it('is not made on a hold that was not read, that is over, or whose bytes are not those that are shown', async () => {
  const scene = setScene();
  scene.page.show('one', 'release');
  await expect(scene.page.rule(release)).rejects.toThrow('nothing to rule on');
  for (const change of [{ state: 'denied' as const }, { digest: other }]) {
    await scene.show(hold('two'));
    scene.page.compare(hold('two', change));
    await expect(scene.page.rule(release)).rejects.toThrow('nothing to rule on');
    scene.page.show(null);
  }
  expect(scene.sent).toEqual([]);
});

it('never takes over a digest that the page does not show, from a line nor from another reading', async () => {
  const { page, store, over, show, readings } = setScene();
  const changed = 'What is held has changed since you opened it.';
  const digest = (): string | undefined => store.get().open?.detail?.summary.digest;
  await show(hold('one'));
  page.compare(hold('one', { digest: other }));
  expect([over(), digest()]).toEqual([changed, '0'.repeat(64)]);

  await show(hold('two'));
  page.compare(hold('two', { commentCount: 1 }));
  readings.shift()?.resolve({ ...detailOf(hold('two', { digest: other })), notRequester: true });
  await heard();
  expect([over(), digest()]).toEqual([changed, '0'.repeat(64)]);
  expect(store.get().open?.detail?.notRequester).toBe(false);
});

it('leaves what ended a hold standing when something else is heard of it', async () => {
  const { page, over, show } = setScene();
  await show(hold('one'));
  page.compare(hold('one', { state: 'denied' }));
  page.compare(hold('one', { state: 'denied', digest: other }));
  expect(over()).toBe('Denied.');
});

it('of another hold is not told on this one', async () => {
  const { page, over, show, finals, store } = setScene();
  await show(hold('one'));
  page.compare(hold('one', { state: 'denied' }));
  await show(hold('two'));
  const who = { by: 'otto', role: 'reviewer', inStead: '', reason: null, atMs: 0, withheld: [] };
  finals[0]?.resolve({ ...who, verdict: 'deny', breakGlass: false });
  await heard();
  expect([over(), store.get().announcement]).toEqual(['', '']);
});

it.each([0, 503])(
  'an outage (%j) keeps from being read is read on the next connection, whatever else it kept',
  async (status) => {
    const { page, show, finals, readings, store } = setScene();
    await show(hold('one'));
    page.compare(hold('one', { state: 'denied' }));
    page.show('two');
    const outage = new ApiError(status, '', 'It cannot answer.', '');
    readings.shift()?.reject(outage);
    finals.shift()?.reject(outage);
    await heard();
    store.set({ connections: 1 });
    page.connected();
    readings.shift()?.resolve(detailOf(hold('two')));
    await heard();
    expect(store.get().open).toMatchObject({ id: 'two', problem: '', detail: { summary: { id: 'two' } } });
  },
);

it('that came too late makes the page dead, with why, and has the queue read; one without a code does not', async () => {
  const { page, answers, show, over, refreshes, store } = setScene();
  await show(hold('one'));
  const late = page.rule(release);
  await heard();
  answers.shift()?.reject(new ApiError(409, 'already_ruled', 'Otto ruled already.', ''));
  await expect(late).rejects.toThrow('Otto ruled already.');
  expect([over(), refreshes()]).toEqual(['Otto ruled already.', 1]);

  await show(hold('two'));
  const lost = page.rule(release);
  await heard();
  answers.shift()?.reject(new ApiError(0, 'unreachable', 'The sidecar cannot be reached.', ''));
  await expect(lost).rejects.toThrow('cannot be reached');
  expect([over(), refreshes(), store.get().open?.panel]).toEqual(['', 1, 'release']);
});

it('that was not taken is told where the reviewer turned to meanwhile', async () => {
  const { page, answers, show, store, over } = setScene();
  await show(hold('one'));
  const ruled = page.rule(release);
  await heard();
  await show(hold('two'));
  answers[0]?.reject(new ApiError(409, 'already_ruled', 'Otto ruled already.', ''));
  await expect(ruled).rejects.toThrow('Otto ruled already.');
  expect(store.get().refused).toMatchObject([{ id: 'one', isSure: true }]);
  expect([over(), store.get().open?.panel]).toEqual(['', 'release']);
});

it('that is one of several approvals is said to be sealed', async () => {
  const { page, answers, show, store } = setScene();
  await show(hold('one'));
  const ruled = page.rule(release);
  await heard();
  answers[0]?.resolve(hold('one'));
  await ruled;
  expect(store.get()).toMatchObject({ announcement: 'Your approval is sealed; more are needed.' });
  expect(store.get().open).toMatchObject({ panel: null, over: '' });
});

it('asked for by another key on the hold that is open keeps what is read and chosen there', async () => {
  const { page, readings, show, store } = setScene();
  await show(hold('one'));
  store.setOpen('one', { withheld: new Set([1]) });
  page.show('one', 'deny');
  expect(store.get().open).toMatchObject({ panel: 'deny', withheld: new Set([1]), detail: {} });
  page.show('one');
  expect(store.get().open?.panel).toBe('deny');
  expect(readings).toEqual([]);
});
