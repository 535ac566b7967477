/** A change of the signing key, and failures and crashes on the way: whatever is left, the ledger goes on and verifies. */
import { type KeyObject, sign } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type SigningKey, signerOf } from '../../src/ledger/checkpoint.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import {
  createLedgerUnderTest,
  exchange,
  type LedgerUnderTest,
  sealMarked,
  signingKey,
  signingKeyOf,
} from './ledger-under-test.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const order = { by: 'olga', reason: 'yearly' };
const nextKey = signingKeyOf('next');
const stop = { type: 'stop', data: { reason: 'x' } } as const;

async function until(done: () => boolean): Promise<void> {
  for (let step = 0; step < 1200 && !done(); step += 1) {
    await vi.advanceTimersByTimeAsync(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(done()).toBe(true);
}

const kidOf = (ledger: Ledger, key: KeyObject): string => signerOf(ledger.origin, key).kid;

async function expectTrustedBy(
  house: LedgerUnderTest,
  ledger: Ledger,
  keys: readonly KeyObject[],
): Promise<void> {
  for (const key of keys) {
    const trustedKeys = [signerOf(ledger.origin, key).verifierKey];
    const { findings, trusted } = await house.verify({ trustedKeys, everySignature: true });
    expect(findings).toEqual([]);
    expect(trusted).toEqual(trustedKeys);
  }
}

/** A key that answers when the test says so, as one in a far place does. */
function slowKey(key: KeyObject) {
  const asked: (() => void)[] = [];
  const slow: SigningKey = {
    publicKey: signerOf('', key).publicKey,
    sign: (bytes) =>
      new Promise((resolve) => {
        asked.push(() => resolve(sign(null, bytes, key)));
      }),
  };
  return { slow, asked };
}

describe('a key that the ledger was under before', () => {
  const third = signingKeyOf('third');

  it('is not gone back to by a start whose configuration still names it', async () => {
    const house = createLedgerUnderTest();
    const first = await house.open({ nextSigningKey: nextKey });
    await first.rotateSigningKey(third, order);
    await first.close('done');
    const ledger = await house.open({ signingKey: third, nextSigningKey: nextKey });
    expect(ledger.verifierKey).toBe(signerOf(ledger.origin, third).verifierKey);
    expect(house.events.map(({ kind }) => kind)).toContain('rotation_refused');
    await exchange(ledger, () => undefined);
    await ledger.close('done');
    await expectTrustedBy(house, ledger, [signingKey, nextKey, third]);
  });

  it('is not rotated to', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    await ledger.rotateSigningKey(nextKey, order);
    await expect(ledger.rotateSigningKey(signingKey, order)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    await ledger.close('done');
    await expectTrustedBy(house, ledger, [signingKey, nextKey]);
  });
});

it('seals what comes after it under the new key, and verifies with either', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  await exchange(ledger, () => undefined);
  await ledger.rotateSigningKey(nextKey, order);
  expect(ledger.verifierKey).toBe(signerOf(ledger.origin, nextKey).verifierKey);
  await exchange(ledger, () => undefined);
  await ledger.close('done');
  const kids = house.entries().map(({ kid }) => kid);
  const boundary = house.entries().findIndex(({ type }) => type === 'key');
  expect(new Set(kids.slice(0, boundary + 1))).toEqual(new Set([kidOf(ledger, signingKey)]));
  expect(new Set(kids.slice(boundary + 1))).toEqual(new Set([kidOf(ledger, nextKey)]));
  expect(house.entries()[boundary]?.data).toMatchObject({ action: 'rotate', ...order });
  await expectTrustedBy(house, ledger, [signingKey, nextKey]);
});

it('lets calls go on while it is sealed', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const calls = Array.from({ length: 40 }, () => exchange(ledger, () => undefined));
  const rotations = ['a', 'b', 'c'].map((seed) => ledger.rotateSigningKey(signingKeyOf(seed), order));
  const more = Array.from({ length: 40 }, () => exchange(ledger, () => undefined));
  await Promise.all([...calls, ...rotations, ...more]);
  await ledger.close('done');
  await expectTrustedBy(house, ledger, [signingKey, ...['a', 'b', 'c'].map(signingKeyOf)]);
});

it('is refused for the key that is in use', async () => {
  const ledger = await createLedgerUnderTest().open();
  await expect(ledger.rotateSigningKey(signingKey, order)).rejects.toMatchObject({
    code: 'invalid_argument',
  });
  await ledger.close('done');
});

it('is refused while the ledger takes nothing, before anything is read or signed for it', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  await ledger.close('done');
  let signed = 0;
  const next: SigningKey = {
    publicKey: signerOf('', nextKey).publicKey,
    sign: (bytes) => {
      signed += 1;
      return sign(null, bytes, nextKey);
    },
  };
  await expect(ledger.rotateSigningKey(next, order)).rejects.toMatchObject({ code: 'ledger_unavailable' });
  expect(signed).toBe(0);
});

describe.each([
  ['before', signingKey],
  ['after', nextKey],
] as const)('a boundary whose commit fails %s it was written', (fate, inForce) => {
  it('is refused, and the ledger goes on under the key that the disk says', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const failing = house.disk.commits();
    house.disk.fateOf = (commit) => (commit === failing ? fate : 'written');
    await expect(ledger.rotateSigningKey(nextKey, order)).rejects.toMatchObject({
      code: 'ledger_unavailable',
    });
    await until(() => ledger.isWritable());
    expect(ledger.verifierKey).toBe(signerOf(ledger.origin, inForce).verifierKey);
    await exchange(ledger, () => undefined);
    await ledger.close('done');
    await expectTrustedBy(house, ledger, [signingKey, inForce]);
  });

  it('lets the next start go on with whichever of the two the ledger asks for', async () => {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    const failing = house.disk.commits();
    house.disk.fateOf = (commit) => (commit === failing ? fate : 'written');
    await expect(ledger.rotateSigningKey(nextKey, order)).rejects.toMatchObject({
      code: 'ledger_unavailable',
    });
    house.disk.abandon();
    house.indexDisk.abandon();
    const again = await house.open({ otherSigningKeys: [nextKey] });
    expect(again.verifierKey).toBe(signerOf(again.origin, inForce).verifierKey);
    await again.close('done');
    await expectTrustedBy(house, again, [signingKey, inForce]);
  });
});

it('is refused at start without the key that the ledger asks for', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  await ledger.rotateSigningKey(nextKey, order);
  await ledger.close('done');
  await expect(house.open()).rejects.toMatchObject({ code: 'config_invalid' });
  await (await house.open({ signingKey: nextKey })).close('done');
});

it('is sealed at start when the configuration names a next key, and once only', async () => {
  const house = createLedgerUnderTest();
  await (await house.open()).close('done');
  for (let start = 0; start < 2; start += 1) {
    const ledger = await house.open({ nextSigningKey: nextKey });
    expect(ledger.verifierKey).toBe(signerOf(ledger.origin, nextKey).verifierKey);
    await ledger.close('done');
  }
  expect(house.entries().filter(({ type }) => type === 'key')).toHaveLength(1);
  expect((await house.verify()).findings).toEqual([]);
});

describe('a key that signs elsewhere', () => {
  it('signs once for all that gathered meanwhile, and holds up no call that is being sealed', async () => {
    const house = createLedgerUnderTest();
    const { slow, asked } = slowKey(signingKey);
    const answering = setInterval(() => undefined, 1000);
    const opening = house.open({ signingKey: slow });
    await until(() => asked.length === 1);
    asked.shift()?.();
    const ledger = await opening;
    const commits = house.disk.commits();
    const first = sealMarked(ledger, stop);
    await until(() => asked.length === 1);
    const rest = Array.from({ length: 200 }, () => sealMarked(ledger, stop));
    asked.shift()?.();
    await first;
    await until(() => asked.length === 1);
    asked.shift()?.();
    await Promise.all(rest);
    expect(house.disk.commits() - commits).toBe(2);
    const closing = ledger.close('done');
    await until(() => asked.length === 1);
    asked.shift()?.();
    await closing;
    clearInterval(answering);
    expect((await house.verify({ everySignature: true })).findings).toEqual([]);
  });

  it.each<[string, SigningKey['sign']]>([
    ['gives a signature of something else', async () => sign(null, Buffer.from('other'), signingKey)],
    ['gives no signature', async () => Buffer.alloc(0)],
    ['fails', () => Promise.reject(new Error('the KMS is away'))],
  ])('seals nothing when it %s', async (_what, bad) => {
    const house = createLedgerUnderTest();
    const publicKey = signerOf('', signingKey).publicKey;
    let answer: SigningKey['sign'] = (bytes) => sign(null, bytes, signingKey);
    const ledger = await house.open({ signingKey: { publicKey, sign: (bytes) => answer(bytes) } });
    const size = house.entries().length;
    answer = bad;
    await expect(sealMarked(ledger, stop)).rejects.toMatchObject({ code: 'ledger_unavailable' });
    expect(house.entries()).toHaveLength(size);
    answer = (bytes) => sign(null, bytes, signingKey);
    await until(() => ledger.isWritable());
    await sealMarked(ledger, stop);
    await ledger.close('done');
    expect((await house.verify()).findings).toEqual([]);
  });

  it('is rotated to and from at start', async () => {
    const house = createLedgerUnderTest();
    const far = (key: KeyObject): SigningKey => ({
      publicKey: signerOf('', key).publicKey,
      sign: async (bytes) => sign(null, bytes, key),
    });
    await (await house.open({ signingKey: far(signingKey) })).close('done');
    const options = { signingKey: far(signingKey), nextSigningKey: far(nextKey) };
    const ledger = await house.open(options);
    await ledger.close('done');
    await expectTrustedBy(house, ledger, [signingKey, nextKey]);
  });
});
