import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize, type Json, type JsonObject } from '../../../src/ledger/canonical.ts';
import {
  closeLeaf,
  decodeLeaf,
  draftLeaf,
  type Entry,
  encodeLeaf,
  entryTypes,
} from '../../../src/ledger/entry.ts';
import { parseCanonical } from '../../../src/ledger/verify/canonical.ts';

const asciiKey = fc.stringMatching(/^[\x20-\x7e]{0,8}$/);
/** Any string a program can hold, lone surrogates and control characters included. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
);
const integer = fc.maxSafeInteger().map((value) => (Object.is(value, -0) ? 0 : value));
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.boolean(),
    integer,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(asciiKey, tie('value'), { maxKeys: 5 }),
  ),
}));
const object: fc.Arbitrary<JsonObject> = fc.dictionary(asciiKey, value, { maxKeys: 5 });

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const part = fc.record({ c: hex(64), e: hex(64), name: fc.stringMatching(/^[a-z]{1,16}$/), size: fc.nat() });
const entry: fc.Arbitrary<Entry> = fc.record({
  at: fc
    .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  boot: hex(16),
  data: object,
  durability: fc.constantFrom('strict', 'relaxed'),
  kid: hex(8),
  ledger: hex(32),
  mono: fc.nat(),
  parts: fc.uniqueArray(part, { selector: ({ name }) => name, maxLength: 4 }),
  prev: hex(64),
  refs: fc.array(fc.nat(), { maxLength: 4 }),
  seq: fc.nat(),
  type: fc.constantFrom(...entryTypes),
  v: fc.constant(1),
});
const asJson = (from: Entry): JsonObject => ({
  ...from,
  parts: from.parts.map((commitment) => ({ ...commitment })),
});

describe('the canonical form', () => {
  it('is a fixpoint: reading and writing it again gives the same bytes', () => {
    fc.assert(
      fc.property(value, (written) => {
        const once = canonicalize(written);
        const read: Json = JSON.parse(once);
        expect(canonicalize(read)).toBe(once);
      }),
    );
  });

  it('is what the independent reader takes for canonical, whatever a caller put into strings', () => {
    fc.assert(
      fc.property(value, (written) => {
        expect(parseCanonical(Buffer.from(canonicalize(written))).kind).toBe('canonical');
      }),
    );
  });

  it('does not depend on the order in which keys were set', () => {
    fc.assert(
      fc.property(object, (written) => {
        const reversed = Object.fromEntries(Object.entries(written).reverse());
        expect(canonicalize(reversed)).toBe(canonicalize(written));
      }),
    );
  });

  const deep = (levels: number): Json => (levels === 0 ? [] : [deep(levels - 1)]);
  it.each<[string, Json]>([
    ['a fraction', 0.5],
    ['an integer that others may round', 2 ** 53],
    ['no number', Number.NaN],
    ['a gap in an array', new Array<Json>(1)],
    ['a key beyond ASCII', { ä: 1 }],
    ['33 levels', deep(32)],
  ])('of %s is refused, whatever stands around it', (_, refused) => {
    expect(() => canonicalize(refused)).toThrow(RangeError);
    expect(() => canonicalize({ a: 1, b: [refused] })).toThrow(RangeError);
    expect(() => canonicalize({ b: refused, a: 1 })).toThrow(RangeError);
  });

  it('has up to 32 levels', () => {
    expect(canonicalize(deep(31))).toBe('['.repeat(32) + ']'.repeat(32));
  });

  it('of minus zero is zero, and of a member that is not there nothing', () => {
    const absent: Record<string, Json> = JSON.parse('{"a":0,"b":1}');
    Reflect.set(absent, 'a', undefined);
    expect([canonicalize(-0), canonicalize({ z: -0, a: 1 }), canonicalize(absent)]).toEqual([
      '0',
      '{"a":1,"z":0}',
      '{"b":1}',
    ]);
  });

  it('of a lone surrogate is the replacement character, which has UTF-8', () => {
    expect(canonicalize('cut \ud83d')).toBe('"cut \ufffd"');
  });

  it.each<[string, unknown]>([
    ['a fraction', 0.5],
    ['null', null],
    ['infinity', Number.POSITIVE_INFINITY],
    ['an integer beyond 2^53 - 1', 2 ** 53],
    ['a key outside ASCII', { é: 1 }],
    ['a control character in a key', { 'a\nb': 1 }],
    ['a gap in an array', [1, undefined]],
    ['nesting beyond 32', JSON.parse('['.repeat(33) + ']'.repeat(33))],
  ])('does not exist for %s', (_name, refused) => {
    const write: (value: never) => string = canonicalize;
    expect(() => Reflect.apply(write, undefined, [refused])).toThrow();
  });

  it('exists for nesting of exactly 32', () => {
    const deepest = '['.repeat(32) + ']'.repeat(32);
    expect(canonicalize(JSON.parse(deepest))).toBe(deepest);
    expect(parseCanonical(Buffer.from(deepest)).kind).toBe('canonical');
  });
});

describe('a leaf', () => {
  it('is the canonical form of its entry', () => {
    fc.assert(
      fc.property(entry, (written) => {
        expect(encodeLeaf(written).toString()).toBe(canonicalize(asJson(written)));
      }),
    );
  });

  it('is as long as its draft says before its parts are encrypted', () => {
    fc.assert(
      fc.property(entry, (written) => {
        const leaf = draftLeaf(written, written.parts);
        expect(closeLeaf(leaf, written.parts, written.prev).length).toBe(leaf.bytes);
      }),
    );
  });

  it('is read back to the entry it was made of', () => {
    fc.assert(
      fc.property(entry, (written) => {
        const leaf = encodeLeaf(written);
        expect(encodeLeaf(decodeLeaf(leaf)).equals(leaf)).toBe(true);
      }),
    );
  });

  it('is refused with any one byte changed to something that is not another entry in canonical form', () => {
    fc.assert(
      fc.property(entry, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, at, mask) => {
        const leaf = encodeLeaf(written);
        const place = at % leaf.length;
        leaf[place] = (leaf[place] ?? 0) ^ mask;
        let read: Entry;
        try {
          read = decodeLeaf(leaf);
        } catch {
          return;
        }
        // It is then exactly the other entry's one form: no second reading of the same bytes.
        expect(encodeLeaf(read).equals(leaf)).toBe(true);
      }),
    );
  });

  it('takes no more than 65 536 bytes, no two parts of one name, and no more than 256 parts', () => {
    const [some] = fc.sample(entry, { numRuns: 1, seed: 1 });
    if (some === undefined) throw new Error('no sample');
    const commitment = { c: '', e: '', name: 'a', size: 0 };
    expect(() => encodeLeaf({ ...some, data: { text: 'x'.repeat(65_536) } })).toThrow(RangeError);
    expect(() => encodeLeaf({ ...some, parts: [commitment, commitment] })).toThrow(RangeError);
    const many = Array.from({ length: 257 }, (_, index) => ({ ...commitment, name: `p${index}` }));
    expect(() => encodeLeaf({ ...some, parts: many })).toThrow(RangeError);
  });
});
