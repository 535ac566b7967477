/** The canonical text by which a retry is told from another request: equal only where every reader sees the same. */
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../src/core/canonical-json.ts';

const canonical = (text: string) => canonicalJson(Buffer.from(text));

test.each([
  ['the order of keys', '{"b":1,"a":[true]}', '{"a":[true],"b":1}'],
  ['spaces', '{ "a" : 1.5 }', '{"a":1.5}'],
  ['escapes', '{"\\u0061":"\\u00e9"}', '{"a":"é"}'],
  ['the spelling of a short number', '{"a":25000.00}', '{"a":25000}'],
])('%s makes no difference', (_name, one, other) => {
  expect(canonical(one)).toBe(canonical(other));
  expect(canonical(one)).not.toBeNull();
});

test.each([
  ['a number beyond all doubles, which is not null', '{"a":1e400}'],
  ['a number too small for a double, which is not 0', '{"a":[1e-400]}'],
  ['an integer that shares its double with others', '{"a":9007199254740993}'],
  ['a fraction that shares its double with an integer', '{"a":25000.0000000000000001}'],
  ['a text that is no JSON', '{"a":'],
])('%s has no canonical text', (_name, text) => {
  expect(canonical(text)).toBeNull();
});
