/** Keys in a directory that are changed while the ledger takes nothing: whatever the ledger asks for then is on disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { systemRandom } from '../../src/core/clock.ts';
import { createKeyring } from '../../src/store/keyring.ts';
import { loadKeys } from '../../src/store/keys.ts';
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
