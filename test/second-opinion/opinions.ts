/** What verify.py says of a ledger, and what our own verifier says of the same bytes. */
import { deepStrictEqual } from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createNativePrimitives } from '../../src/ledger/native-primitives.ts';
import { readStream } from '../../src/ledger/verify/stream.ts';
import { type Verdict, type VerifyOptions, verifyLedger } from '../../src/ledger/verify/verify.ts';
import { pythonPath } from '../support/python.ts';

const program = fileURLToPath(new URL('verify.py', import.meta.url));
/** What verify.py needs and this machine lacks. */
export const missing = [pythonPath, 'openssl'].filter(
  (name) => spawnSync(name, [name === 'openssl' ? 'version' : '--version']).status !== 0,
);
if (missing.length > 0) process.stderr.write(`second opinion: not tried, ${missing.join(' and ')} missing\n`);

export const opinionSchema = z.object({
  ok: z.boolean(),
  size: z.number(),
  root: z.string(),
  findings: z.array(z.object({ code: z.string(), seq: z.number() })),
});
export type Opinion = z.output<typeof opinionSchema>;

/** @param args as verify.py takes them */
export function second(...args: readonly string[]): Promise<Opinion> {
  const { promise, resolve, reject } = Promise.withResolvers<Opinion>();
  execFile(pythonPath, [program, ...args], (_error, stdout, stderr) => {
    if (stdout === '') reject(new Error(stderr));
    else resolve(opinionSchema.parse(JSON.parse(stdout)));
  });
  return promise;
}

async function* chunk(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Our verdict, with Node's primitives; throws where it is another one than with the portable ones. */
export async function ours(bytes: Buffer, options: VerifyOptions = {}): Promise<Verdict> {
  const portable = await verifyLedger(readStream(chunk(bytes)), options);
  const primitives = createNativePrimitives();
  const native = await verifyLedger(readStream(chunk(bytes), primitives), { ...options, primitives });
  deepStrictEqual(native, portable);
  return native;
}
