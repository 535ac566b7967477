/** Ledgers validly signed, and what both verifiers find of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLedgerBuilder, type LedgerBuilder } from '../support/ledger-builder.ts';
import { type Folder, makeFolder, streamOf } from './ledgers.ts';
import { missing, ours, second } from './opinions.ts';

/** Its name, what is sealed after the genesis, and each finding as `code at seq`. */
export type Scenario = readonly [
  name: string,
  seal: (builder: LedgerBuilder) => void,
  found: readonly string[],
];

/** A test for each: both find that and no more. */
export function bothFind(scenarios: readonly Scenario[]): void {
  describe.skipIf(missing.length > 0)('verify.py and our verifier', () => {
    let folder: Folder;
    beforeAll(() => {
      folder = makeFolder();
    });
    afterAll(() => folder.remove());

    it.each(scenarios)('say alike: %s', async (name, seal, found) => {
      const builder = createLedgerBuilder();
      builder.genesis();
      seal(builder);
      builder.commit();
      const bytes = streamOf(builder.records);
      const file = folder.write(name.replaceAll(/\W/g, '-'), bytes);
      for (const { findings } of [await ours(bytes), await second(file)])
        expect(findings.map(({ code, seq }) => `${code} at ${seq}`)).toEqual(found);
    });
  });
}
