/** Which hold an identical call belongs to. */
import { describe, expect, it } from 'vitest';
import type { Hold } from '../../../src/hold/record.ts';
import { isFor, redeliverMs } from '../../../src/hold/retry.ts';
import { sealedHold } from './sealed-hold.ts';

/** One whose caller left before it was ruled on. */
const holdWith = (change: Partial<Hold>): Hold => ({
  ...sealedHold(2, 1, 'same'),
  attached: false,
  ...change,
});

const delivered: Partial<Hold> = { outcome: 'delivered', deliveryAttempts: 1, lastAttemptAtMs: 1_000 };

describe('a call that says it is a retry, and one that does not', () => {
  it.each<[string, Partial<Hold>, number, boolean, boolean]>([
    ['take the place of a caller that left', {}, 0, true, true],
    ['take the place of nobody who still waits', { attached: true }, 0, false, false],
    ['differ where the answer may have arrived before a crash', { mayHaveArrived: true }, 0, true, false],
    ['differ where it was delivered lately', delivered, 1_000 + redeliverMs, true, false],
    ['have nothing of what was delivered long ago', delivered, 1_001 + redeliverMs, false, false],
    ['have the refusal that the first one got', { outcome: 'denied' }, 0, true, true],
    ['have it while the first one is still told', { outcome: 'denied', attached: true }, 0, true, true],
    ['have it where time ran out', { outcome: 'expired' }, 0, true, true],
    ['have nothing of what nobody collected in time', { outcome: 'released_undelivered' }, 0, false, false],
    ['have nothing of what was interrupted', { outcome: 'interrupted' }, 0, false, false],
    ['have nothing of what the ledger lost', { outcome: 'ledger_unavailable' }, 0, false, false],
    ['have nothing of a request that went on', { phase: 'request', deliveryAttempts: 1 }, 0, false, false],
    ['have a request that was released and not sent', { phase: 'request' }, 0, true, true],
  ])('%s', (_, change, nowMs, marked, unmarked) => {
    expect(isFor(holdWith(change), true, nowMs)).toBe(marked);
    expect(isFor(holdWith(change), false, nowMs)).toBe(unmarked);
  });

  it('have nothing of a request that went on, whose answer was denied', () => {
    const change: Partial<Hold> = { phase: 'request', deliveryAttempts: 1, outcome: 'denied' };
    expect(isFor(holdWith(change), true, 0)).toBe(false);
  });
});
