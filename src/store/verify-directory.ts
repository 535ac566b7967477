/** Hands a data directory's records to the portable verifier, without changing one byte of the directory. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldpointError, messageOf } from '../core/errors.ts';
import { openEscrow, parseEscrowKey } from '../ledger/verify/escrow.ts';
import { parseHighWater } from '../ledger/verify/high-water.ts';
import type { Primitives } from '../ledger/verify/primitives.ts';
import { type Verdict, verifyLedger } from '../ledger/verify/verify.ts';
import { asideNames } from './cut-off-repair.ts';
import { kekFile, retiredKeksIn } from './keys.ts';
import { openJournalCopy, openLedgerCopy } from './ledger-copy.ts';
import type { LevelCopy } from './level.ts';
import { readFileOrThrow, readTrust } from './trust.ts';

export interface VerifyOptions {
  /** A verifier key, or a file with one on each line. */
  readonly trust?: string | undefined;
  readonly checkpoint?: string | undefined;
  readonly keys?: string | undefined;
  /** A file with the secret half of an escrow key: opens bodies in place of the operator's keys. */
  readonly escrowKey?: string | undefined;
  readonly everySignature?: boolean | undefined;
  /** What hashes and opens; absent: the portable implementations. */
  readonly primitives?: Primitives | undefined;
  /** Verifier keys of witnesses; each must have cosigned this ledger. */
  readonly witnesses?: readonly string[] | undefined;
  /** Texts of append-only anchor files. */
  readonly anchors?: readonly string[] | undefined;
}

/** Verifies a data directory without changing it, also while a sidecar writes to it. Throws `usage` when it is none. */
export async function verifyDirectory(path: string, options: VerifyOptions): Promise<Verdict> {
  const aside = asideNames(join(path, 'ledger'));
  const verdict = await verifyInPlace(path, options, aside);
  return aside.length === 0 ? verdict : { ...verdict, notes: [...verdict.notes, asideNote(aside)] };
}

/** It may be what somebody would rather not have had verified. */
function asideNote(aside: readonly string[]): string {
  const [are, them, each] = aside.length === 1 ? ['is', 'it', 'it'] : ['are', 'them', 'each'];
  return `Beside the ledger ${are} ${aside.join(', ')}: what was the ledger before a repair set ${them} aside. It is not part of this verdict, and no erasure reaches ${them}. To verify ${each}, name it ledger in a copy of this directory.`;
}

async function verifyInPlace(
  path: string,
  options: VerifyOptions,
  aside: readonly string[],
): Promise<Verdict> {
  const ledgerDir = join(path, 'ledger');
  const mark = join(path, 'high-water');
  const isThere = existsSync(ledgerDir) && statSync(ledgerDir).isDirectory();
  if (!isThere && !existsSync(mark)) {
    throw new HoldpointError(
      'usage',
      `${path} is not a data directory: it has no ledger/.`,
      aside.length > 0
        ? `A repair set ${aside.join(', ')} aside. \`holdpoint ledger fsck\` says whether it was cut off.`
        : basename(resolve(path)) === 'ledger'
          ? `Name the directory that it is in: ${dirname(resolve(path))}.`
          : 'Name the directory that data.dir names.',
    );
  }
  const { trust, checkpoint } = options;
  const escrow = options.escrowKey === undefined ? null : readEscrowKey(options.escrowKey);
  const keks = escrow === null ? keksOf(path, options.keys) : [];
  const settings = {
    highWater: await readHighWater(mark),
    everySignature: options.everySignature ?? false,
    cosigned: readCosigned(join(path, 'anchors')),
    ...(options.primitives === undefined ? {} : { primitives: options.primitives }),
    ...(options.witnesses === undefined ? {} : { witnesses: options.witnesses }),
    ...(options.anchors === undefined ? {} : { anchors: options.anchors }),
    ...(trust === undefined ? {} : { trustedKeys: readTrust(trust) }),
    ...(checkpoint === undefined ? {} : { checkpoint: readOrThrow(checkpoint) }),
    ...(keks.length === 0 ? {} : { openBody: keks }),
  };
  // The mark remembers entries: that they are gone is a finding.
  if (!isThere) return verifyLedger(nothing(), settings);
  for (let attempt = 1; ; attempt += 1) {
    const { store, aside: damage, isWholeJournal } = await openEither(ledgerDir);
    // Nothing can be read: that is a finding about the ledger, and the verifier says it.
    if (store === null) return verifyLedger(failing(damage), settings);
    try {
      // Boxes may come later than the bodies of their epoch, where escrow was begun later.
      const opening =
        escrow === null ? {} : { openBody: await openEscrow(store.scan({ withoutBodies: true }), escrow) };
      const verdict = await verifyLedger(store.scan({}), { ...settings, ...opening });
      // A running sidecar may have moved what was being read: only then is a finding no finding yet.
      if (!verdict.ok && attempt < attemptsMax && !(await store.isWhole())) continue;
      return damage === null ? verdict : withDamage(verdict, damage, isWholeJournal);
    } finally {
      await store.close();
    }
  }
}

interface Either {
  /** Null where nothing can be read. */
  readonly store: LevelCopy | null;
  /** Why LevelDB with the whole journal cannot be; null where it can. */
  readonly aside: Error | null;
  /** The journal is read to its end. */
  readonly isWholeJournal: boolean;
}

/**
 * LevelDB with what the journal has besides, or the journal alone where LevelDB is damaged, or either with what comes before
 * damage to the journal. Throws what is no matter of the ledger, such as that there is no room for a copy.
 */
async function openEither(ledgerDir: string): Promise<Either> {
  try {
    return { store: await openLedgerCopy(ledgerDir), aside: null, isWholeJournal: true };
  } catch (error) {
    const aside = damageIn(error);
    try {
      return { store: await openJournalCopy(ledgerDir), aside, isWholeJournal: true };
    } catch (second) {
      const { message } = damageIn(second);
      const both = message === aside.message ? message : `${aside.message} ${message}`;
      const store = await openUpToDamage(ledgerDir);
      return { store, aside: new Error(both, { cause: second }), isWholeJournal: false };
    }
  }
}

/** What comes before damage to the journal, with LevelDB or without; null where neither can be read. */
async function openUpToDamage(ledgerDir: string): Promise<LevelCopy | null> {
  // Told already.
  const onDamage = (): void => undefined;
  return (
    (await openedOr(() => openLedgerCopy(ledgerDir, undefined, undefined, onDamage))) ??
    (await openedOr(() => openJournalCopy(ledgerDir, onDamage)))
  );
}

/** Null where damage keeps it from being opened, which the caller tells of: the verdict is about just that. */
async function openedOr(open: () => Promise<LevelCopy | null>): Promise<LevelCopy | null> {
  try {
    return await open();
  } catch (error) {
    damageIn(error);
    return null;
  }
}

function damageIn(error: unknown): Error {
  if (error instanceof HoldpointError && error.code === 'config_invalid') throw error;
  return error instanceof Error ? error : new Error(messageOf(error));
}

/** What is damaged comes first: where the journal has all of it nothing else is wrong, and where not, that is the cause. */
function withDamage(verdict: Verdict, { message: damaged }: Error, isWholeJournal: boolean): Verdict {
  const isAll = verdict.ok && isWholeJournal;
  const reached = isAll
    ? 'The journal has every entry: nothing is lost, and `holdpoint ledger fsck --repair` makes LevelDB again from it.'
    : isWholeJournal
      ? 'The journal alone was read, and whole up to here.'
      : 'What comes before that was read.';
  const seq = isAll ? -1 : verdict.size;
  const damage = { code: 'store_unreadable', seq, message: `${damaged} ${reached}` } as const;
  return { ...verdict, ok: false, findings: [damage, ...verdict.findings] };
}

/** The checkpoints that anchors acknowledged last, a witness's with its cosignature. */
function readCosigned(dir: string): string[] {
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir).filter((name) => name.endsWith('.checkpoint'));
  return names.sort().map((name) => readOrThrow(join(dir, name)));
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

export function readEscrowKey(file: string): Uint8Array {
  const key = parseEscrowKey(readOrThrow(file));
  if (key !== undefined) return key;
  throw new HoldpointError(
    'usage',
    `${file} is not an escrow key: 32 bytes in base64.`,
    'It is what `holdpoint keys escrow-new` printed as the secret.',
  );
}

/** A source that has no record. */
function nothing(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) };
}

/** A source that fails at its first record. */
function failing(error: unknown): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}

function keksOf(path: string, given: string | undefined): readonly Uint8Array[] {
  return given === undefined ? readKeks(join(path, 'keys')) : readKeksOrThrow(given);
}

/** Those of a directory that somebody named to have bodies opened: throws `usage` where it has none. */
export function readKeksOrThrow(dir: string): readonly Uint8Array[] {
  const keks = readKeks(dir);
  if (keks.length > 0) return keks;
  throw new HoldpointError(
    'usage',
    `There is no key-encryption key in ${dir}: nothing was verified.`,
    `--keys names the directory that has ${kekFile}. Without --keys, bodies are checked by their hash.`,
  );
}

/** None where no key is there: bodies are then checked by their ciphertext only, and the verdict says so. */
export function readKeks(dir: string): readonly Uint8Array[] {
  const text = readIfThere(join(dir, kekFile));
  const key = Buffer.from(text?.trim() ?? '', 'base64');
  const keys = retiredKeksIn(dir).map((kek) => new Uint8Array(kek.key));
  return key.length === 32 ? [new Uint8Array(key), ...keys] : keys;
}

function readIfThere(file: string): string | null {
  return existsSync(file) ? readOrThrow(file) : null;
}

function readOrThrow(file: string): string {
  return readFileOrThrow(file).toString('utf8');
}
