/**
 * A key that another program keeps, such as one that asks a KMS or Vault. For each request the program is started
 * anew, without a shell; it reads one JSON object on its standard input and writes one on its standard output:
 *
 *     { "v": 1, "op": "public-key" }                    -> { "publicKey": base64 of the 32 bytes of an Ed25519 key }
 *     { "v": 1, "op": "sign", "data": base64 }          -> { "signature": base64 of 64 bytes }
 *     { "v": 1, "op": "wrap", "key": base64 }           -> { "wrapped": text of at most 16 384 characters }
 *     { "v": 1, "op": "unwrap", "wrapped": that text }  -> { "key": base64 of 32 bytes }
 *
 * Exit 0 says that the answer counts. What it writes, on either stream, is never logged or quoted: it may be a key.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { HoldpointError } from '../core/errors.ts';
import type { SigningKey } from '../ledger/checkpoint.ts';

export interface KeyCommand {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

const answerBytesMax = 64 * 1024;
export const wrappedCharsMax = 16_384;
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

const base64Of = (bytes: number) =>
  z
    .base64()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine((decoded) => decoded.length === bytes);

const publicKeyAnswer = z.object({ publicKey: base64Of(32) });
const signatureAnswer = z.object({ signature: base64Of(64) });
const wrappedAnswer = z.object({ wrapped: z.string().min(1).max(wrappedCharsMax) });
const keyAnswer = z.object({ key: base64Of(32) });

/** A signing key behind a command. Rejects with `config_invalid` when it does not say which key it is. */
export async function openCommandSigner(source: KeyCommand, what: string): Promise<SigningKey> {
  const { publicKey } = await ask(source, what, { op: 'public-key' }, publicKeyAnswer);
  return {
    publicKey: createPublicKey({
      key: Buffer.concat([spkiPrefix, publicKey]),
      format: 'der',
      type: 'spki',
    }),
    sign: async (bytes) => {
      const request = { op: 'sign', data: bytes.toString('base64') };
      return (await ask(source, what, request, signatureAnswer)).signature;
    },
  };
}

/** The key under the program's own, as text to keep in a file. */
export async function wrapByCommand(source: KeyCommand, what: string, key: Buffer): Promise<string> {
  return (await ask(source, what, { op: 'wrap', key: key.toString('base64') }, wrappedAnswer)).wrapped;
}

export async function unwrapByCommand(source: KeyCommand, what: string, wrapped: string): Promise<Buffer> {
  return (await ask(source, what, { op: 'unwrap', wrapped }, keyAnswer)).key;
}

async function ask<T>(
  source: KeyCommand,
  what: string,
  request: Readonly<Record<string, string>>,
  schema: z.ZodType<T>,
): Promise<T> {
  const answer = schema.safeParse(await run(source, what, JSON.stringify({ v: 1, ...request })));
  if (answer.success) return answer.data;
  throw refused(what, `did not answer ${request['op']} as it should`);
}

/** The parsed answer, undefined when it is no JSON. */
function run(source: KeyCommand, what: string, input: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const [program = '', ...args] = source.command;
  // A group of its own, so that what it starts itself, such as a script does, ends with it.
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], shell: false, detached: true });
  const chunks: Buffer[] = [];
  let bytes = 0;
  const end = (reason: string): void => {
    // Before it has ended, which what cannot be killed may never do.
    reject(refused(what, reason));
    killGroup(child);
    child.stdout.destroy();
  };
  const timer = setTimeout(() => end(`gave no answer within ${source.timeoutMs} ms`), source.timeoutMs);
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > answerBytesMax) end(`answered more than ${answerBytesMax} bytes`);
    else chunks.push(chunk);
  });
  // A program that does not read its input has its reasons; what it answers and how it ends is what counts.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  child.once('error', (error: NodeJS.ErrnoException) => {
    clearTimeout(timer);
    reject(refused(what, `cannot be started: ${error.code ?? 'unknown error'}`));
  });
  child.once('close', (code, signal) => {
    clearTimeout(timer);
    if (code === 0) resolve(jsonOf(Buffer.concat(chunks).toString('utf8')));
    else reject(refused(what, `ended with ${code ?? signal}`));
  });
  return promise;
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It is gone, or another user's, such as what sudo started.
    const isLeft =
      error instanceof Error && 'code' in error && ['ESRCH', 'EPERM'].includes(String(error.code));
    if (!isLeft) throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not quoted and not chained: the text may be a key. The caller says that the answer is none.
    return undefined;
  }
}

function refused(what: string, why: string): HoldpointError {
  return new HoldpointError(
    'config_invalid',
    `The command of ${what} ${why}.`,
    'Run it by hand: one JSON object in, one out, exit 0. See keys in config/holdpoint.yaml.',
  );
}
