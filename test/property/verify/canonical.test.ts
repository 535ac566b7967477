import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Json, parseCanonical } from '../../../src/ledger/verify/canonical.ts';
import { canonicalize } from '../../support/ledger-builder.ts';

const asciiKey = fc.string({ unit: 'grapheme-ascii', maxLength: 8 });
// Lone surrogates have no UTF-8, so they cannot be in a leaf.
const text = fc.string({ unit: 'binary', maxLength: 20 });
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.boolean(),
    fc.maxSafeInteger().map((integer) => (Object.is(integer, -0) ? 0 : integer)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(asciiKey, tie('value'), { maxKeys: 5 }),
  ),
}));

describe('the canonical reading', () => {
  it('gives back what was written canonically', () => {
    fc.assert(
      fc.property(value, (written) => {
        const reading = parseCanonical(Buffer.from(canonicalize(written)));
        expect(reading.kind).toBe('canonical');
        if (reading.kind === 'canonical') expect(canonicalize(reading.value)).toBe(canonicalize(written));
      }),
    );
  });

  it('accepts bytes only when writing their value again gives the same bytes', () => {
    const mutated = fc
      .tuple(value, fc.nat(), fc.constantFrom(' ', '0', '"', '\\', ',', '{}', '-', 'e', '\u0000', '\ufeff'))
      .map(([written, at, inserted]) => {
        const whole = canonicalize(written);
        const split = at % (whole.length + 1);
        return whole.slice(0, split) + inserted + whole.slice(split);
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.json(), text), (candidate) => {
        const bytes = Buffer.from(candidate);
        const reading = parseCanonical(bytes);
        if (reading.kind === 'canonical')
          expect(Buffer.from(canonicalize(reading.value)).equals(bytes)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads a key the same whatever was read before, also one of quotes and escapes', () => {
    const alikeKey = fc.string({ unit: fc.constantFrom('a', 'b', '"', '\\', '/'), maxLength: 4 });
    const objects = fc.array(fc.dictionary(alikeKey, fc.boolean(), { maxKeys: 3 }), { maxLength: 6 });
    fc.assert(
      fc.property(objects, (written) => {
        const readings = written.map((object) => parseCanonical(Buffer.from(canonicalize(object))));
        expect(readings).toEqual(written.map((object) => ({ kind: 'canonical', value: object })));
      }),
      { numRuns: 1000 },
    );
  });

  it('says something of any bytes without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(['canonical', 'not_canonical', 'malformed']).toContain(parseCanonical(bytes).kind);
      }),
    );
  });
});
