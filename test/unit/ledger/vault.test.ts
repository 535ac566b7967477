import { describe, expect, it } from 'vitest';
import { decodeBodies, encodeBodies } from '../../../src/ledger/block.ts';
import { isStoredAs, kekOf, openPart, sealPart, wrapBodies } from '../../../src/ledger/vault.ts';

const kek = kekOf(Buffer.alloc(32, 1));
const ledger = Buffer.alloc(16, 2);
const plaintext = Buffer.from('transfer 25000 EUR');

function sealedAt(seq: number) {
  const parts = [
    sealPart(ledger, seq, 0, { name: 'request', bytes: plaintext }),
    sealPart(ledger, seq, 1, { name: 'reason', bytes: Buffer.alloc(0) }),
  ];
  const dataKeys = parts.map((part) => Buffer.from(part.dataKey));
  return { parts, dataKeys, bodies: decodeBodies(encodeBodies(wrapBodies(kek, ledger, seq, parts))) };
}

const { parts, dataKeys, bodies } = sealedAt(7);
const [request, reason] = parts;
const [requestItem, reasonItem] = bodies.items;
if (request === undefined || reason === undefined) throw new Error('two parts were sealed');
if (requestItem === undefined || reasonItem === undefined) throw new Error('two parts were stored');
const { commitment } = request;

/** Every way one bit of `bytes` can be flipped. */
function* flips(bytes: Buffer): Generator<Buffer> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}

const damaged = expect.objectContaining({ code: 'ledger_damaged' });

describe('a body', () => {
  it('opens to what was sealed, at its place, an empty one too', () => {
    expect(openPart(kek, ledger, 7, bodies, 7, 0, commitment)).toEqual(plaintext);
    expect(openPart(kek, ledger, 7, bodies, 7, 1, reason.commitment)).toEqual(Buffer.alloc(0));
  });

  it.each([
    ['short', 3],
    ['long', 200_000],
  ])('that was sealed in two pieces opens as one: %s ones', (_, length) => {
    const content = { name: 'request', bytes: Buffer.alloc(7, 'a'), rest: Buffer.alloc(length, 'b') };
    const part = sealPart(ledger, 7, 0, content);
    const kept = decodeBodies(encodeBodies(wrapBodies(kek, ledger, 7, [part])));
    expect(part.commitment.size).toBe(7 + length);
    expect(kept.items.map((item) => isStoredAs(item, part.commitment))).toEqual([true]);
    const opened = openPart(kek, ledger, 7, kept, 7, 0, part.commitment);
    expect(opened.equals(Buffer.concat([content.bytes, content.rest]))).toBe(true);
  });

  it('does not contain its plaintext', () => {
    expect(encodeBodies(bodies).includes(plaintext.subarray(0, 8))).toBe(false);
  });

  it('is refused with any bit of its ciphertext flipped, with and without a key', () => {
    for (const ciphertext of flips(requestItem.ciphertext)) {
      const item = { ...requestItem, ciphertext };
      expect(isStoredAs(item, commitment)).toBe(false);
      const altered = { ...bodies, items: [item, reasonItem] };
      expect(() => openPart(kek, ledger, 7, altered, 7, 0, commitment)).toThrow(damaged);
    }
    expect(isStoredAs(requestItem, commitment)).toBe(true);
  });

  it('is refused with any bit of the wrapped keys or their nonce flipped', () => {
    for (const wrapped of flips(bodies.wrapped)) {
      expect(() => openPart(kek, ledger, 7, { ...bodies, wrapped }, 7, 0, commitment)).toThrow(damaged);
    }
    for (const nonce of flips(bodies.nonce)) {
      expect(() => openPart(kek, ledger, 7, { ...bodies, nonce }, 7, 0, commitment)).toThrow(damaged);
    }
  });

  it('is refused with its wrapped keys cut anywhere', () => {
    for (let length = 0; length < bodies.wrapped.length; length += 1) {
      const wrapped = bodies.wrapped.subarray(0, length);
      expect(() => openPart(kek, ledger, 7, { ...bodies, wrapped }, 7, 0, commitment)).toThrow(damaged);
    }
  });

  it('is refused under any other commitment to the plaintext', () => {
    for (const c of flips(Buffer.from(commitment.c, 'hex'))) {
      const other = { ...commitment, c: c.toString('hex') };
      expect(() => openPart(kek, ledger, 7, bodies, 7, 0, other)).toThrow(damaged);
    }
  });

  it('is refused at another entry, under another name, in another ledger and in another block', () => {
    const moved = { ...bodies, items: bodies.items.map((item) => ({ ...item, seq: 8 })) };
    expect(() => openPart(kek, ledger, 7, moved, 8, 0, commitment)).toThrow(damaged);
    expect(() => openPart(kek, ledger, 7, bodies, 8, 0, commitment)).toThrow(damaged);
    expect(() => openPart(kek, ledger, 7, bodies, 7, 1, commitment)).toThrow(damaged);
    expect(() => openPart(kek, ledger, 7, bodies, 7, 0, { ...commitment, name: 'response' })).toThrow(
      damaged,
    );
    expect(() => openPart(kek, Buffer.alloc(16, 3), 7, bodies, 7, 0, commitment)).toThrow(damaged);
    expect(() => openPart(kek, ledger, 6, bodies, 7, 0, commitment)).toThrow(damaged);
  });

  it('is refused with its keys in another order', () => {
    const swapped = { ...bodies, items: [reasonItem, requestItem] };
    expect(() => openPart(kek, ledger, 7, swapped, 7, 0, commitment)).toThrow(damaged);
  });

  it('is refused under another key-encryption key, which it names', () => {
    const other = kekOf(Buffer.alloc(32, 9));
    expect(() => openPart(other, ledger, 7, bodies, 7, 0, commitment)).toThrow(new RegExp(bodies.kekId));
    expect(() => openPart({ ...other, id: kek.id }, ledger, 7, bodies, 7, 0, commitment)).toThrow(damaged);
  });
});

describe('a data key', () => {
  it('is wiped once it is wrapped', () => {
    expect(dataKeys.every((key) => key.some((byte) => byte !== 0))).toBe(true);
    for (const part of parts) expect(part.dataKey.every((byte) => byte === 0)).toBe(true);
  });

  it('is another one for each part, also when the same bytes are sealed again', () => {
    const keys = Array.from({ length: 600 }, () =>
      sealPart(ledger, 7, 0, { name: 'request', bytes: plaintext }),
    );
    expect(new Set(keys.map(({ dataKey }) => dataKey.toString('hex'))).size).toBe(600);
    expect(new Set(keys.map(({ commitment: { c } }) => c)).size).toBe(600);
    expect(new Set(keys.map(({ item }) => Buffer.concat(item.ciphertext).toString('hex'))).size).toBe(600);
  });

  it('has nothing to do with any nonce that is stored in the clear, each of which is another one', () => {
    const commits = Array.from({ length: 400 }, (_, at) => sealedAt(at));
    const nonces = commits.map(({ bodies: { nonce } }) => nonce.toString('hex'));
    expect(new Set(nonces).size).toBe(400);
    const keys = commits.flatMap((commit) => commit.dataKeys).map((key) => key.toString('hex'));
    expect(new Set(keys).size).toBe(keys.length);
    // Wherever in a key it might stand.
    const within = new Set(
      keys.flatMap((key) => Array.from({ length: 105 }, (_, at) => key.slice(at, at + 24))),
    );
    expect(nonces.filter((nonce) => within.has(nonce))).toEqual([]);
  });
});
