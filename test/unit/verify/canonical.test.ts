import { describe, expect, it } from 'vitest';
import { depthMax, parseCanonical } from '../../../src/ledger/verify/canonical.ts';

const read = (text: string | Uint8Array) =>
  parseCanonical(typeof text === 'string' ? Buffer.from(text) : text);

describe('the canonical reading', () => {
  it('gives the value of canonical bytes', () => {
    const value = { '10': 1, '9': -2, a: ['x', true, false, { b: 'é\u2028\u007f' }], z: '\n\u0001"\\' };
    const text = '{"10":1,"9":-2,"a":["x",true,false,{"b":"é\u2028\u007f"}],"z":"\\n\\u0001\\"\\\\"}';
    expect(read(text)).toEqual({ kind: 'canonical', value });
  });

  it('keeps a key named __proto__ as a plain key', () => {
    const reading = read('{"__proto__":{"v":1}}');
    expect(reading).toMatchObject({ kind: 'canonical' });
    expect(Object.keys(reading.kind === 'canonical' ? Object(reading.value) : {})).toEqual(['__proto__']);
  });

  it.each([
    ['a space', '{"a": 1}'],
    ['a line end after it', '{"a":1}\n'],
    ['keys out of order', '{"b":1,"a":2}'],
    ['a repeated key', '{"a":1,"a":1}'],
    ['an escaped solidus', '{"a":"\\/"}'],
    ['an escaped letter', '{"a":"\\u0061"}'],
    ['a long escape where a short one exists', '{"a":"\\u000a"}'],
    ['an escape in capitals', '{"a":"\\u001F"}'],
    ['an exponent', '{"a":1e2}'],
    ['a fraction that is none', '{"a":1.0}'],
    ['minus zero', '{"a":-0}'],
  ])('refuses the same value written with %s', (_name, text) => {
    expect(read(text).kind).toBe('not_canonical');
  });

  it.each([
    ['nothing', ''],
    ['null', '{"a":null}'],
    ['a fraction', '{"a":1.5}'],
    ['an integer above 2^53 - 1', '{"a":9007199254740992}'],
    ['a leading zero', '{"a":01}'],
    ['a key that is not ASCII', '{"é":1}'],
    ['a key with a control character, which the sealing side never writes', '{"\\n":1}'],
    ['a key with a delete character', '{"\u007f":1}'],
    ['a bare control character', '{"a":"\u0001"}'],
    ['a trailing comma', '{"a":1,}'],
    ['an end inside a string', '{"a":"b'],
    ['a second value', '{}{}'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['a byte order mark', '\ufeff{}'],
    ['nesting past the bound', '['.repeat(depthMax + 1) + ']'.repeat(depthMax + 1)],
    ['nesting past any stack', '['.repeat(65_536)],
  ])('refuses %s', (_name, text) => {
    expect(read(text).kind).toBe('malformed');
  });

  it('reads nesting up to the bound', () => {
    expect(read('['.repeat(depthMax) + ']'.repeat(depthMax)).kind).toBe('canonical');
  });
});
