/** Epochs of key-encryption keys over a memory disk: what is sealed stays readable, and a key goes only when nothing needs it. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemRandom } from '../../src/core/clock.ts';
import { HoldpointError } from '../../src/core/errors.ts';
import { decodeBodies, parseRecordKey } from '../../src/ledger/block.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import { kekOf } from '../../src/ledger/vault.ts';
import { createKeyring } from '../../src/store/keyring.ts';
import { loadKeks, replaceKek, retiringIn } from '../../src/store/keys.ts';
import { waitFor } from '../support/wait-for.ts';
import { createLedgerUnderTest, exchange, kek, type LedgerUnderTest } from './ledger-under-test.ts';

const order = { by: 'olga', reason: 'yearly' };
const ignore = (): void => undefined;
const second = kekOf(createHash('sha256').update('second').digest());
const bytes = (...keks: readonly { readonly key: Buffer }[]) => keks.map(({ key }) => new Uint8Array(key));

const kekIdsOn = (house: LedgerUnderTest): ReadonlySet<string> =>
  new Set(
    house.disk
      .records()
      .filter(({ key }) => parseRecordKey(key)?.kind === 'bodies')
      .map(({ value }) => decodeBodies(value).kekId),
  );

it('bodies of every epoch are read, and opened by a verifier that has all the keys', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const before = await exchange(ledger, ignore);
  await ledger.beginEpoch(second, order);
  const after = await exchange(ledger, ignore);
  for (const seq of [before, after]) expect((await ledger.part(seq, 'request')).length).toBeGreaterThan(0);
  await ledger.close('done');
  expect(kekIdsOn(house)).toEqual(new Set([kek.id, second.id]));
  const verdict = await house.verify({ openBody: bytes(kek, second) });
  expect(verdict.findings).toEqual([]);
  expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
  const { findings } = await house.verify({ openBody: bytes(second) });
  expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(['key_wrap_invalid']));
});

it('the next start needs the key of the last bodies, among those in use or retired', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  await exchange(ledger, ignore);
  await ledger.close('done');
  await expect(house.open({ kek: second })).rejects.toMatchObject({ code: 'config_invalid' });
  const again = await house.open({ kek: second, retiredKeks: [kek] });
  await exchange(again, ignore);
  await again.close('done');
  const epochs = house.entries().filter(({ type }) => type === 'key');
  expect(epochs.map(({ data }) => [data['action'], data['kek'], data['by']])).toEqual([
    ['epoch', second.id, 'holdpoint'],
  ]);
});

it('an epoch whose beginning could not be sealed does not begin', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const failing = house.disk.commits();
  house.disk.fateOf = (commit) => (commit === failing ? 'before' : 'written');
  await expect(ledger.beginEpoch(second, order)).rejects.toMatchObject({ code: 'ledger_unavailable' });
  expect(ledger.keks().map(({ id }) => id)).toEqual([kek.id]);
  house.disk.abandon();
});

it('a key under which bodies are still wrapped is not retired', async () => {
  const house = createLedgerUnderTest();
  const openStore = async (): Promise<LedgerStore> => ({
    ...(await house.disk.open()),
    rewriteBodies: async () => ({ bytes: 0, left: [] }),
  });
  const ledger = await house.open({ openStore });
  await exchange(ledger, ignore);
  await ledger.beginEpoch(second, order);
  await expect(ledger.retireKek(kek.id, order)).rejects.toMatchObject({ code: 'invalid_argument' });
  expect(ledger.keks().map(({ id }) => id)).toEqual([second.id, kek.id]);
  await ledger.close('done');
});

it.each(['00000000', second.id])('a key that is none of an earlier epoch is not retired: %s', async (id) => {
  const ledger = await createLedgerUnderTest().open();
  await ledger.beginEpoch(second, order);
  await expect(ledger.retireKek(id, order)).rejects.toMatchObject({ code: 'invalid_argument' });
  await ledger.close('done');
});

it('a key is retired once its bodies are wrapped under the one in use, and nothing sealed changes', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const decision = await exchange(ledger, ignore);
  const request = await ledger.part(decision, 'request');
  await ledger.beginEpoch(second, order);
  await exchange(ledger, ignore);
  await ledger.retireKek(kek.id, order);
  expect(kekIdsOn(house)).toEqual(new Set([second.id]));
  expect(await ledger.part(decision, 'request')).toEqual(request);
  await ledger.close('done');
  const verdict = await house.verify({ openBody: bytes(second) });
  expect(verdict.findings).toEqual([]);
  expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
  expect(
    house
      .entries()
      .filter(({ type }) => type === 'key')
      .map(({ data }) => data['action']),
  ).toEqual(['epoch', 'retire']);
});

/** A ledger in its second epoch, whose keys lie in a directory. */
async function inSecondEpoch() {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-retiring-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const failures: unknown[] = [];
  const old = loadKeks(dir, true, systemRandom).kek;
  const inUse = replaceKek(dir, systemRandom);
  const house = createLedgerUnderTest();
  const ledger = await house.open({ kek: inUse, retiredKeks: [old] });
  const keyringOf = (of: Ledger) =>
    createKeyring({
      ...{ ledger: of, signingDir: null, kekDir: dir, random: systemRandom },
      onUnfinished: (error) => failures.push(error),
    });
  return { ...{ dir, failures, old, house, ledger, keyringOf }, file: join(dir, `kek-${old.id}.key`) };
}

it('a key is not retired where the right to ask for it ended while bodies were wrapped anew', async () => {
  const { dir, file, failures, old, house, ledger, keyringOf } = await inSecondEpoch();
  const keyring = keyringOf(ledger);
  let asked = 0;
  const requireStanding = (): void => {
    asked += 1;
    if (asked > 1) throw new HoldpointError('unauthenticated', 'The right has ended meanwhile.');
  };
  const retired = keyring.retireKek(old.id, { ...order, requireStanding });
  await expect(retired).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(keyring.current().retiredKeks).toEqual([old.id]);
  expect([existsSync(file), retiringIn(dir)]).toEqual([true, null]);
  await ledger.close('done');
  expect(house.entries().filter(({ type }) => type === 'key')).toEqual([]);
  expect(failures).toEqual([]);
});

it('a key whose process died once its retirement was sealed is destroyed after the next start', async () => {
  const { dir, failures, old, house, ledger, keyringOf, file } = await inSecondEpoch();
  const dying: Ledger = {
    ...ledger,
    retireKek: async (id, by) => {
      await ledger.retireKek(id, by);
      throw new Error('killed');
    },
  };
  await expect(keyringOf(dying).retireKek(old.id, order)).rejects.toThrow('killed');
  await ledger.close('done');
  expect(existsSync(file)).toBe(true);
  const { kek: again, retiredKeks } = loadKeks(dir, false, systemRandom);
  const next = await house.open({ kek: again, retiredKeks });
  const keyring = keyringOf(next);
  await waitFor(() => expect(readdirSync(dir).sort()).toEqual(['fingerprint.key', 'kek.key']));
  expect([keyring.current().retiredKeks, failures]).toEqual([[], []]);
  await next.close('done');
  expect((await house.verify()).findings).toEqual([]);
});

it.each([
  ['it is asked for again', (old: string) => old],
  ['that of another is refused', () => 'ffffffff'],
])(
  'a key that the disk did not let go once its retirement was sealed is destroyed when %s',
  async (_when, asked) => {
    const { dir, old, house, ledger, keyringOf, file } = await inSecondEpoch();
    const keyring = keyringOf(ledger);
    const key = readFileSync(file);
    rmSync(file);
    mkdirSync(file);
    await expect(keyring.retireKek(old.id, order)).rejects.toMatchObject({ code: 'config_invalid' });
    rmdirSync(file);
    writeFileSync(file, key);
    const again = keyring.retireKek(asked(old.id), order);
    if (asked(old.id) === old.id) await again;
    else await expect(again).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(readdirSync(dir).sort()).toEqual(['fingerprint.key', 'kek.key']);
    await ledger.close('done');
    const sealed = house.entries().filter(({ type }) => type === 'key');
    expect(sealed.map(({ data }) => [data['action'], data['kek']])).toEqual([['retire', old.id]]);
  },
);
