/**
 * A program that keeps keys for others, as a bridge to a KMS or Vault does: it signs with a key of its own, and wraps
 * under one. Speaks what src/store/key-command.ts describes, written from that description alone.
 *
 *     node key-program.ts SEED [DELAY_MS]
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
} from 'node:crypto';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const [seed = '', delayMs = '0'] = process.argv.slice(2);
const secret = createHash('sha256').update(seed).digest();
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret]),
  format: 'der',
  type: 'pkcs8',
});
const base64 = z.base64().transform((encoded) => Buffer.from(encoded, 'base64'));
const request = z.discriminatedUnion('op', [
  z.strictObject({ v: z.literal(1), op: z.literal('public-key') }),
  z.strictObject({ v: z.literal(1), op: z.literal('sign'), data: base64 }),
  z.strictObject({ v: z.literal(1), op: z.literal('wrap'), key: base64 }),
  z.strictObject({ v: z.literal(1), op: z.literal('unwrap'), wrapped: z.string() }),
]);

function answer(asked: z.output<typeof request>): Readonly<Record<string, string>> {
  const nonce = Buffer.alloc(12);
  if (asked.op === 'public-key') {
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    return { publicKey: spki.subarray(-32).toString('base64') };
  }
  if (asked.op === 'sign') return { signature: sign(null, asked.data, privateKey).toString('base64') };
  if (asked.op === 'wrap') {
    const cipher = createCipheriv('aes-256-gcm', secret, nonce);
    const sealed = Buffer.concat([cipher.update(asked.key), cipher.final(), cipher.getAuthTag()]);
    return { wrapped: `v1:${sealed.toString('hex')}` };
  }
  const sealed = Buffer.from(asked.wrapped.slice(3), 'hex');
  const decipher = createDecipheriv('aes-256-gcm', secret, nonce);
  decipher.setAuthTag(sealed.subarray(-16));
  return {
    key: Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('base64'),
  };
}

const asked = request.parse(JSON.parse(await text(process.stdin)));
await sleep(Number(delayMs));
process.stdout.write(JSON.stringify(answer(asked)));
