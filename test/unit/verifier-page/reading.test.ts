import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ReasonCode, reasons } from '../../../src/ledger/verify/reasons.ts';
import { adviceOn } from '../../../src/verifier-page/advice.ts';
import { bodyText, shownCharsMax } from '../../../src/verifier-page/body-text.ts';
import { kindOf, linesOf, readKeks, sortFiles } from '../../../src/verifier-page/given.ts';
import { sizeText, stepOf } from '../../../src/verifier-page/words.ts';
import { buildFullLedger } from '../../support/ledger-builder.ts';

const full = buildFullLedger();
const bytesOf = (...parts: readonly (string | Buffer)[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));

const isCode = (code: string): code is ReasonCode => Object.hasOwn(reasons, code);

describe('what a person hands over', () => {
  it.each([
    ['ledger', 'HPJ1\0\0\0\0'],
    ['proof', 'c2sp.org/tlog-proof@v1\nindex 1\n'],
    ['highWater', full.highWater()],
    ['trustedKeys', `# ours\n${full.verifierKey}\n${full.verifierKey}\n`],
    ['checkpoint', full.checkpoint()],
    ['kek', `${full.kek.toString('base64')}\n`],
    ['unknown', `${full.kek.toString('base64')} and more`],
    ['private', '-----BEGIN PRIVATE KEY-----\n'],
    ['unknown', 'hello'],
    ['unknown', ''],
  ] as const)('is known as %s by what is in it', (kind, text) => {
    expect(kindOf(text)).toBe(kind);
  });

  it('is a key-encryption key only as 32 bytes in base64', () => {
    expect(readKeks(full.kek.toString('base64'))).toEqual([new Uint8Array(full.kek)]);
    expect(readKeks(full.kek.subarray(1).toString('base64'))).toEqual([]);
    expect(readKeks(full.kek.toString('hex'))).toEqual([]);
  });

  const earlier = Buffer.alloc(32, 7);
  const [first, second] = [earlier, full.kek].map((kek) => kek.toString('base64'));
  it.each([
    ['on a line each', `${first}\n${second}\n`],
    // Who pastes lines into a field of one gets them so.
    ['with nothing between them', `${first}${second}`],
  ])('may be the key-encryption keys of several epochs, %s', (_how, text) => {
    expect(kindOf(text)).toBe('kek');
    expect(readKeks(text)).toEqual([new Uint8Array(earlier), new Uint8Array(full.kek)]);
  });

  it('may be the key-encryption keys of several epochs in a file each', async () => {
    const { given } = await sortFiles([
      new File([`${first}\n`], 'kek-1.key'),
      new File([`${second}`], 'kek.key'),
    ]);
    expect(readKeks(given.kek ?? '')).toHaveLength(2);
  });

  it('may be trusted keys in a file each', async () => {
    const keys = ['one', 'two'].map((seed) => full.keyOf(seed));
    const { given } = await sortFiles(keys.map((key) => new File([key], 'trusted.vkey')));
    expect(linesOf(given.trustedKeys ?? '')).toEqual(keys);
  });
});

describe('a part as text', () => {
  it('is the head and the laid out body of a message', async () => {
    const { head, body } = await bodyText(bytesOf('HTTP/1.1 200 OK\r\na: b\r\n\r\n{"x":1}'));
    expect(head).toBe('HTTP/1.1 200 OK\na: b');
    expect(body).toBe('{\n  "x": 1\n}');
  });

  it('is unpacked where the browser can', async () => {
    const message = bytesOf('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n', gzipSync('hello'));
    expect((await bodyText(message)).body).toBe('hello');
  });

  it('is not unpacked where that fails or cannot be done, and says so', async () => {
    const torn = bytesOf('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n', 'no gzip');
    expect(await bodyText(torn)).toMatchObject({
      body: '',
      remark: expect.stringContaining('cannot be unpacked'),
    });
    const other = bytesOf('HTTP/1.1 200 OK\r\ncontent-encoding: br\r\n\r\n', 'x');
    expect(await bodyText(other)).toMatchObject({
      body: '',
      remark: expect.stringContaining('compressed (br)'),
    });
  });

  it('is cut where it is too long to draw, and nothing where it is no text', async () => {
    const long = await bodyText(bytesOf('x'.repeat(shownCharsMax + 1)));
    expect(long.body.length).toBe(shownCharsMax);
    expect(long.remark).not.toBe('');
    expect(await bodyText(bytesOf(Buffer.of(0xff, 0xfe)))).toMatchObject({ body: '' });
  });
});

describe('the words of the page', () => {
  const codes = Object.keys(reasons).filter(isCode);

  it('have a meaning and advice of whole sentences on every code there is', () => {
    expect(codes.length).toBeGreaterThan(70);
    for (const code of codes) {
      expect(reasons[code], code).toMatch(/^[a-z].*[^.]$/);
      expect(adviceOn(code), code).toMatch(/^[A-Z].*[.)]$/);
    }
  });

  it.each([
    [/^(rotation_|boundary_|key_used_)/, 'signing key'],
    [/^key_revoked$/, 'stolen'],
    [/^(erasure_|legal_hold_)/, 'erased'],
    [/^(body_|bodies_|commitment_)/, 'stored bodies'],
    [/^(response|hold|delivery|outcome)_/, 'explain this decision'],
    [/^ruling_(without|after|digest|role|requester)/, 'explain this decision'],
    [/^(enrolment|ruling_(unsigned|key|signature|statement|order))_?/, 'Ask the reviewer'],
    [/^quorum_/, 'explain this decision'],
    [/^(truncated_|rolled_|witnessed_|anchored_)/, 'not the one that was remembered'],
    [/^(witness|anchor)_missing$/, 'not the operator of this ledger'],
    [/^(key_unknown|signature_invalid)$/, 'keys show'],
    [/^backup_/, 'arrived whole'],
    [/^(proof|inclusion|entry_missing)/, 'ledger prove'],
  ])('advise on %s by what it is about', (form, words) => {
    const family = codes.filter((code) => form.test(code));
    expect(family).not.toEqual([]);
    for (const code of family) expect(adviceOn(code), code).toContain(words);
  });

  it('tell a ruling by what it was, also one of a kind they do not know', () => {
    const ruling = (data: Record<string, string | boolean>) =>
      stepOf({ seq: 1, type: 'ruling', at: '', data, parts: [], json: '', findings: [] });
    expect(ruling({ verdict: 'deny', by: 'rita', role: 'reviewer', final: true })).toEqual({
      title: 'Denied',
      tone: 'bad',
      facts: [
        ['by', 'rita'],
        ['as', 'reviewer'],
      ],
    });
    expect(ruling({ verdict: 'release', final: false }).title).toBe('Released: one approval of several');
    expect(ruling({ verdict: 'constructor', final: true }).title).toBe('Ruled');
  });

  it('give sizes in three figures at most', () => {
    expect([0, 999, 1000, 12_345, 194_000_000].map(sizeText)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '12 kB',
      '194 MB',
    ]);
  });
});
