import fc from 'fast-check';
import { expect, it } from 'vitest';
import { signerOf } from '../../../src/ledger/checkpoint.ts';
import { createLedgerUnderTest, exchange, signingKey, signingKeyOf } from '../../fault/ledger-under-test.ts';

type Act = 'call' | 'calls' | 'rotate' | 'restart';
const acts = fc.array(fc.constantFrom<Act>('call', 'calls', 'rotate', 'restart'), { maxLength: 14 });
const ignore = (): void => undefined;

it('every chain of rotations verifies, whichever of its keys is trusted', async () => {
  await fc.assert(
    fc.asyncProperty(acts, fc.nat(), async (history, pick) => {
      const house = createLedgerUnderTest();
      const keys = [signingKey];
      const open = () => house.open({ otherSigningKeys: keys.slice(-2) });
      let ledger = await open();
      for (const act of history) {
        if (act === 'call') await exchange(ledger, ignore);
        if (act === 'calls') await Promise.all([1, 2, 3].map(() => exchange(ledger, ignore)));
        if (act === 'rotate') {
          const key = signingKeyOf(`key ${keys.length}`);
          keys.push(key);
          const call = exchange(ledger, ignore);
          await ledger.rotateSigningKey(key, { by: 'olga', reason: '' });
          await call;
        }
        if (act !== 'restart') continue;
        await ledger.close('restart');
        ledger = await open();
      }
      await ledger.close('done');
      const chain = keys.map((key) => signerOf(ledger.origin, key).verifierKey);
      const trusted = chain[pick % chain.length] ?? '';
      const verdict = await house.verify({ trustedKeys: [trusted] });
      expect(verdict.findings).toEqual([]);
      expect(verdict.keys.map(({ key }) => key)).toEqual(chain);
      expect(verdict.trusted).toEqual([trusted]);
    }),
    { numRuns: 12 },
  );
});
