/** Where a provider's key comes from, and what becomes of it when its file changes. */
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openProviderKey } from '../../../src/store/provider-key.ts';
import { atEnd, endAll } from '../../support/endings.ts';

let file: string;
let nowMs = 0;
beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-key-'));
  atEnd(() => rmSync(dir, { recursive: true }));
  file = join(dir, 'key');
  nowMs = 1_000_000;
});
afterEach(endAll);

const open = (): (() => string) => openProviderKey('openai', { file }, {}, () => nowMs);

test('comes from the environment, without the white space around it', () => {
  const key = openProviderKey('openai', { env: 'THE_KEY' }, { THE_KEY: ' sk-one\n' }, () => 0);
  expect(key()).toBe('sk-one');
});

test.each([
  { what: 'is not set', env: {} },
  { what: 'is empty', env: { THE_KEY: '  ' } },
  { what: 'would break a header', env: { THE_KEY: 'sk-secret\r\nx: y' } },
  { what: 'holds a sentence', env: { THE_KEY: 'sk-secret and more' } },
])('a variable that $what is refused at the start, and its value never said', ({ env }) => {
  let said = '';
  try {
    openProviderKey('openai', { env: 'THE_KEY' }, env, () => 0);
  } catch (error) {
    said = JSON.stringify(error, Object.getOwnPropertyNames(error));
  }
  expect(said).toContain('upstreams.openai.key');
  expect(said).toContain('THE_KEY');
  expect(said).toContain('config_invalid');
  expect(said).not.toContain('sk-secret');
});

test.each([{ env: 'AIzaSyD_secret' }, { file: 'sk-secret' }])(
  'a key in the place of its own name %j is refused, and not said',
  (place) => {
    const key = (): unknown => openProviderKey('openai', place, {}, () => 0);
    expect(key).toThrow('upstreams.openai.key: the');
    expect(key).not.toThrow('secret');
  },
);

test('a file that is missing is refused at the start', () => {
  expect(open).toThrow(expect.objectContaining({ code: 'config_invalid' }));
});

test('a file is read again when it changes', () => {
  writeFileSync(file, 'sk-one\n');
  const key = open();
  writeFileSync(file, 'sk-two\n');
  nowMs += 1_000;
  expect(key()).toBe('sk-two');
});

test('a file behind a link is read again when the link is swapped, as a Secret’s is', () => {
  const linked = `${file}.link`;
  for (const [i, text] of ['sk-one', 'sk-two'].entries()) writeFileSync(`${file}.${i}`, text);
  symlinkSync(`${file}.0`, linked);
  const key = openProviderKey('openai', { file: linked }, {}, () => nowMs);
  expect(key()).toBe('sk-one');
  symlinkSync(`${file}.1`, `${linked}.new`);
  renameSync(`${linked}.new`, linked);
  nowMs += 1_000;
  expect(key()).toBe('sk-two');
});

test('a file is looked at once a second, not once a call, also when the clock jumped back', () => {
  writeFileSync(file, 'sk-one');
  const key = open();
  writeFileSync(file, 'sk-two');
  nowMs += 999;
  expect(key()).toBe('sk-one');
  nowMs -= 500_000;
  expect(key()).toBe('sk-two');
});

test('a key that was taken away is not used on, and one that is put back is', () => {
  writeFileSync(file, 'sk-one');
  const key = open();
  rmSync(file);
  nowMs += 1_000;
  expect(key).toThrow(expect.objectContaining({ code: 'upstream_unreachable' }));
  writeFileSync(file, 'sk-two');
  expect(key()).toBe('sk-two');
});
