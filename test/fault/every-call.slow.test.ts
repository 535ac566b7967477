import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { callsOfALife, liveWithFault } from './every-call.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const fates = ['before', 'middle', 'after', 'short'] as const;

it.each([
  { durability: 'strict', code: 'EIO', lasts: 1 },
  { durability: 'relaxed', code: 'EIO', lasts: 1 },
  { durability: 'strict', code: 'ENOSPC', lasts: 4 },
] as const)(
  'every storage call of a $durability life fails with $code, $lasts times, and nothing is lost',
  async (plan) => {
    const calls = await callsOfALife(plan.durability);
    let failed = 0;
    const faults: string[] = [];
    for (let at = 0; at < calls.length; at += 1) {
      for (const fate of fates) {
        const report = await liveWithFault({ ...plan, at, fate });
        if (report.call !== null) failed += 1;
        faults.push(...report.faults.map((fault) => `call ${at}, ${fate}: ${fault}`));
      }
    }
    process.stdout.write(
      `every call, ${plan.durability} ${plan.code}: ${calls.length} calls, ${failed} failures\n`,
    );
    expect(faults).toEqual([]);
    expect(failed).toBe(calls.length * (fates.length - 1));
  },
);
