/** What verify.py says of a ledger, and what our own verifier says of the same bytes. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { readStream } from '../../src/ledger/verify/stream.ts';
import { type VerifyOptions, verifyLedger } from '../../src/ledger/verify/verify.ts';

const program = fileURLToPath(new URL('verify.py', import.meta.url));
/** What verify.py needs and this machine lacks. */
export const missing = ['python3', 'openssl'].filter(
  (name) => spawnSync(name, [name === 'openssl' ? 'version' : '--version']).status !== 0,
);
if (missing.length > 0) process.stderr.write(`second opinion: not tried, ${missing.join(' and ')} missing\n`);

const verdictSchema = z.object({
  ok: z.boolean(),
  size: z.number(),
  root: z.string(),
  findings: z.array(z.object({ code: z.string(), seq: z.number() })),
});
export type Opinion = z.output<typeof verdictSchema>;

/** @param args as verify.py takes them */
export function second(...args: readonly string[]): Promise<Opinion> {
  const { promise, resolve, reject } = Promise.withResolvers<Opinion>();
  execFile('python3', [program, ...args], (_error, stdout, stderr) => {
    if (stdout === '') reject(new Error(stderr));
    else resolve(verdictSchema.parse(JSON.parse(stdout)));
  });
  return promise;
}

async function* chunk(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export const ours = (bytes: Buffer, options: VerifyOptions = {}) =>
  verifyLedger(readStream(chunk(bytes)), options);
