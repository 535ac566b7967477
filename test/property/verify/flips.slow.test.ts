import { expect, it, vi } from 'vitest';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { builder, mayPassUnnoticed, nameOf, places, verifyFlipped } from './flipped-ledger.ts';

vi.mock('tweetnacl', async (original) => {
  const { fastVerify } = await import('./fast-ed25519.ts');
  // The rest as it is: test files share their modules.
  const { default: nacl } = await original<{ default: typeof import('tweetnacl') }>();
  return {
    default: { ...nacl, sign: { ...nacl.sign, detached: { ...nacl.sign.detached, verify: fastVerify } } },
  };
});

it('every single bit of every record is covered by the verification that is said to cover it', async () => {
  const strict = { everySignature: true, openBody: builder.kek };
  const unnoticed: string[] = [];
  for (const place of places) {
    for (let bit = 0; bit < 8; bit += 1) {
      const { ok } = await verifyFlipped(verifyLedger, place, bit, mayPassUnnoticed(place) ? strict : {});
      if (ok) unnoticed.push(nameOf(place, bit));
    }
  }
  expect(unnoticed).toEqual([]);
});
