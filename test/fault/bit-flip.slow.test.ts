import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { endAll } from '../support/endings.ts';
import { makeRealLedgers, placesIn, type RealLedgers, verifyFlips } from './real-ledger.ts';

vi.mock('tweetnacl', async (original) => {
  const { fastVerify } = await import('../property/verify/fast-ed25519.ts');
  // The rest as it is: test files share their modules.
  const { default: nacl } = await original<{ default: typeof import('tweetnacl') }>();
  return {
    default: { ...nacl, sign: { ...nacl.sign, detached: { ...nacl.sign.detached, verify: fastVerify } } },
  };
});

let ledgers: RealLedgers;
beforeAll(async () => {
  ledgers = await makeRealLedgers();
}, 60_000);
afterAll(async () => {
  await endAll();
  ledgers.remove();
});

// Every byte as a crash leaves them; of the other, which has the same entries and a few more, each fourth.
it.each([
  ['killed', 1],
  ['stopped', 4],
] as const)(
  'a real ledger, %s, each %i. byte: a flipped bit is found, or held nothing that was sealed',
  async (name, step) => {
    const startedMs = performance.now();
    const ledger = ledgers.all.find((made) => made.name === name);
    if (ledger === undefined) throw new Error(`there is no ${name} ledger`);
    const places = placesIn(ledger).filter(({ byte }) => byte % step === 0);
    const report = await verifyFlips(ledger, places);
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    process.stdout.write(`bit flips, ${name}: ${JSON.stringify({ ...report, seconds })}\n`);
    expect(report.wrong).toEqual([]);
    expect(report.flips).toBe(places.length);
  },
);
