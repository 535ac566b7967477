import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { systemRandom } from '../../../src/core/clock.ts';
import { loadKeys } from '../../../src/store/keys.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-keys-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const freshDir = (): string => join(root, `keys-${++made}`);
const load = (dir: string, create: boolean) => loadKeys(dir, create, systemRandom);
const refused = expect.objectContaining({ code: 'config_invalid' });

it('are made on the first start, for their owner alone, and are the same ones ever after', () => {
  const dir = freshDir();
  const keys = load(dir, true);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  expect(readdirSync(dir).sort()).toEqual(['kek.key', 'signing.pem']);
  for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
  for (const again of [load(dir, true), load(dir, false)]) {
    expect(again.kek.key.equals(keys.kek.key)).toBe(true);
    expect(again.signingKey.equals(keys.signingKey)).toBe(true);
  }
});

it('are finished when a first start died between the two', () => {
  const dir = freshDir();
  const { signingKey } = load(dir, true);
  rmSync(join(dir, 'kek.key'));
  expect(load(dir, true).signingKey.equals(signingKey)).toBe(true);
});

it.each(['signing.pem', 'kek.key'])(
  'are refused for an existing ledger without %s, and nothing is made',
  (name) => {
    const dir = freshDir();
    load(dir, true);
    rmSync(join(dir, name));
    const before = readdirSync(dir);
    expect(() => load(dir, false)).toThrow(refused);
    expect(readdirSync(dir)).toEqual(before);
  },
);

it('are refused for an existing ledger when the directory is gone, and it is not made', () => {
  const dir = freshDir();
  expect(() => load(dir, false)).toThrow(refused);
  expect(() => statSync(dir)).toThrow();
});

it.each(['signing.pem', 'kek.key'])('are refused when %s cannot be read', (name) => {
  const dir = freshDir();
  load(dir, true);
  rmSync(join(dir, name));
  mkdirSync(join(dir, name));
  expect(() => load(dir, false)).toThrow(refused);
});

it.each([
  ['signing.pem', ''],
  ['signing.pem', 'not a key'],
  [
    'signing.pem',
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  ],
  ['signing.pem', generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })],
  ['kek.key', ''],
  ['kek.key', Buffer.alloc(31).toString('base64')],
  ['kek.key', Buffer.alloc(33).toString('base64')],
])('are refused when %s holds %j', (name, text) => {
  const dir = freshDir();
  load(dir, true);
  writeFileSync(join(dir, name), text);
  expect(() => load(dir, false)).toThrow(refused);
  expect(readFileSync(join(dir, name), 'utf8')).toBe(text);
});
