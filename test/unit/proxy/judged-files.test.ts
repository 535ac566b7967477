import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { fileCommitment } from '../../../src/proxy/judged-files.ts';

const key = Buffer.alloc(32, 7);
const origin = 'https://api.openai.com';
const of = (...said: readonly [string, string, string]) => fileCommitment(key, ...said);

it('ties a file to who uploaded it as the format says', () => {
  const message = Buffer.concat([
    Buffer.from('holdpoint/file/1\0'),
    ...[origin, 'Bearer sk-1', 'file-ä'].flatMap((text) => {
      const bytes = Buffer.from(text);
      return [Buffer.from([0, 0, 0, bytes.length]), bytes];
    }),
  ]);
  const expected = createHmac('sha256', key).update(message).digest('hex');
  expect(of(origin, 'Bearer sk-1', 'file-ä')).toBe(expected);
});

it('is another for any other place, credential or id, wherever one ends and the next begins', () => {
  const all = [
    of(origin, 'Bearer sk-1', 'file-1'),
    of('https://api.example', 'Bearer sk-1', 'file-1'),
    of(origin, 'Bearer sk-2', 'file-1'),
    of(origin, 'Bearer sk-1', 'file-2'),
    of(origin, 'Bearer sk-1f', 'ile-1'),
    of(origin, '', 'file-1'),
    fileCommitment(Buffer.alloc(32, 8), origin, 'Bearer sk-1', 'file-1'),
  ];
  expect(new Set(all).size).toBe(all.length);
});
