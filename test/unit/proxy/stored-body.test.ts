/** What is stored of a body: without the credentials that its API takes in it, and still a whole message. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { storedRequest } from '../../../src/proxy/stored-body.ts';

const path = '/v1/responses';
const decodedBytesMax = 64 * 1024;
const asking = (authorization: string): string =>
  JSON.stringify({ model: 'gpt-4.1', tools: [{ type: 'mcp', server_url: 'https://a.test', authorization }] });
const stored = (headers: readonly string[], body: string | Buffer) => {
  const {
    headers: kept,
    body: bytes,
    removed,
  } = storedRequest(path, headers, Buffer.from(body), decodedBytesMax);
  return { kept, text: bytes.toString('latin1'), removed };
};

test('a body without a credential is stored as it came, its coding too', () => {
  const headers = ['Content-Encoding', 'gzip'];
  const zipped = gzipSync('{"model":"gpt-4.1"}');
  expect(stored(headers, zipped)).toEqual({ kept: headers, text: zipped.toString('latin1'), removed: 0 });
});

test('one from which a credential was taken is stored plainly, and says so', () => {
  const headers = ['Content-Type', 'application/json', 'Content-Encoding', 'gzip'];
  const { kept, text, removed } = stored(headers, gzipSync(asking('SECRET')));
  expect(kept).toEqual(['Content-Type', 'application/json']);
  expect([JSON.parse(text), removed]).toEqual([JSON.parse(asking('[removed]')), 1]);
});

test('one whose coding nobody can undo is stored as the reason why it was refused', () => {
  const headers = ['Content-Encoding', 'gzip'];
  expect(stored(headers, 'no gzip')).toEqual({ kept: headers, text: 'no gzip', removed: 0 });
});

describe('of a form', () => {
  const formOf = (boundary: string, ...parts: string[]): string =>
    `${parts.map((part) => `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;

  test.each([
    ['plain', 'b1', 'b1'],
    ['quoted', 'b 1', '"b 1"'],
  ])(
    'every part is looked into, whatever stands in those before: its boundary is %s',
    (_how, boundary, written) => {
      const body = formOf(boundary, '{"unfinished', asking('SECRET'), asking('ANOTHER'));
      const { text, removed } = stored(['Content-Type', `multipart/form-data; boundary=${written}`], body);
      expect(removed).toBe(2);
      expect(text).toBe(body.replace(/SECRET|ANOTHER/g, '[removed]'));
    },
  );
});
