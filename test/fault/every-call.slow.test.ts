import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { liveWithFault } from './every-call.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Of the scripted life; it has some seventy. */
const callsMin = 60;
const fates = ['before', 'middle', 'after', 'short'] as const;

it.each([
  { durability: 'strict', code: 'EIO', lasts: 1 },
  { durability: 'relaxed', code: 'EIO', lasts: 1 },
  { durability: 'strict', code: 'ENOSPC', lasts: 4 },
] as const)(
  'every storage call of a $durability life fails with $code, $lasts times, and nothing is lost',
  async (plan) => {
    const faults: string[] = [];
    let at = 0;
    // How many calls a life has hangs on what shares a commit, and that on the machine: until one has no such call.
    for (let hasCall = true; hasCall; at += 1) {
      hasCall = false;
      for (const fate of fates) {
        const report = await liveWithFault({ ...plan, at, fate });
        hasCall ||= report.call !== null;
        faults.push(...report.faults.map((fault) => `call ${at}, ${fate}: ${fault}`));
      }
    }
    process.stdout.write(`every call, ${plan.durability} ${plan.code}: ${at - 1} calls\n`);
    expect(faults).toEqual([]);
    expect(at).toBeGreaterThan(callsMin);
  },
);
