import { expect, it, vi } from 'vitest';
import { makeRealLedgers, placesIn, verifyFlips } from './real-ledger.ts';

vi.mock('tweetnacl', async (original) => {
  const { fastVerify } = await import('../property/verify/fast-ed25519.ts');
  // The rest as it is: test files share their modules.
  const { default: nacl } = await original<{ default: typeof import('tweetnacl') }>();
  return {
    default: { ...nacl, sign: { ...nacl.sign, detached: { ...nacl.sign.detached, verify: fastVerify } } },
  };
});

it('every byte of a real ledger: a flipped bit is found, or held nothing that was sealed', async () => {
  const ledgers = await makeRealLedgers();
  for (const ledger of ledgers.all) {
    const startedMs = performance.now();
    // Every byte as a crash leaves them; of the other, which has the same entries and a few more, each fourth.
    const step = ledger.name === 'killed' ? 1 : 4;
    const places = placesIn(ledger).filter(({ byte }) => byte % step === 0);
    const report = await verifyFlips(ledger, places);
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    process.stdout.write(`bit flips, ${ledger.name}: ${JSON.stringify({ ...report, seconds })}\n`);
    expect(report.wrong).toEqual([]);
  }
  ledgers.remove();
});
