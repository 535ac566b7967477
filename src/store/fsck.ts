/**
 * Looks at every byte of a data directory's ledger that has a checksum or a place: the journal's frames, LevelDB's
 * tables and logs, what both say of each other, the high-water mark and the index. Changes nothing. What the entries say is
 * not judged here: that is the verifier's.
 */
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, refusalOf } from '../core/errors.ts';
import { parseRecordKey } from '../ledger/block.ts';
import { parseHighWater } from '../ledger/verify/high-water.ts';
import { type Add, type End, endOf, type FsckFinding, noFile, recordHeaderBytes } from './fsck-finding.ts';
import { checkJournal } from './fsck-journal.ts';
import { segmentFile } from './journal.ts';
import { openJournalReader } from './journal-reader.ts';
import { type LevelCopy, openLevelCopy } from './level.ts';
import { logDefect } from './level-log.ts';
import { isReachKey, lastKey } from './reach.ts';
import { decodeReference } from './reference.ts';
import { checkTableFile } from './table-file.ts';

export interface FsckReport {
  readonly findings: readonly FsckFinding[];
  readonly segments: number;
  readonly frames: number;
  readonly tables: number;
  /** Entries in LevelDB. */
  readonly entries: number;
  readonly bodies: number;
  /** The journal has every entry from the first on, in whole frames: LevelDB can be made again from it. */
  readonly journalIsWhole: boolean;
}

export interface FsckPaths {
  readonly ledgerDir: string;
  readonly indexDir: string;
  readonly highWater: string;
}

/** How often reading starts over because a running sidecar moved what was read. */
const attemptsMax = 5;

/** Checks the directory, also while a sidecar writes to it; at its end all findings are known. */
export async function fsck(paths: FsckPaths): Promise<FsckReport> {
  for (let attempt = 1; ; attempt += 1) {
    const { report, isWhole } = await once(paths);
    if (isWhole || attempt >= attemptsMax) return report;
  }
}

async function once(paths: FsckPaths): Promise<{ report: FsckReport; isWhole: boolean }> {
  const findings: FsckFinding[] = [];
  const add: Add = (kind, file, byte, message) => findings.push({ kind, file, byte, message });
  // What follows the ledger is read before it: while a sidecar runs the ledger only gets longer.
  const mark = readMark(paths.highWater, add);
  const tip = await checkIndex(paths.indexDir, add);
  const tables = await checkTables(paths.ledgerDir, add);
  await checkLogs(paths.ledgerDir, add);
  const level = await openLevelCopy(paths.ledgerDir).catch((error: unknown) => {
    add('derived', paths.ledgerDir, -1, messageOf(error));
    return null;
  });
  try {
    const journal = await checkJournal(paths.ledgerDir, level, add);
    const known = level === null ? noLevel : await checkLevel(paths.ledgerDir, level, add);
    const ends = [journal.end, known.end].sort((a, b) => a.size - b.size);
    const entries = ends[1]?.size ?? 0;
    if (mark !== undefined) checkMark(paths.highWater, mark, ends, add);
    if (tip !== null && tip > entries)
      add('derived', paths.indexDir, -1, `the index knows ${tip} entries, the ledger has ${entries}`);
    const { segments, frames, isWhole: journalIsWhole } = journal;
    const { bodies } = known;
    const report = { findings, segments, frames, tables, entries, bodies, journalIsWhole };
    return { report, isWhole: level === null || (await level.isWhole()) };
  } finally {
    await level?.close();
  }
}

const noLevel = { bodies: 0, end: { size: 0, root: '' } };

function checkTables(dir: string, add: Add): Promise<number> {
  return checkFiles(dir, /\.(ldb|sst)$/, (file) => checkTableFile(file).defect, add);
}

/** What LevelDB has in no table yet. */
function checkLogs(dir: string, add: Add): Promise<number> {
  return checkFiles(dir, /^\d+\.log$/, (file) => logDefect(readFileSync(file)), add);
}

/** Resolves with how many there are. */
async function checkFiles(
  dir: string,
  names: RegExp,
  defectIn: (file: string) => string | null,
  add: Add,
): Promise<number> {
  const found = (await readdir(dir)).filter((name) => names.test(name)).sort();
  for (const name of found) {
    const file = join(dir, name);
    const defect = defectOf(file, defectIn);
    // One that is gone was compacted away by a running sidecar.
    if (defect !== null && lstatSync(file, { throwIfNoEntry: false }) !== undefined)
      add('derived', file, byteIn(defect), defect);
  }
  return found.length;
}

function defectOf(file: string, defectIn: (file: string) => string | null): string | null {
  try {
    return noFile(file) ?? defectIn(file);
  } catch (error) {
    return `it cannot be read: ${refusalOf(error)}`;
  }
}

function byteIn(defect: string): number {
  const [, byte] = /at byte (\d+)/.exec(defect) ?? [];
  return byte === undefined ? -1 : Number(byte);
}

/** LevelDB's records in order: dense blocks, and references that lead to the record they name. */
async function checkLevel(dir: string, level: LevelCopy, add: Add) {
  const reader = openJournalReader(dir);
  let end: End = { size: 0, root: '' };
  let bodies = 0;
  try {
    for await (const { key, value } of level.scan({ to: lastKey })) {
      if (isReachKey(key)) continue;
      const place = parseRecordKey(key);
      if (place === null) add('damage', dir, -1, 'LevelDB has a key that is none of the format');
      else if (place.kind === 'block') {
        if (place.seq !== end.size)
          add('derived', dir, -1, `LevelDB goes on with entry ${place.seq} after ${end.size - 1}`);
        end = endOf(place.seq, value, (message) => add('derived', dir, -1, message));
      } else if (place.kind === 'bodies') {
        bodies += 1;
        await checkReference(dir, reader, key, place.seq, value, add);
      }
    }
  } catch (error) {
    add('derived', dir, -1, `LevelDB cannot be read after entry ${end.size - 1}: ${refusalOf(error)}`);
  } finally {
    reader.close();
  }
  return { bodies, end };
}

async function checkReference(
  dir: string,
  reader: ReturnType<typeof openJournalReader>,
  key: Buffer,
  seq: number,
  value: Buffer,
  add: Add,
): Promise<void> {
  const reference = decodeReference(value);
  if (reference === null) {
    add('derived', dir, -1, `the reference to the bodies of block ${seq} cannot be read`);
    return;
  }
  const { segment, offset, bytes } = reference;
  const head = await reader.read({ segment, offset: offset - recordHeaderBytes, bytes: recordHeaderBytes });
  const last = await reader.read({ segment, offset: offset + bytes - 1, bytes: 1 });
  const isThere =
    head.length === recordHeaderBytes &&
    last.length === 1 &&
    head.subarray(0, 9).equals(key) &&
    head.readUInt32BE(9) === bytes;
  if (!isThere)
    add('damage', segmentFile(dir, segment), offset, `the bodies of block ${seq} do not lie there`);
}

/** Null where there is none; undefined where it cannot be read, which is added. */
function readMark(file: string, add: Add): string | null | undefined {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return null;
  let text: string | undefined;
  const defect = defectOf(file, () => {
    text = readFileSync(file, 'utf8');
    return null;
  });
  if (defect !== null) add('damage', file, -1, defect);
  return text;
}

function checkMark(file: string, text: string | null, ends: readonly End[], add: Add): void {
  if (text === null) {
    add('note', file, -1, 'there is no high-water mark: entries cut from the end would not be noticed');
    return;
  }
  const mark = parseHighWater(text);
  const size = Math.max(...ends.map((end) => end.size));
  if (mark === undefined) add('damage', file, 0, 'the high-water mark does not parse');
  else if (mark.size > size)
    add('damage', file, 0, `the mark knows ${mark.size} entries, the ledger has ${size}`);
  else if (ends.some((end) => end.size === mark.size && end.root !== mark.root))
    add('damage', file, 0, 'the mark remembers another root at its size');
}

/** How many entries the index has seen; null where it cannot say. */
async function checkIndex(dir: string, add: Add): Promise<number | null> {
  if (!existsSync(dir)) {
    add('note', dir, -1, 'there is no index; the next start makes it');
    return null;
  }
  await checkTables(dir, add);
  try {
    const index = await openLevelCopy(dir);
    try {
      return Number((await index.get(Buffer.from('tip')))?.toString() ?? 0);
    } finally {
      await index.close();
    }
  } catch (error) {
    add('derived', dir, -1, messageOf(error));
    return null;
  }
}
