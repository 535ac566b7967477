/** Credentials that come with every request, on the record once in a while. Time is the test's. */
import { expect, it } from 'vitest';
import { createFirstUses } from '../../../src/control/sign-in/first-uses.ts';

const bot = { name: 'kubernetes:system:serviceaccount:ops:bot', role: 'viewer' };
const admission = { via: 'kubernetes', grant: 'use roles/viewer', from: '192.0.2.1' } as const;

function stage() {
  let nowMs = 0;
  let isWritable = true;
  let sealed = 0;
  const seal = () => {
    if (isWritable) sealed += 1;
    const durable = isWritable ? Promise.resolve() : Promise.reject(new Error('full'));
    return { seq: sealed, durable, parts: () => [] };
  };
  const firstUses = createFirstUses({ seal }, { nowMs: () => nowMs, monoUs: () => nowMs * 1_000 });
  return {
    firstUses,
    sealed: () => sealed,
    pass: (ms: number) => {
      nowMs += ms;
    },
    setWritable: (is: boolean) => {
      isWritable = is;
    },
  };
}

it('a use is sealed once in twelve hours, however often it is made', async () => {
  const { firstUses, sealed, pass } = stage();
  await Promise.all([firstUses(bot, admission), firstUses(bot, admission)]);
  pass(12 * 3_600_000 - 1);
  await firstUses(bot, admission);
  expect(sealed()).toBe(1);
  pass(1);
  await firstUses(bot, admission);
  expect(sealed()).toBe(2);
});

it('a use from elsewhere, or in another role, is another one', async () => {
  const { firstUses, sealed } = stage();
  await firstUses(bot, admission);
  await firstUses(bot, { ...admission, from: '192.0.2.2' });
  await firstUses({ ...bot, role: 'admin' }, admission);
  expect(sealed()).toBe(3);
});

it('a use that could not be sealed lets nobody in, and is sealed when the ledger is back', async () => {
  const { firstUses, sealed, setWritable } = stage();
  setWritable(false);
  await expect(firstUses(bot, admission)).rejects.toThrow('full');
  setWritable(true);
  await firstUses(bot, admission);
  expect(sealed()).toBe(1);
});

it('two thousand uses are remembered: the first is forgotten for another, and is sealed again', async () => {
  const { firstUses, sealed } = stage();
  for (let i = 0; i < 2_000; i += 1) await firstUses(bot, { ...admission, from: `from ${i}` });
  await firstUses(bot, { ...admission, from: 'from 0' });
  expect(sealed()).toBe(2_000);
  await firstUses(bot, admission);
  await firstUses(bot, { ...admission, from: 'from 0' });
  expect(sealed()).toBe(2_002);
});
