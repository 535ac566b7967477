import { expect, it, vi } from 'vitest';
import { makeRealLedgers, placesIn, verifyFlips } from './real-ledger.ts';

vi.mock('tweetnacl', async () => {
  const { fastVerify } = await import('../property/verify/fast-ed25519.ts');
  return { default: { sign: { detached: { verify: fastVerify } } } };
});

it('every byte of every file of a real ledger: a flipped bit is found, or held nothing that was sealed', async () => {
  const ledgers = await makeRealLedgers();
  for (const ledger of ledgers.all) {
    const startedMs = performance.now();
    const report = await verifyFlips(ledger, placesIn(ledger));
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    process.stdout.write(`bit flips, ${ledger.name}: ${JSON.stringify({ ...report, seconds })}\n`);
    expect(report.wrong).toEqual([]);
  }
  ledgers.remove();
});
