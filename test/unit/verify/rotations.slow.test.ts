import { expect, it, vi } from 'vitest';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, signNote } from '../../support/ledger-builder.ts';
import { editBlock, sourceOf } from '../../support/ledger-tampering.ts';

vi.mock('tweetnacl', async (original) => {
  const { fastVerify } = await import('../../property/verify/fast-ed25519.ts');
  // The rest as it is: test files share their modules.
  const { default: nacl } = await original<{ default: typeof import('tweetnacl') }>();
  return {
    default: { ...nacl, sign: { ...nacl.sign, detached: { ...nacl.sign.detached, verify: fastVerify } } },
  };
});

it('a rotation is refused with any bit of its checkpoint flipped', async () => {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.commit();
  builder.rotate('second key');
  builder.commit();
  builder.seal({ type: 'stop', data: { reason: 'x' } });
  builder.commit();
  expect((await verifyLedger(sourceOf(builder.records), {})).ok).toBe(true);
  const { length } = signNote('one', builder.origin, 2, builder.root(2), 'second key');
  const passed: string[] = [];
  for (let at = 0; at < length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const forged = editBlock(builder.records, 1, ({ leaves, note }) => {
        const flipped = Buffer.from(note);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        return { leaves, note: flipped };
      });
      if ((await verifyLedger(sourceOf(forged), {})).ok) passed.push(`byte ${at} bit ${bit}`);
    }
  }
  expect(passed).toEqual([]);
});
