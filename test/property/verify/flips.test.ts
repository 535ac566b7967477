import { describe, expect, it, vi } from 'vitest';
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

const strict = { everySignature: true, openBody: builder.kek };
const bitOf = (index: number): number => index % 8;

describe('one flipped bit', () => {
  it('is noticed in every byte that the plain verification vouches for', async () => {
    const unnoticed: string[] = [];
    for (const [index, place] of places.entries()) {
      // A seventh of the bytes, and every bit position among them; the slow test takes all.
      if (mayPassUnnoticed(place) || index % 7 !== 0) continue;
      const { ok } = await verifyFlipped(verifyLedger, place, bitOf(index));
      if (ok) unnoticed.push(nameOf(place, bitOf(index)));
    }
    expect(unnoticed).toEqual([]);
  });

  it('is noticed in the remaining bytes with every signature and the key-encryption key', async () => {
    const unnoticed: string[] = [];
    for (const [index, place] of places.entries()) {
      if (!mayPassUnnoticed(place) || index % 3 !== 0) continue;
      const { ok } = await verifyFlipped(verifyLedger, place, bitOf(index), strict);
      if (ok) unnoticed.push(nameOf(place, bitOf(index)));
    }
    expect(unnoticed).toEqual([]);
  });

  it('passes the plain verification somewhere in each range that is said to be uncovered', async () => {
    const passed = new Set<string>();
    for (const [index, place] of places.entries()) {
      if (!mayPassUnnoticed(place)) continue;
      const { ok } = await verifyFlipped(verifyLedger, place, bitOf(index));
      const kind = builder.records[place.record]?.key[8];
      if (ok)
        passed.add(
          kind === 1 ? 'signature' : place.byte < 13 ? 'kekId' : place.byte < 25 ? 'nonce' : 'wrapped',
        );
    }
    expect([...passed].sort()).toEqual(['kekId', 'nonce', 'signature', 'wrapped']);
  });
});
