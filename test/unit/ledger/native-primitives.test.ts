import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNativePrimitives } from '../../../src/ledger/native-primitives.ts';
import {
  hashPieces,
  hashPiecesHex,
  portable,
  type SealedBytes,
} from '../../../src/ledger/verify/primitives.ts';

const native = createNativePrimitives();
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const pieces = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 4 });
const sealing = fc.record({
  key: bytes(32),
  nonce: bytes(12),
  additional: fc.uint8Array({ maxLength: 40 }),
  plaintext: fc.uint8Array({ maxLength: 300 }),
});

function seal({ key, nonce, additional, plaintext }: Record<string, Uint8Array>): SealedBytes {
  const parts = { key: key ?? nothing, nonce: nonce ?? nothing, additional: additional ?? nothing };
  const cipher = createCipheriv('aes-256-gcm', parts.key, parts.nonce);
  cipher.setAAD(parts.additional);
  const text = Buffer.concat([cipher.update(plaintext ?? nothing), cipher.final()]);
  return { ...parts, ciphertext: Buffer.concat([text, cipher.getAuthTag()]) };
}
const nothing = new Uint8Array(0);

describe("Node's own primitives", () => {
  it('hash as the portable ones do, in one piece and in several', () => {
    fc.assert(
      fc.property(pieces, (some) => {
        const whole = Buffer.concat(some);
        const digest = Buffer.from(portable.sha256(whole));
        expect(Buffer.from(native.sha256(whole))).toEqual(digest);
        expect(Buffer.from(native.sha256Of(some))).toEqual(digest);
        expect(Buffer.from(hashPieces(native, some))).toEqual(digest);
        expect(Buffer.from(hashPieces(portable, some))).toEqual(digest);
        const hex = digest.toString('hex');
        expect([native.sha256Hex(whole), portable.sha256Hex(whole)]).toEqual([hex, hex]);
        expect([hashPiecesHex(native, some), hashPiecesHex(portable, some)]).toEqual([hex, hex]);
        expect(native.crc32(whole)).toBe(portable.crc32(whole));
      }),
    );
  });

  it('open what the portable ones open, and nothing that was changed', async () => {
    await fc.assert(
      fc.asyncProperty(sealing, fc.nat(), async (parts, at) => {
        const sealed = seal(parts);
        expect(await native.openAesGcm(sealed)).toEqual(Buffer.from(parts.plaintext));
        expect(Buffer.from((await portable.openAesGcm(sealed)) ?? [])).toEqual(Buffer.from(parts.plaintext));
        const changed = Uint8Array.from(sealed.ciphertext);
        changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ 1;
        for (const primitives of [native, portable]) {
          expect(await primitives.openAesGcm({ ...sealed, ciphertext: changed })).toBe(undefined);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('open nothing that is shorter than a tag', async () => {
    const sealed = {
      ...seal({ key: new Uint8Array(32), nonce: new Uint8Array(12) }),
      ciphertext: Uint8Array.of(1),
    };
    expect(await native.openAesGcm(sealed)).toBe(undefined);
    expect(await portable.openAesGcm(sealed)).toBe(undefined);
  });

  it.each(['sha256', 'sha256Hex'] as const)(
    'stop when another implementation hashes the same bytes to something else, within 64 calls of %s',
    (asked) => {
      const wrong = createNativePrimitives({ ...portable, sha256Hex: () => '00'.repeat(32) });
      expect(() => {
        for (let count = 0; count < 64; count += 1) wrong[asked](Uint8Array.of(count));
      }).toThrow('disagree');
    },
  );
});
