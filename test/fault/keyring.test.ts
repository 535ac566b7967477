/** Keys in a directory that are changed: whatever fails, what the ledger asks for is on disk, and nothing else for long. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { systemRandom } from '../../src/core/clock.ts';
import { HoldpointError } from '../../src/core/errors.ts';
import { signerOf } from '../../src/ledger/checkpoint.ts';
import { createKeyring } from '../../src/store/keyring.ts';
import {
  destroyKek,
  loadKeks,
  loadKeys,
  noteRetiring,
  prepareSigningKey,
  replaceKek,
  retiringIn,
} from '../../src/store/keys.ts';
import { waitFor } from '../support/wait-for.ts';
import { watchDisk } from './disk-calls.ts';
import { createLedgerUnderTest, exchange } from './ledger-under-test.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const order = { by: 'olga', reason: 'yearly' };
const refused = { code: 'ledger_unavailable' };

/** A ledger whose keys lie in a directory. */
async function withKeysIn() {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-keyring-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const house = createLedgerUnderTest();
  const { signingKey, kek } = loadKeys(dir, true, systemRandom);
  const ledger = await house.open({ signingKey, kek });
  const onUnfinished = (error: unknown): never => {
    throw error;
  };
  const keyring = createKeyring({
    ...{ ledger, signingDir: dir, kekDir: dir, random: systemRandom },
    onUnfinished,
  });
  return { dir, house, ledger, keyring, openBody: new Uint8Array(kek.key) };
}

const filesIn = (dir: string): readonly string[] =>
  readdirSync(dir)
    .sort()
    .map((name) => `${name} ${readFileSync(join(dir, name), 'utf8')}`);

it.each(['before', 'after'] as const)(
  'a rotation that is asked for again while the ledger takes nothing leaves the key that the disk may ask for, where the first failed %s it was written',
  async (fate) => {
    const { dir, house, ledger, keyring, openBody } = await withKeysIn();
    const failing = house.disk.commits();
    house.disk.fateOf = (commit) => (commit === failing ? fate : 'written');
    await expect(keyring.rotateSigning(order)).rejects.toMatchObject(refused);
    const left = filesIn(dir);
    await expect(keyring.rotateSigning(order)).rejects.toMatchObject(refused);
    expect(filesIn(dir)).toEqual(left);
    house.disk.abandon();
    house.indexDisk.abandon();
    const again = await house.open(loadKeys(dir, false, systemRandom));
    await exchange(again, () => undefined);
    await again.close('done');
    expect((await house.verify({ trustedKeys: [ledger.verifierKey], openBody })).findings).toEqual([]);
  },
);

it('a rotation that turned out to be sealed is kept when the next one fails', async () => {
  const { dir, house, ledger, keyring } = await withKeysIn();
  const before = ledger.verifierKey;
  const failing = house.disk.commits();
  house.disk.fateOf = (commit) => (commit === failing ? 'after' : 'written');
  await expect(keyring.rotateSigning(order)).rejects.toMatchObject(refused);
  await vi.advanceTimersByTimeAsync(1000);
  await waitFor(() => expect(ledger.isWritable()).toBe(true));
  expect(ledger.verifierKey).not.toBe(before);
  const next = house.disk.commits();
  house.disk.fateOf = (commit) => (commit === next ? 'before' : 'written');
  await expect(keyring.rotateSigning(order)).rejects.toMatchObject(refused);
  house.disk.abandon();
  house.indexDisk.abandon();
  const again = await house.open(loadKeys(dir, false, systemRandom));
  await again.close('done');
});

it('a key-encryption key is not changed while the ledger takes nothing', async () => {
  const { dir, house, keyring } = await withKeysIn();
  const failing = house.disk.commits();
  house.disk.fateOf = (commit) => (commit === failing ? 'before' : 'written');
  await expect(keyring.rotateSigning(order)).rejects.toMatchObject(refused);
  const left = filesIn(dir);
  await expect(keyring.rotateKek(order)).rejects.toMatchObject(refused);
  expect(filesIn(dir)).toEqual(left);
  house.disk.abandon();
});

it('a rotation puts the new signing key in the place of the old one, and leaves no other', async () => {
  const { dir, ledger, keyring } = await withKeysIn();
  const before = ledger.verifierKey;
  await keyring.rotateSigning(order);
  expect(readdirSync(dir).sort()).toEqual(['kek.key', 'signing.pem']);
  const { signingKey } = loadKeys(dir, false, systemRandom);
  expect(signerOf(ledger.origin, signingKey).verifierKey).toBe(ledger.verifierKey);
  expect(ledger.verifierKey).not.toBe(before);
  await ledger.close('done');
});

it.each([
  ['gets its place at the next start where the ledger is under it', true],
  ['stays beside it where the ledger is not', false],
])('a signing key that a process left beside the one in use %s', async (_what, isSealed) => {
  const { dir, house, ledger } = await withKeysIn();
  const next = prepareSigningKey(dir);
  if (isSealed) await ledger.rotateSigningKey(next, order);
  await ledger.close('done');
  const again = await house.open(loadKeys(dir, false, systemRandom));
  const onUnfinished = (): void => undefined;
  createKeyring({ ledger: again, signingDir: dir, kekDir: dir, random: systemRandom, onUnfinished });
  expect(readdirSync(dir).includes('signing.next.pem')).toBe(!isSealed);
  const { signingKey } = loadKeys(dir, false, systemRandom);
  expect(signerOf(again.origin, signingKey).verifierKey).toBe(again.verifierKey);
  await again.close('done');
});

it('another key-encryption key is in use at once and at the next start, and the one before opens its bodies', async () => {
  const { dir, house, ledger, keyring } = await withKeysIn();
  const decision = await exchange(ledger, () => undefined);
  await keyring.rotateKek(order);
  await exchange(ledger, () => undefined);
  const { kek, retiredKeks } = loadKeks(dir, false, systemRandom);
  expect(keyring.current()).toMatchObject({ kek: kek.id, retiredKeks: retiredKeks.map(({ id }) => id) });
  await ledger.close('done');
  const again = await house.open(loadKeys(dir, false, systemRandom));
  expect((await again.part(decision, 'request')).length).toBeGreaterThan(0);
  await again.close('done');
});

it('the note of a retirement is gone where it is refused, and where it names the key in use', async () => {
  const { dir, house, ledger, keyring } = await withKeysIn();
  await keyring.rotateKek(order);
  const { kek, retiredKeks } = loadKeks(dir, false, systemRandom);
  const refusing = {
    ...ledger,
    retireKek: () => Promise.reject(new HoldpointError('invalid_argument', 'no')),
  };
  const onUnfinished = (): void => undefined;
  const of = { signingDir: dir, kekDir: dir, random: systemRandom, onUnfinished };
  await expect(
    createKeyring({ ledger: refusing, ...of }).retireKek(retiredKeks[0]?.id ?? '', order),
  ).rejects.toMatchObject({ code: 'invalid_argument' });
  expect(retiringIn(dir)).toBeNull();
  noteRetiring(dir, kek.id);
  createKeyring({ ledger, ...of });
  await waitFor(() => expect(retiringIn(dir)).toBeNull());
  expect(loadKeks(dir, false, systemRandom).kek.id).toBe(kek.id);
  await ledger.close('done');
  house.disk.abandon();
});

it('the note of a retirement stays where it cannot be known whether it was sealed', async () => {
  const { dir, ledger, keyring } = await withKeysIn();
  await keyring.rotateKek(order);
  const [{ id } = { id: '' }] = loadKeks(dir, false, systemRandom).retiredKeks;
  const failing = {
    ...ledger,
    retireKek: () => Promise.reject(new HoldpointError('ledger_unavailable', 'no')),
  };
  const onUnfinished = (): void => undefined;
  const of = { signingDir: dir, kekDir: dir, random: systemRandom, onUnfinished };
  await expect(createKeyring({ ledger: failing, ...of }).retireKek(id, order)).rejects.toMatchObject(refused);
  expect(retiringIn(dir)).toBe(id);
  await ledger.close('done');
});

it('a key that is destroyed is gone from the disk before the note of it is, and the note then too', async () => {
  const { dir, ledger } = await withKeysIn();
  const old = loadKeks(dir, false, systemRandom).kek.id;
  replaceKek(dir, systemRandom);
  noteRetiring(dir, old);
  const synced: (readonly string[])[] = [];
  const unwatch = watchDisk({
    dir,
    fateOf: () => 'done',
    failureOf: () => new Error('none fails'),
    done: ({ kind, file }) => {
      if (kind === 'sync' && file === '') synced.push(readdirSync(dir).sort());
    },
  });
  destroyKek(dir, old);
  unwatch();
  const left = ['fingerprint.key', 'kek.key', 'signing.pem'];
  expect(synced).toEqual([[...left.slice(0, 2), 'retiring', 'signing.pem'], left]);
  await ledger.close('done');
});
