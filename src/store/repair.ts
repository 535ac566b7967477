/**
 * Makes again what is derived: LevelDB from a journal that is whole, and the index by leaving it to the next start.
 * The evidence is never changed: what was there is kept under another name, and nothing takes its place that does
 * not verify up to the high-water mark.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { firstErasureIn } from '../ledger/erasure.ts';
import { verifyLedger } from '../ledger/verify/verify.ts';
import { asideOf } from './cut-off-repair.ts';
import { encodeList, type Listed, wipingKey } from './erasing.ts';
import type { FsckPaths, FsckReport } from './fsck.ts';
import { holdIndex } from './held-index.ts';
import { segmentFile, segmentsIn } from './journal.ts';
import { openLedgerCopy } from './ledger-copy.ts';
import { openLedgerStore } from './ledger-store.ts';
import { openLevelStore } from './level.ts';
import { decodeReference } from './reference.ts';
import { carryTokens } from './restored-tokens.ts';
import { bodiesIn } from './segment.ts';
import { stagingOf } from './staging.ts';
import { syncDirectory } from './whole-file.ts';

/**
 * Repairs what `report` found derived; resolves with what was done, in words. Throws `data_dir_locked` while a
 * sidecar runs, `ledger_damaged` where what would be made does not verify; then nothing was changed.
 */
export async function repair(paths: FsckPaths, report: FsckReport): Promise<readonly string[]> {
  const derived = report.findings.filter(({ kind }) => kind === 'derived');
  if (derived.length === 0) return [];
  // A sidecar holds the index as long as it runs, and none can start while it is held here.
  const index = await holdIndex(paths.indexDir);
  const done: string[] = [];
  try {
    if (derived.some(({ file }) => !file.startsWith(paths.indexDir))) done.push(await rebuild(paths, report));
    index.empty();
  } finally {
    await index.letGo();
  }
  return [...done, `removed ${paths.indexDir}; the next start makes it again`];
}

async function rebuild({ ledgerDir, highWater }: FsckPaths, report: FsckReport): Promise<string> {
  if (!report.journalIsWhole) throw notWhole(ledgerDir);
  const staging = stagingOf(ledgerDir, 'rebuilding');
  rmSync(staging, { recursive: true, force: true });
  const segments = await segmentsIn(ledgerDir);
  try {
    await make(ledgerDir, segments, staging, highWater);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw refused(error, staging);
  }
  const kept = asideOf(ledgerDir);
  // Between the two there is no ledger, and what lies there lets none be begun: another repair undoes the first.
  setAside(ledgerDir, kept, staging);
  renameSync(staging, ledgerDir);
  syncDirectory(dirname(ledgerDir));
  const from = segments.length === 1 ? '1 segment' : `${segments.length} segments`;
  return `made LevelDB in ${ledgerDir} again from ${from}; what was there is in ${basename(kept)}, remove it once all is well: no erasure reaches it`;
}

/** What is mounted cannot be renamed. */
function setAside(ledgerDir: string, kept: string, staging: string): void {
  try {
    renameSync(ledgerDir, kept);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw new HoldpointError(
      'config_invalid',
      `${ledgerDir} cannot be set aside as ${basename(kept)}: ${refusalOf(error)}.`,
      'Nothing was changed. Where something is mounted there, copy what it has to a directory of another data.dir, and repair it there.',
      error,
    );
  }
}

/** A ledger of the same journal, on disk when it resolves. */
async function make(
  ledgerDir: string,
  segments: readonly number[],
  staging: string,
  highWater: string,
): Promise<void> {
  await (await openLevelStore(staging)).close();
  for (const segment of segments) {
    const [from, to] = [segmentFile(ledgerDir, segment), segmentFile(staging, segment)];
    // Only the last is appended to any more.
    if (segment === segments.at(-1) || !isLinked(from, to)) copyFileSync(from, to);
  }
  carryTokens(ledgerDir, staging);
  await (await openLedgerStore(staging)).close();
  await requireVerified(staging, highWater);
  await overwriteUnreferred(staging);
  await takeErasuresUp(staging);
  for (const name of readdirSync(staging)) syncFile(join(staging, name));
  syncDirectory(staging);
}

/** False where no link can be made, such as on a file system that has none: a copy says itself what the disk refuses. */
function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/**
 * The LevelDB that was lost knew what was to be overwritten. In what was made again a bodies record that nothing refers
 * to is one that an erasure took something out of, or whose copy elsewhere counts.
 */
async function overwriteUnreferred(dir: string): Promise<void> {
  const level = await openLevelStore(dir);
  try {
    const unreferred: Listed[] = [];
    for (const segment of await segmentsIn(dir)) {
      for await (const { key, offset, bytes } of bodiesIn(segmentFile(dir, segment))) {
        const now = decodeReference((await level.get(key)) ?? Buffer.alloc(0));
        if (now?.segment === segment && now.offset === offset) continue;
        unreferred.push({ key, extent: { segment, offset, bytes } });
      }
    }
    for (const segment of new Set(unreferred.map(({ extent }) => extent.segment)))
      takeForItself(segmentFile(dir, segment));
    await level.write([{ key: wipingKey, value: encodeList(unreferred) }], true);
  } finally {
    await level.close();
  }
  // Opening overwrites what is listed.
  await (await openLedgerStore(dir)).close();
}

/** What is overwritten half-way when it is killed must not be what another repair would begin from. */
function takeForItself(file: string): void {
  copyFileSync(file, `${file}.own`);
  renameSync(`${file}.own`, file);
}

/** It also knew which erasure was sealed and not carried out: the next start carries all of them out again. */
async function takeErasuresUp(dir: string): Promise<void> {
  const store = await openLedgerStore(dir);
  try {
    await store.writeUnfinishedFrom(await firstErasureIn(store));
  } finally {
    await store.close();
  }
}

async function requireVerified(dir: string, highWater: string): Promise<void> {
  const copy = await openLedgerCopy(dir);
  try {
    const mark = existsSync(highWater) ? readFileSync(highWater, 'utf8') : null;
    const { ok, findings } = await verifyLedger(copy.scan({}), { highWater: mark });
    if (ok) return;
    const [first] = findings;
    throw new HoldpointError(
      'ledger_damaged',
      `What the journal holds does not verify: ${first?.code} at entry ${first?.seq}, ${first?.message}.`,
      'Nothing was changed. Restore a backup.',
    );
  } finally {
    await copy.close();
  }
}

function syncFile(file: string): void {
  const fd = openSync(file, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What the disk says, for whoever can make room on it; anything else as it is. */
function refused(error: unknown, staging: string): unknown {
  if (error instanceof HoldpointError || !(error instanceof Error) || !('syscall' in error)) return error;
  return new HoldpointError(
    'config_invalid',
    `LevelDB cannot be made again in ${staging}: ${refusalOf(error)}.`,
    'Nothing was changed. There must be room for it beside the ledger, and for the journal where the disk has no hard links.',
    error,
  );
}

function notWhole(dir: string): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    `LevelDB in ${dir} cannot be made again: the journal beside it is not whole.`,
    'Nothing was changed. Keep the directory as it is, and restore a backup.',
  );
}
