/** The hold on the page when the queue does not list it any more. */
import { expect, it } from 'vitest';
import { type Api, createApi } from '../../../src/console/api.ts';
import { createDeskPage } from '../../../src/console/desk-page.ts';
import { closedPage, signedOut } from '../../../src/console/desk-state.ts';
import { createStore } from '../../../src/console/desk-store.ts';
import type { HoldSummary } from '../../../src/console/hold-data.ts';
import { hold } from './holds.ts';

function setScene(line: () => Promise<HoldSummary | null>) {
  const store = createStore({ ...signedOut, open: closedPage('one') });
  const api: Api = { ...createApi('key'), holdLine: line, finalRuling: async () => null };
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
  return { page, complaints, over: () => store.get().open?.over };
}

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
