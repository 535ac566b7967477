/** A key never comes back in an answer, however the answer is cut; everything else comes back as it was. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayRepeat, starring, withholding } from '../../../src/proxy/withhold.ts';

const key = 'sk-aab-aac';
const stars = '*'.repeat(key.length);

/** All that goes on of these pieces. */
function passedOn(pieces: readonly string[], secret: string | undefined = key): string {
  const withhold = withholding(secret);
  const parts = pieces.map((piece) => withhold.next(Buffer.from(piece)));
  return Buffer.concat([...parts, withhold.end()]).toString();
}

test('wherever it is cut, the key is starred and all else is as it was', () => {
  const piece = fc.constantFrom(key, 'sk-', 'sk-aa', 'a', 'text ', 'sk-aab-aasa', '*');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(8), { maxLength: 60 }), (texts, cuts) => {
      const text = `${texts.join('')}.`;
      const pieces: string[] = [];
      let at = 0;
      for (const length of cuts) {
        pieces.push(text.slice(at, at + length));
        at += length;
      }
      expect(passedOn([...pieces, text.slice(at)])).toBe(text.replaceAll(key, stars));
    }),
  );
});

test('what cannot be the key’s beginning is not kept back', () => {
  const withhold = withholding(key);
  expect(withhold.next(Buffer.from('data: {}\n\n')).toString()).toBe('data: {}\n\n');
  expect(withhold.next(Buffer.from('no sk')).toString()).toBe('no ');
  expect(withhold.next(Buffer.from('y')).toString()).toBe('sky');
});

test('an answer that ends within the key does not tell its beginning; one that ends in a letter of it is whole', () => {
  expect(passedOn(['x sk-aab-aa'])).toBe(`x ${'*'.repeat(9)}`);
  expect(passedOn(['thanks'])).toBe('thanks');
});

test('eight of its first characters at the end of an answer tell it, seven do not', () => {
  expect(passedOn(['x sk-aab-'])).toBe('x sk-aab-');
  expect(passedOn(['x sk-aab-a'])).toBe(`x ${'*'.repeat(8)}`);
});

test('what was kept back to the end is said once', () => {
  const withhold = withholding(key);
  withhold.next(Buffer.from('thanks'));
  expect([withhold.end().toString(), withhold.end().toString()]).toEqual(['s', '']);
});

test('the provider’s own bytes are not written over', () => {
  const chunk = Buffer.from(`a ${key}`);
  withholding(key).next(chunk);
  expect(chunk.toString()).toBe(`a ${key}`);
});

test('header values are kept clean too, and without a key nothing is touched', () => {
  expect(withholding(key).fields(['X', `a${key}b`])).toEqual(['X', `a${stars}b`]);
  const chunk = Buffer.from(key);
  for (const none of [undefined, '']) expect(withholding(none).next(chunk)).toBe(chunk);
});

test('a text of the head has stars for it', () => {
  expect(withholding(key).text(`No ${key}`)).toBe(`No ${stars}`);
});

test('a key of other letters is found as it goes over the wire, a byte for each', () => {
  const foreign = 'schlüssel-für-alles';
  const sent = Buffer.from(foreign, 'latin1');
  const starred = '*'.repeat(foreign.length);
  expect(withholding(foreign).next(sent).toString('latin1')).toBe(starred);
  expect(starring(foreign)(sent).toString('latin1')).toBe(starred);
  expect(mayRepeat(foreign, '', sent, 1024)).toBe(true);
});

describe('of what comes compressed', () => {
  const decodedBytesMax = 1024;

  test('an answer without the key may go on, and one with it may not', () => {
    expect(mayRepeat(key, 'gzip', gzipSync('fine'), decodedBytesMax)).toBe(false);
    expect(mayRepeat(key, 'gzip', gzipSync(`no ${key}`), decodedBytesMax)).toBe(true);
  });

  test('an answer that cannot be read, or is too large to be, may have the key in it', () => {
    expect(mayRepeat(key, 'gzip', Buffer.from('no gzip'), decodedBytesMax)).toBe(true);
    expect(mayRepeat(key, 'unheard-of', Buffer.from('fine'), decodedBytesMax)).toBe(true);
    expect(mayRepeat(key, 'gzip', gzipSync('x'.repeat(decodedBytesMax + 1)), decodedBytesMax)).toBe(true);
  });

  test('an answer without a body cannot have it, whatever coding it names', () => {
    expect(mayRepeat(key, 'unheard-of', Buffer.alloc(0), decodedBytesMax)).toBe(false);
  });
});

describe('where nothing may wait', () => {
  const secret = 'sk-REAL-0123456789abcdef';
  const through = (text: string, at: readonly number[]): string => {
    const star = starring(secret);
    const bytes = Buffer.from(text, 'latin1');
    const ends = [...at.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
    return ends.map((end, i) => star(bytes.subarray(ends[i - 1] ?? 0, end)).toString('latin1')).join('');
  };

  test('the key is starred, but for fewer characters than would tell it where it comes in pieces', () => {
    const parts = fc.array(fc.constantFrom('x', 's', 'sk-', 'sk-REAL-0', secret, secret.slice(1)));
    fc.assert(
      fc.property(parts, fc.array(fc.nat(), { maxLength: 6 }), (texts, at) => {
        const text = texts.join('');
        const passed = through(text, at);
        expect(passed).toHaveLength(text.length);
        expect(passed).not.toContain(secret.slice(0, 12));
        for (let i = 0; i < text.length; i += 1) expect(['*', text[i]]).toContain(passed[i]);
      }),
    );
  });

  test('eight of its first characters are starred, seven go on as they are', () => {
    expect(through('x sk-REAL', [])).toBe('x sk-REAL');
    expect(through('x sk-REAL-', [])).toBe(`x ${'*'.repeat(8)}`);
  });

  test('each piece that follows its first eight characters is starred, wherever it is cut', () => {
    for (let at = 8; at < secret.length; at += 1)
      expect(through(secret, [at])).toBe('*'.repeat(secret.length));
  });

  test('two of it that share characters are both starred', () => {
    expect(starring('abcab')(Buffer.from('-abcabcab-')).toString()).toBe('-********-');
  });

  test('bytes without it are what they were', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.nat(), { maxLength: 6 }), (text, at) => {
        const plain = Buffer.from(text.replaceAll('sk-', '')).toString('latin1');
        expect(through(plain, at)).toBe(plain);
      }),
    );
  });
});
