/** The quick reading of a leaf against the slow one: it may leave a leaf to it, and never says anything else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLeaf, readLeafByField } from '../../../src/ledger/verify/leaf.ts';
import { scanLeaf } from '../../../src/ledger/verify/scan-leaf.ts';
import { buildFullLedger, decodeBlock } from '../../support/ledger-builder.ts';

const leaves = buildFullLedger().records.flatMap(({ key, value }) =>
  key[8] === 1 ? decodeBlock(Buffer.from(value)).leaves.map(String) : [],
);
const leaf = fc.constantFrom(...leaves);
const inserted = fc.constantFrom(
  '',
  ' ',
  '0',
  '-',
  '1',
  '"',
  '\\',
  ',',
  '{}',
  'a',
  'F',
  '\u0000',
  'é',
  ',"a":1',
  '[]',
);

describe('the quick reading of a leaf', () => {
  it('reads every entry that the sealing side writes, as the slow one does', () => {
    expect(new Set(leaves.map((text) => JSON.parse(text).type)).size).toBeGreaterThan(10);
    for (const text of leaves) {
      const bytes = Buffer.from(text);
      expect(scanLeaf(bytes)).not.toBe(undefined);
      expect(scanLeaf(bytes)).toEqual(readLeafByField(bytes));
    }
  });

  it('reads no leaf that the slow one reads otherwise or refuses, whatever is cut out of it or put into it', () => {
    fc.assert(
      fc.property(leaf, fc.nat(), fc.nat({ max: 3 }), inserted, (text, at, cut, between) => {
        const from = at % text.length;
        const bytes = Buffer.from(text.slice(0, from) + between + text.slice(from + cut));
        const read = scanLeaf(bytes);
        if (read !== undefined) expect(read).toEqual(readLeafByField(bytes));
        expect(readLeaf(bytes)).toEqual(readLeafByField(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  it('is not misled by what it read before', () => {
    fc.assert(
      fc.property(
        leaf,
        leaf,
        fc.nat(),
        fc.constantFrom('at', 'boot', 'kid', 'ledger'),
        (one, other, digit, field) => {
          const changed = JSON.parse(other);
          const value = String(changed[field]);
          const place = digit % value.length;
          changed[field] =
            value.slice(0, place) + (value[place] === '1' ? '2' : '1') + value.slice(place + 1);
          readLeaf(Buffer.from(one));
          const bytes = Buffer.from(JSON.stringify(changed));
          expect(readLeaf(bytes)).toEqual(readLeafByField(bytes));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
