/**
 * A backup: the ledger's records as streams, one for each time it was taken, and a manifest that names them.
 * FORMAT.md, "Backup". Owns the backup's directory; reads the ledger through its port.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { sha256Hex } from '../core/bytes.ts';
import { HoldpointError } from '../core/errors.ts';
import { decodeBlock, parseRecordKey } from '../ledger/block.ts';
import { exportStream } from '../ledger/export.ts';
import { streamHeader } from '../ledger/frame.ts';
import { readBlocks, readNoteAt } from '../ledger/reader.ts';
import type { RecordStore } from '../ledger/store.ts';
import { readStream } from '../ledger/verify/stream.ts';
import { type Verdict, type VerifyOptions, verifyLedger } from '../ledger/verify/verify.ts';
import { type ApartFile, writeApart } from './apart-file.ts';
import { makePrivateDirectory } from './directory.ts';
import { noFile } from './fsck-finding.ts';
import type { LevelCopy } from './level.ts';
import { syncDirectory, writeWholeFile } from './whole-file.ts';

const manifestFile = 'manifest.json';
const fileName = /^records-(\d{20})\.hpj$/;

const manifestSchema = z.strictObject({
  format: z.literal('holdpoint-backup-1'),
  origin: z.string(),
  /** The verifier key that the ledger is under at its end; earlier versions wrote the first one. */
  key: z.string(),
  size: z.int().min(1),
  /** Base64, as in the note. */
  root: z.string(),
  note: z.string(),
  taken: z.iso.datetime(),
  files: z
    .array(
      z.strictObject({
        name: z.string().regex(fileName),
        first: z.int().min(0),
        bytes: z.int().min(0),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .min(1),
});
export type Manifest = z.infer<typeof manifestSchema>;

export interface Backup {
  readonly dir: string;
  readonly manifest: Manifest;
  /** SHA-256 of the manifest's bytes, hex: what the ledger remembers of a backup it was restored from. */
  readonly id: string;
}

export function isBackup(dir: string): boolean {
  return existsSync(join(dir, manifestFile));
}

/** Throws `usage` where `dir` is no backup of this format. */
export function readBackup(dir: string): Backup {
  try {
    requireFile(join(dir, manifestFile));
    const bytes = readFileSync(join(dir, manifestFile));
    return { dir, manifest: manifestSchema.parse(JSON.parse(bytes.toString('utf8'))), id: sha256Hex(bytes) };
  } catch (error) {
    throw new HoldpointError(
      'usage',
      `${dir} is not a backup: its ${manifestFile} is missing or not of this format.`,
      'Name a directory that `holdpoint ledger backup` wrote.',
      error,
    );
  }
}

/** Every record of a backup as one stream of bytes. */
async function* streamOf({ dir, manifest }: Backup): AsyncGenerator<Buffer> {
  for (const [index, { name }] of manifest.files.entries()) {
    const start = index === 0 ? 0 : streamHeader.length;
    const file = join(dir, name);
    requireFile(file);
    const chunks: AsyncIterable<Buffer> = createReadStream(file, { start });
    yield* chunks;
  }
}

/** A pipe or a device that somebody put there would be read for ever. */
function requireFile(file: string): void {
  const defect = noFile(file);
  if (defect !== null) throw new Error(`${file}: ${defect}`);
}

export function recordsOf(backup: Backup): ReturnType<typeof readStream> {
  return readStream(streamOf(backup));
}

/** What a backup is worth: its records verified, its files and its end as the manifest says. `usage` where a file is gone. */
export async function verifyBackup(
  backup: Backup,
  options: VerifyOptions,
): Promise<{ readonly verdict: Verdict; readonly defects: readonly string[] }> {
  const defects: string[] = [];
  for (const { name, bytes, sha256 } of backup.manifest.files) {
    const file = join(backup.dir, name);
    const unread = noFile(file);
    if (!existsSync(file)) defects.push(`${name} is missing`);
    else if (unread !== null) defects.push(`${name}: ${unread}`);
    else if (statSync(file).size !== bytes)
      defects.push(`${name} has ${statSync(file).size} bytes, not ${bytes}`);
    else if ((await digestOf(file)) !== sha256)
      defects.push(`${name} does not have the digest of the manifest`);
  }
  const verdict = await verifyLedger(recordsOf(backup), options);
  const { size, root, key } = backup.manifest;
  const isItsKey = verdict.keys.some((one) => one.key === key);
  if (verdict.ok && (verdict.size !== size || verdict.root !== root || !isItsKey))
    defects.push(`its records end at entry ${verdict.size}, not with the root and key of the manifest`);
  return { verdict, defects };
}

/**
 * Adds to the backup in `dir` what was sealed since, or begins it; resolves when all of it is on disk. A crash
 * leaves the backup as it was before. Throws `usage` where `dir` holds anything else, a backup that this ledger does
 * not go on from, or one that could not be restored any more; `overloaded` where bodies were erased or moved meanwhile,
 * so that what was copied lacks some, or another backup was taken there: with a fresh copy it can be taken.
 * @param store the ledger as it was at one moment
 * @param openAnew the ledger as it is when it is called: a key may be retired while its bodies are copied
 */
export async function takeBackup(
  store: RecordStore & Pick<LevelCopy, 'isWhole'>,
  dir: string,
  facts: { readonly origin: string; readonly key: string; readonly taken: string },
  openAnew: () => Promise<RecordStore>,
): Promise<Backup> {
  makePrivateDirectory(dir);
  const before = isBackup(dir) ? readBackup(dir).manifest : null;
  if (before === null) requireEmpty(dir);
  else {
    await requireGoesOn(store, before, dir);
    await requireKeysKept(store, before.size, dir, beginAnew);
  }
  const first = before?.size ?? 0;
  const name = `records-${String(first).padStart(20, '0')}.hpj`;
  const file = await writeApart(join(dir, name), exportStream(store, first));
  try {
    const { size, note, root } = await endOf(store);
    const now = await openAnew();
    try {
      await requireKeysKept(now, size, dir, before === null ? takeAgain : beginAnew);
    } finally {
      await now.close();
    }
    if (!(await store.isWhole()))
      throw new HoldpointError('overloaded', 'The ledger moved while it was copied.', takeAgain);
    const added = { name, first, bytes: file.bytes, sha256: file.sha256 };
    const manifest: Manifest = {
      format: 'holdpoint-backup-1',
      ...facts,
      size,
      root,
      note,
      files: size === first ? (before?.files ?? []) : [...(before?.files ?? []), added],
    };
    put(dir, manifest, size === first ? null : file, before);
  } finally {
    await file.close();
  }
  return readBackup(dir);
}

/** In one step, so that of two at once the second finds the manifest of the first. On disk when it returns. */
function put(dir: string, manifest: Manifest, file: ApartFile | null, before: Manifest | null): void {
  const now = isBackup(dir) ? readBackup(dir).manifest : null;
  if (!isDeepStrictEqual(now, before) || file?.takePlace() === false)
    throw new HoldpointError(
      'overloaded',
      `Another backup is taken into ${dir} at the same time.`,
      takeAgain,
    );
  // The names of the records first.
  syncDirectory(dir);
  // The backup is the new one from this line on.
  writeWholeFile(join(dir, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Only what an attempt that was broken off left behind may lie there. */
function requireEmpty(dir: string): void {
  const isLeft = (name: string): boolean =>
    fileName.test(name) || name === `${manifestFile}.new` || /^records-\d{20}\.hpj\.new$/.test(name);
  const others = readdirSync(dir).filter((name) => !isLeft(name));
  if (others.length > 0)
    throw new HoldpointError('usage', `${dir} is not empty, and no backup.`, 'Name a new directory.');
}

async function requireGoesOn(store: RecordStore, { size, note }: Manifest, dir: string): Promise<void> {
  const found = await readNoteAt(store, size);
  const text = (whole: string): string => whole.split('\n\n')[0] ?? '';
  if (found !== null && text(found.toString('utf8')) === text(note)) return;
  throw new HoldpointError(
    'usage',
    `The ledger does not go on from the backup in ${dir}, which has ${size} entries.`,
    'It is a backup of another ledger, or the ledger was restored since: keep it, and name a new directory.',
  );
}

const beginAnew = 'Begin a new backup in another directory; the old one opens only with that key.';
const takeAgain = 'Nothing was taken. Take the backup again.';

/** What the backup has may be under a key that was destroyed since: it would be continued, and never restored. */
async function requireKeysKept(
  store: RecordStore,
  fromSeq: number,
  dir: string,
  nextStep: string,
): Promise<void> {
  for await (const entries of readBlocks(store, { fromSeq, reverse: false })) {
    // Where nothing follows, the last block is given: its entries were copied with their bodies.
    const retired = entries.find(
      ({ seq, type, data }) => seq >= fromSeq && type === 'key' && data['action'] === 'retire',
    );
    if (retired === undefined) continue;
    throw new HoldpointError(
      'usage',
      `The key-encryption key ${String(retired.data['kek'])} was retired since what is in ${dir} was copied, which may need it.`,
      nextStep,
    );
  }
}

async function endOf(store: RecordStore): Promise<{ size: number; note: string; root: string }> {
  for await (const { key, value } of store.scan({ reverse: true, withoutBodies: true })) {
    if (parseRecordKey(key)?.kind !== 'block') continue;
    const note = decodeBlock(value).note.toString('utf8');
    const [, size = '', root = ''] = note.split('\n');
    return { size: Number(size), note, root };
  }
  throw new HoldpointError('usage', 'The ledger has no entry yet.', 'Start it first: holdpoint run.');
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
