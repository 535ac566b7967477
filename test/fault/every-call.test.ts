import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { callsOfALife, type FaultPlan, liveWithFault } from './every-call.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const whole: FaultPlan = { at: 0, fate: 'before', code: 'EIO', durability: 'strict', lasts: 1 };

describe('a storage call that fails (each of them in every way: every-call.slow.test.ts)', () => {
  it('is one of all kinds that sealing makes', async () => {
    const calls = await callsOfALife('strict');
    expect(new Set(calls.map(({ kind, file }) => `${kind} ${file}`))).toEqual(
      new Set([
        'open database index',
        'open database ledger',
        'open ledger/journal-0000000001.hpj',
        'write ledger/journal-0000000001.hpj',
        'sync ledger/journal-0000000001.hpj',
        'datasync ledger/journal-0000000001.hpj',
        'truncate ledger/journal-0000000001.hpj',
        'open ledger',
        'sync ledger',
        'open high-water.new',
        'write high-water.new',
        'sync high-water.new',
        'open ',
        'sync ',
        'open high-water',
        'write high-water',
        'batch ledger',
        'batch index',
        'sync high-water',
      ]),
    );
  });

  it('loses nothing where the system takes half of what is written to the journal at a time', async () => {
    const calls = await callsOfALife('strict');
    const writes = calls.flatMap(({ kind, file }, at) =>
      kind === 'write' && file.endsWith('.hpj') ? [at] : [],
    );
    expect(writes.length).toBeGreaterThan(5);
    // The header of the segment, and the first frames: what shares a frame later hangs on the machine.
    for (const at of writes.slice(0, 4))
      expect((await liveWithFault({ ...whole, at, fate: 'short' })).faults, `call ${at}`).toEqual([]);
  });

  it.each([
    { ...whole, at: 1 },
    { ...whole, at: 10, fate: 'after' as const },
    { ...whole, at: 20, fate: 'middle' as const },
    { ...whole, at: 21, fate: 'before' as const, code: 'ENOSPC' as const },
    { ...whole, at: 30, fate: 'after' as const },
    { ...whole, at: 31, fate: 'short' as const },
    // The closing that comes before the next opening finds the disk full too.
    { ...whole, at: 31, fate: 'middle' as const, code: 'ENOSPC' as const, lasts: 4 },
    { ...whole, at: 33, fate: 'middle' as const, code: 'ENOSPC' as const, lasts: 3 },
    { ...whole, at: 62 },
  ])('loses nothing, dead or going on: call $at, $code $fate, $lasts times', async (plan) => {
    const { faults, refused } = await liveWithFault(plan);
    expect(faults).toEqual([]);
    // What was asked of the ledger while it failed was refused, not answered.
    if (plan.fate !== 'short' && plan.at < 57) expect(refused).toBeGreaterThan(0);
  });
});
