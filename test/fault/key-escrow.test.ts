/** Escrow and revocation as the ledger seals them: what the holder of the escrow key opens, and what an operator may order. */
import { createHash } from 'node:crypto';
import nacl from 'tweetnacl';
import { expect, it } from 'vitest';
import { newEscrowPair } from '../../src/ledger/escrow.ts';
import { kekOf } from '../../src/ledger/vault.ts';
import { openEscrow, parseEscrowKey } from '../../src/ledger/verify/escrow.ts';
import {
  createLedgerUnderTest,
  exchange,
  kek,
  type LedgerUnderTest,
  signingKeyOf,
} from './ledger-under-test.ts';

const order = { by: 'olga', reason: 'yearly' };
const ignore = (): void => undefined;
const second = kekOf(createHash('sha256').update('second').digest());

function pairOf() {
  const pair = newEscrowPair();
  const secret = parseEscrowKey(`${pair.secretKey}\n`);
  if (secret === undefined) throw new Error('a new pair has no secret');
  return { escrow: Buffer.from(pair.publicKey, 'base64'), secret };
}

const idsFor = async (house: LedgerUnderTest, secret: Uint8Array) =>
  (await openEscrow(house.disk.source(), secret)).map((key) => kekOf(Buffer.from(key)).id);

it('the holder of the escrow key opens every body of every epoch, with none of the operator’s keys', async () => {
  const { escrow, secret } = pairOf();
  const house = createLedgerUnderTest();
  const ledger = await house.open({ escrow });
  await exchange(ledger, ignore);
  await ledger.beginEpoch(second, order);
  await exchange(ledger, ignore);
  await ledger.close('done');
  const verdict = await house.verify({ openBody: await openEscrow(house.disk.source(), secret) });
  expect(verdict.findings).toEqual([]);
  expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
  expect(verdict.bodies.stored).toBeGreaterThan(3);
});

it('a box is sealed before anything is wrapped under its key', async () => {
  const { escrow } = pairOf();
  const house = createLedgerUnderTest();
  const ledger = await house.open({ escrow });
  const decision = await exchange(ledger, ignore);
  await ledger.close('done');
  const at = house.entries().findIndex(({ data }) => data['action'] === 'escrow');
  expect(at).toBe(1);
  expect(at).toBeLessThan(decision);
});

it('escrow that begins later covers the epochs before it', async () => {
  const { escrow, secret } = pairOf();
  const house = createLedgerUnderTest();
  const before = await house.open();
  await exchange(before, ignore);
  await before.close('done');
  await (await house.open({ escrow, kek: second, retiredKeks: [kek] })).close('done');
  expect(new Set(await idsFor(house, secret))).toEqual(new Set([kek.id, second.id]));
});

it('nobody else opens a box, and a box that was swapped is not taken for another key', async () => {
  const { escrow } = pairOf();
  const house = createLedgerUnderTest();
  await (await house.open({ escrow })).close('done');
  expect(await idsFor(house, pairOf().secret)).toEqual([]);
});

it('a box is ephemeral key, nonce and NaCl box, in this order', async () => {
  const { escrow, secret } = pairOf();
  const house = createLedgerUnderTest();
  await (await house.open({ escrow })).close('done');
  const data = house.entries()[1]?.data;
  expect(data).toMatchObject({ action: 'escrow', by: 'holdpoint', to: escrow.toString('base64') });
  const [[id, text]] = Object(data)['boxes'];
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  const opened = nacl.box.open(bytes.slice(56), bytes.slice(32, 56), bytes.slice(0, 32), secret);
  expect([id, Buffer.from(opened ?? [])]).toEqual([kek.id, kek.key]);
});

it.each(['', 'AAAA', Buffer.alloc(33).toString('base64')])('%j is no escrow key', (text) => {
  expect(parseEscrowKey(text)).toBe(undefined);
});

it('a former key is revoked down to what it signed, one in use or unknown is not', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const old = ledger.verifierKey.split('+')[1] ?? '';
  const invalid = expect.objectContaining({ code: 'invalid_argument' });
  await expect(ledger.revokeKey(old, 1, order)).rejects.toEqual(invalid);
  await ledger.rotateSigningKey(signingKeyOf('next'), order);
  const size = ledger.durable().size;
  await expect(ledger.revokeKey('00000000', 1, order)).rejects.toEqual(invalid);
  await expect(ledger.revokeKey(old, size + 1, order)).rejects.toEqual(invalid);
  await ledger.revokeKey(old, size, order);
  await ledger.close('done');
  const verdict = await house.verify({ trustedKeys: [ledger.verifierKey] });
  expect(verdict.findings).toEqual([]);
  expect(verdict.keys[0]?.revokedTo).toBe(size);
});
