/** A line of a report while the ledger has too much to do: sealed once and whole, or told as it is. */
import { afterEach, expect, it } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import { outcomesOf } from '../../src/ledger/head.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { loadPolicy } from '../../src/policy/compile.ts';
import { createReportDesk } from '../../src/report/desk.ts';
import { linesOf } from '../../src/report/split.ts';
import { createLedgerUnderTest } from './ledger-under-test.ts';

let ledger: Ledger | undefined;
afterEach(() => ledger?.close('test over'));

const line = JSON.stringify({
  ...{ id: 'r-1', at: '2026-11-26T08:15:00Z', decider: 'engine', outcome: 'denied' },
  ...{ request: 'May I?', answer: 'No.' },
});

/** A desk over a ledger that refuses its nth seals, counted from 1. */
async function deskRefused(nth: readonly number[], underTest = createLedgerUnderTest()) {
  const opened = await underTest.open();
  ledger = opened;
  let asked = 0;
  const sealed: string[] = [];
  const desk = createReportDesk({
    ledger: {
      settle: (decision, outcome) => opened.settle(decision, outcome),
      find: (query, before) => opened.find(query, before),
      decision: (seq) => opened.decision(seq),
      part: (seq, name) => opened.part(seq, name),
      seal: (draft) => {
        asked += 1;
        if (nth.includes(asked)) throw new HoldpointError('overloaded', 'Too much waits.', 'Retry.');
        sealed.push(draft.type);
        return opened.seal(draft);
      },
    },
    policy: () => loadPolicy('policy.yaml', 'version: "1"\nrules: []\n'),
    fingerprint: (subject) => subject,
  });
  return {
    sealed,
    underTest,
    report: async () => {
      async function* body(): AsyncGenerator<Buffer> {
        yield Buffer.from(line);
      }
      const results = [];
      for await (const result of desk.take(linesOf(body(), 4096), 'engine')) results.push(result);
      return results;
    },
  };
}

it.each([
  ['its question', 1],
  ['its answer', 2],
])('that found no room for %s is sealed once, and known when it is sent again', async (_, nth) => {
  const { sealed, report } = await deskRefused([nth]);
  const [first] = await report();
  expect(first).toMatchObject({ status: 'sealed', id: 'r-1' });
  expect(sealed).toEqual(['request', 'response']);
  expect(await report()).toMatchObject([{ status: 'known', id: 'r-1' }]);
});

it('that finds none again is refused', async () => {
  const { sealed, report } = await deskRefused([1, 2]);
  const codes = (await report()).map((result) => (result.status === 'refused' ? result.error.code : ''));
  expect(codes).toEqual(['overloaded']);
  expect(sealed).toEqual([]);
  expect(await report()).toMatchObject([{ status: 'sealed' }]);
});

it('whose answer finds none again is interrupted, and sealed anew when it is sent again', async () => {
  const { sealed, report, underTest } = await deskRefused([2, 3]);
  expect(await report()).toMatchObject([{ status: 'refused', error: { code: 'overloaded' } }]);
  expect(sealed).toEqual(['request']);
  const [again] = await report();
  expect(again).toMatchObject({ status: 'sealed' });
  expect(sealed).toEqual(['request', 'request', 'response']);
  expect(await report()).toMatchObject([{ ...again, status: 'known' }]);
  await ledger?.close('test over');
  expect(underTest.entries().flatMap(({ data }) => outcomesOf(data).map(([, outcome]) => outcome))).toEqual([
    'interrupted',
    'reported',
  ]);
});

it('whose answer found none is sealed anew after a restart, too', async () => {
  const { report, underTest } = await deskRefused([2, 3]);
  expect(await report()).toMatchObject([{ status: 'refused' }]);
  await ledger?.close('test over');
  const { report: reportAgain } = await deskRefused([], underTest);
  expect(await reportAgain()).toMatchObject([{ status: 'sealed' }]);
});
