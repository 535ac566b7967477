import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { systemRandom } from '../../../src/core/clock.ts';
import {
  adoptSigningKey,
  destroyKek,
  loadKeys,
  prepareSigningKey,
  replaceKek,
} from '../../../src/store/keys.ts';

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

it.each(['signing.pem', 'kek.key'])('nobody is told to make a new %s for a ledger that has one', (name) => {
  const dir = freshDir();
  load(dir, true);
  writeFileSync(join(dir, name), 'bad');
  const restore = expect.objectContaining({
    next: expect.stringMatching(/^Restore .* A new ledger may have/),
  });
  expect(() => load(dir, false)).toThrow(restore);
});

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

it('keep the key in use while a rotation brings in the next one, which then takes its place whole', () => {
  const dir = freshDir();
  const { signingKey } = load(dir, true);
  const next = prepareSigningKey(dir);
  const during = load(dir, false);
  expect(during.signingKey.equals(signingKey)).toBe(true);
  expect(during.otherSigningKeys.map((key) => key.equals(next))).toEqual([true]);
  expect(statSync(join(dir, 'signing.next.pem')).mode & 0o777).toBe(0o600);
  adoptSigningKey(dir);
  const after = load(dir, false);
  expect([after.signingKey.equals(next), after.otherSigningKeys]).toEqual([true, []]);
  expect(readdirSync(dir).sort()).toEqual(['kek.key', 'signing.pem']);
});

it('keep the key of an earlier epoch by its id, and the fingerprints of callers', () => {
  const dir = freshDir();
  const before = load(dir, true);
  const first = replaceKek(dir, systemRandom);
  const second = replaceKek(dir, systemRandom);
  const after = load(dir, false);
  expect(after.kek.key.equals(second.key)).toBe(true);
  expect(after.retiredKeks.map(({ id }) => id).sort()).toEqual([before.kek.id, first.id].sort());
  expect(after.fingerprintKey.equals(before.fingerprintKey)).toBe(true);
  for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
  destroyKek(dir, first.id);
  expect(load(dir, false).retiredKeks.map(({ id }) => id)).toEqual([before.kek.id]);
});

it('go on with the old epoch when a crash came before the new key was in its place', () => {
  const dir = freshDir();
  const before = load(dir, true);
  const kek = readFileSync(join(dir, 'kek.key'));
  replaceKek(dir, systemRandom);
  writeFileSync(join(dir, 'kek.key'), kek);
  const after = load(dir, false);
  expect([after.kek.id, after.retiredKeks]).toEqual([before.kek.id, []]);
  expect(after.fingerprintKey.equals(before.fingerprintKey)).toBe(true);
});

it('are refused where a retired key is not the one it is named for, or the fingerprint key is gone', () => {
  const dir = freshDir();
  load(dir, true);
  replaceKek(dir, systemRandom);
  const fingerprint = readFileSync(join(dir, 'fingerprint.key'));
  rmSync(join(dir, 'fingerprint.key'));
  expect(() => load(dir, false)).toThrow(refused);
  writeFileSync(join(dir, 'fingerprint.key'), fingerprint);
  writeFileSync(join(dir, 'kek-00000000.key'), readFileSync(join(dir, 'kek.key')));
  expect(() => load(dir, false)).toThrow(refused);
});
