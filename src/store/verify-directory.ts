/** Hands a data directory's records to the portable verifier, without changing one byte of the directory. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldpointError, messageOf } from '../core/errors.ts';
import { openEscrow, parseEscrowKey } from '../ledger/verify/escrow.ts';
import { parseHighWater } from '../ledger/verify/high-water.ts';
import { parseVerifierKey } from '../ledger/verify/note.ts';
import { type Verdict, verifyLedger } from '../ledger/verify/verify.ts';
import { kekFile, retiredKeksIn } from './keys.ts';
import { openLedgerCopy } from './ledger-store.ts';
import type { LevelCopy } from './level.ts';

export interface VerifyDirectoryOptions {
  /** A verifier key, or a file with one on each line. */
  readonly trust?: string | undefined;
  readonly checkpoint?: string | undefined;
  readonly keys?: string | undefined;
  /** A file with the secret half of an escrow key: opens bodies in place of the operator's keys. */
  readonly escrowKey?: string | undefined;
  readonly everySignature?: boolean | undefined;
}

/** Verifies a data directory without changing it, also while a sidecar writes to it. Throws `usage` when it is none. */
export async function verifyDirectory(path: string, options: VerifyDirectoryOptions): Promise<Verdict> {
  const ledgerDir = join(path, 'ledger');
  if (!existsSync(ledgerDir) || !statSync(ledgerDir).isDirectory()) {
    throw new HoldpointError(
      'usage',
      `${path} is not a data directory: it has no ledger/.`,
      'Name the directory that data.dir names.',
    );
  }
  const { trust, checkpoint } = options;
  const escrow = options.escrowKey === undefined ? null : readEscrowKey(options.escrowKey);
  const keks = escrow === null ? readKeks(options.keys ?? join(path, 'keys')) : [];
  const settings = {
    highWater: await readHighWater(join(path, 'high-water')),
    everySignature: options.everySignature ?? false,
    ...(trust === undefined ? {} : { trustedKeys: readTrust(trust) }),
    ...(checkpoint === undefined ? {} : { checkpoint: readOrThrow(checkpoint) }),
    ...(keks.length === 0 ? {} : { openBody: keks }),
  };
  for (let attempt = 1; ; attempt += 1) {
    let store: LevelCopy;
    try {
      store = await openLedgerCopy(ledgerDir);
    } catch (error) {
      // LevelDB will not open it: that is a finding about the ledger, and the verifier says it.
      return verifyLedger(failing(error), settings);
    }
    try {
      // Boxes may come later than the bodies of their epoch, where escrow was begun later.
      const opening =
        escrow === null ? {} : { openBody: await openEscrow(store.scan({ withoutBodies: true }), escrow) };
      const verdict = await verifyLedger(store.scan({}), { ...settings, ...opening });
      // A running sidecar may have moved what was being read: only then is a finding no finding yet.
      if (verdict.ok || attempt >= attemptsMax || (await store.isWhole())) return verdict;
    } finally {
      await store.close();
    }
  }
}

/** How often reading starts over because a running sidecar moved its tables. */
const attemptsMax = 5;

/** A running sidecar overwrites the line in place; what was caught half-way is whole a moment later. */
async function readHighWater(file: string): Promise<string | null> {
  const text = readIfThere(file);
  if (text === null || parseHighWater(text) !== undefined) return text;
  await sleep(10);
  return readIfThere(file);
}

function readEscrowKey(file: string): Uint8Array {
  const key = parseEscrowKey(readOrThrow(file));
  if (key !== undefined) return key;
  throw new HoldpointError(
    'usage',
    `${file} is not an escrow key: 32 bytes in base64.`,
    'It is what `holdpoint keys escrow-new` printed as the secret.',
  );
}

/** A source that fails at its first record. */
function failing(error: unknown): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}

/** A key, or a file with one key on each line. What is no key is a slip of the person's, never a finding about the ledger. */
function readTrust(trust: string): string[] {
  const isFile = existsSync(trust);
  const keys = (isFile ? readOrThrow(trust) : trust)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const next = 'A key looks like <origin>+<8 hex>+<base64>; print it with: holdpoint keys show.';
  if (keys.length === 0) throw new HoldpointError('usage', `${trust} names no key to trust.`, next);
  for (const key of keys) {
    const read = parseVerifierKey(key);
    if (!('code' in read)) continue;
    const where = isFile ? `In ${trust}: ` : `${JSON.stringify(trust)} is neither a file nor a key: `;
    throw new HoldpointError('usage', `${where}${read.message}.`, next);
  }
  return keys;
}

/** None where no key is there: bodies are then checked by their ciphertext only, and the verdict says so. */
function readKeks(dir: string): readonly Uint8Array[] {
  const text = readIfThere(join(dir, kekFile));
  const key = Buffer.from(text?.trim() ?? '', 'base64');
  const keys = retiredKeksIn(dir).map((kek) => new Uint8Array(kek.key));
  return key.length === 32 ? [new Uint8Array(key), ...keys] : keys;
}

function readIfThere(file: string): string | null {
  return existsSync(file) ? readOrThrow(file) : null;
}

function readOrThrow(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError('usage', `${file} cannot be read: ${messageOf(error)}.`, '', error);
  }
}
