/** Erasures in line: one runs, so many wait, and of those that ended the newest are kept. */
import { expect, it } from 'vitest';
import { createLedgerUnderTest } from '../ledger-under-test.ts';
import { bySubject, decide, deskOf, run } from './scene.ts';

const look = { ...bySubject, dryRun: true };

it('one runs, 31 wait, and no more are taken until one has ended', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  await decide(ledger);
  const read = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const desk = deskOf(house, {
    ...ledger,
    decision: async (seq) => {
      asked.resolve();
      await read.promise;
      return ledger.decision(seq);
    },
  });
  const jobs = Array.from({ length: 32 }, () => desk.start(look));
  await asked.promise;
  expect(jobs.map(({ state }) => state)).toEqual(['running', ...Array<string>(31).fill('waiting')]);
  expect(desk.totals().pending).toBe(32);
  expect(() => desk.start(look)).toThrow(expect.objectContaining({ code: 'overloaded' }));
  read.resolve();
  for (const { id } of jobs) await desk.ended(id);
  expect((await run(desk, look)).state).toBe('done');
  await ledger.close('test');
});

it('of those that ended 200 are kept, and one that has not is never forgotten', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  let ids = 0;
  const random = (length: number): Buffer => {
    const id = Buffer.alloc(length);
    ids += 1;
    id.writeUInt32BE(ids);
    return id;
  };
  const desk = deskOf(house, ledger, { random });
  const ended: string[] = [];
  for (let i = 0; i < 205; i += 1) ended.push((await run(desk, look)).id);
  expect(desk.list().map(({ id }) => id)).toEqual(ended.slice(-200).reverse());
  expect([desk.find(ended[4] ?? ''), await desk.ended(ended[4] ?? '')]).toEqual([null, null]);
  await ledger.close('test');
});
