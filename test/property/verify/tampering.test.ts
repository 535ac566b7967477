/** Ledgers tampered with by somebody who has no key: what a verdict that nothing was changed rests on is there. */
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { createNativePrimitives } from '../../../src/ledger/native-primitives.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { tamperedLedger } from '../../second-opinion/mutations.ts';
import { decodeBlock, decodeBodies, type LedgerRecord } from '../../support/ledger-builder.ts';
import { sourceOf } from '../../support/ledger-tampering.ts';

vi.mock('tweetnacl', async (original) => {
  const { fastVerify } = await import('./fast-ed25519.ts');
  // The rest as it is: test files share their modules.
  const { default: nacl } = await original<{ default: typeof import('tweetnacl') }>();
  return {
    default: { ...nacl, sign: { ...nacl.sign, detached: { ...nacl.sign.detached, verify: fastVerify } } },
  };
});

/**
 * What of a record is evidence: of a block its entries, and what its checkpoint states; of bodies what is stored, but not
 * how their keys are wrapped.
 */
function evidenceIn({ key, value }: LedgerRecord): string {
  const bytes = Buffer.from(value);
  const name = Buffer.from(key).toString('hex');
  if (key[8] === 1) {
    const { leaves, note } = decodeBlock(bytes);
    return [name, ...leaves.map(String), note.toString().split('\n\n')[0]].join('\n');
  }
  if (key[8] !== 2) return `${name}\n${bytes.toString('hex')}`;
  const items = decodeBodies(bytes).items.map(
    ({ seq, part, ct }) => `${seq}/${part} ${Buffer.from(ct).toString('hex')}`,
  );
  return [name, ...items].join('\n');
}

it('finds nothing only in a ledger that is there as it was sealed, or up to one of its commits', async () => {
  await fc.assert(
    fc.asyncProperty(tamperedLedger, async ({ before, after }) => {
      const { ok } = await verifyLedger(sourceOf(after), { primitives: createNativePrimitives() });
      if (!ok) return;
      const [whole, found] = [before.map(evidenceIn), after.map(evidenceIn)];
      expect(whole.slice(0, found.length)).toEqual(found);
    }),
    { numRuns: 200 },
  );
});
