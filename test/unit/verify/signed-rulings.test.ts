import { describe, expect, it } from 'vitest';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { brokenOrders, brokenSigned, built, intactSigned } from '../../support/signed-ledger.ts';

const found = async (make: Parameters<typeof built>[0], opened = true): Promise<readonly string[]> => {
  const builder = built(make);
  const verdict = await verifyLedger(builder.source(), opened ? { openBody: builder.kek } : {});
  return verdict.findings.map(({ code, seq }) => `${code} at ${seq}`);
};

describe('signed rulings', () => {
  it.each(Object.keys(intactSigned))('verify: %s', async (name) => {
    expect(await found(intactSigned[name] ?? (() => undefined))).toEqual([]);
  });

  it.each(Object.keys(brokenSigned))(
    'are found out without any key but the ledger’s own: %s',
    async (name) => {
      const [make, code] = brokenSigned[name] ?? [() => undefined, ''];
      expect((await found(make, false))[0]).toBe(code);
    },
  );

  it.each(Object.keys(brokenOrders))('are found out once bodies are opened: %s', async (name) => {
    const make = brokenOrders[name] ?? (() => undefined);
    expect(await found(make)).toEqual(['ruling_order_mismatch at 5']);
    expect(await found(make, false)).toEqual([]);
  });
});
