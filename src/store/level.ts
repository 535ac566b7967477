/** LevelDB behind the ledger's port; the only importer of `level`. */
import { rmSync, symlinkSync } from 'node:fs';
import { cp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { Level } from 'level';
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { RecordStore, ScanRange, StoredRecord } from '../ledger/store.ts';
import { makeCopyDirectory, removeStaleCopies } from './copy-place.ts';
import { makePrivateDirectory } from './directory.ts';
import { segmentsIn } from './journal.ts';
import { checkTableFile } from './table-file.ts';

/** What LevelDB keeps in memory and in its log before it makes a table of it; it has up to two of these. */
const writeBufferBytes = 4 * 1024 * 1024;
/** Of blocks that were read; the system keeps the files in its memory anyway. */
const cacheBytes = 4 * 1024 * 1024;
/** A start links every table, so that there must not be many; a larger one is more to write again with each merge. */
const tableBytes = 4 * 1024 * 1024;

/** A record to put, or with null to delete. */
export interface Change {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

export interface LevelStore extends RecordStore {
  /** As `commit`, with deletions. */
  write(changes: readonly Change[], sync: boolean): Promise<void>;
  /**
   * Resolves when everything written before is in tables on disk. A synced write alone does not say that: where
   * LevelDB began another log in between, the tail of the one before may still be with the operating system.
   */
  flush(): Promise<void>;
}

/**
 * Opens the LevelDB database in `dir`, exclusively; `data_dir_locked` when it is in use. Creates it where there
 * is none: one that lost its list of files is damaged, and beginning anew would delete what is left of it.
 */
export async function openLevelStore(dir: string): Promise<LevelStore> {
  return open(dir, !(await isBegun(dir)));
}

/**
 * False where no database was begun: a first start that died may have left the directory, or some of its files. Rejects where
 * nobody can tell, because the system does not let the directory be read: what is there must not be taken for nothing.
 */
export async function isBegun(dir: string): Promise<boolean> {
  const none = (error: unknown): [] => noneWhereAbsent(dir, error);
  const names = await filesOf(dir).catch(none);
  const segments = await segmentsIn(dir).catch(none);
  const isOfDatabase = (name: string): boolean =>
    name === 'CURRENT' || isTable(name) || name.endsWith('.log');
  return segments.length > 0 || names.some(isOfDatabase);
}

/** As `openReplaceable`; closed with all of it in tables, so that the next start has no log to replay. */
export async function openLevelCache(dir: string): Promise<LevelStore> {
  const store = await openReplaceable(dir);
  return { ...store, close: () => store.flush().finally(store.close) };
}

/** Opens a database that can be made again from others: a damaged one is replaced by an empty one. */
export async function openReplaceable(dir: string): Promise<LevelStore> {
  try {
    return await openLevelStore(dir);
  } catch (error) {
    if (!(error instanceof HoldpointError && error.code === 'ledger_damaged')) throw error;
    await rm(dir, { recursive: true, force: true });
    return openLevelStore(dir);
  }
}

export interface LevelCopy extends LevelStore {
  /** False once a writer compacted away a table this copy reads: what was read may then lack entries. */
  isWhole(): Promise<boolean>;
}

/** A writer moves its files every few megabytes; a copy needs some milliseconds between two moves. */
const copyAttemptsMax = 20;

/**
 * Opens a database for reading without changing one byte of it: LevelDB has no read-only mode, so its logs
 * are copied and its immutable tables linked into a temporary directory `under` the one given. Works while
 * another process writes: where files moved meanwhile, it starts over.
 * @param checkedBytesMax how much of the tables, the newest first, has its checksums checked; all of it by default
 */
export async function openLevelCopy(
  dir: string,
  under = tmpdir(),
  checkedBytesMax = Number.POSITIVE_INFINITY,
): Promise<LevelCopy> {
  await removeStaleCopies(under);
  for (let attempt = 1; ; attempt += 1) {
    const before = await stateOf(dir);
    try {
      return await copyOnce(dir, under, checkedBytesMax);
    } catch (error) {
      // Nothing moved: it is the database itself that cannot be opened.
      if (attempt >= copyAttemptsMax || (await stateOf(dir)) === before) throw error;
    }
  }
}

/** An empty database in a temporary directory, for records to be read in the order of their keys; closing removes it. */
export async function openLevelScratch(under = tmpdir()): Promise<LevelCopy> {
  const dir = await makeCopyDirectory(under);
  const store = await open(dir, true);
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  return { ...store, isWhole: () => Promise.resolve(true), close: () => store.close().finally(remove) };
}

async function copyOnce(dir: string, under: string, checkedBytesMax: number): Promise<LevelCopy> {
  const copy = await makeCopyDirectory(under);
  const defects: string[] = [];
  // A link for each table, which may be thousands: what is the same for all of them is worked out once.
  const [source, target] = [resolve(dir) + sep, copy + sep];
  // In one call: asking for each of them apart takes five times as long.
  const remove = (): void => rmSync(copy, { recursive: true, force: true });
  try {
    const names = await filesOf(dir);
    const tables = names.filter(isTable);
    let checkedBytes = 0;
    for (const name of tables.toReversed()) {
      if (checkedBytes < checkedBytesMax) {
        const { bytes, defect } = checkTableFile(join(dir, name));
        checkedBytes += bytes;
        if (defect !== null) {
          // Left out. Where LevelDB misses it, it is damaged; a process that died may also have left half of one.
          defects.push(`${name}: ${defect}`);
          continue;
        }
      }
      // Linked under LevelDB's older ending, which it reads but never writes: a table that it makes while it
      // replays the logs may get the number of one here, and must not be written through the link.
      symlinkSync(source + name, `${target}${name.slice(0, -'.ldb'.length)}.sst`);
    }
    for (const name of names.filter((other) => !isTable(other))) await cp(join(dir, name), join(copy, name));
    const store = await open(copy, false, dir);
    return {
      ...store,
      isWhole: async () => {
        const now = new Set(await filesOf(dir));
        return tables.every((name) => now.has(name));
      },
      close: () => store.close().finally(remove),
    };
  } catch (error) {
    remove();
    if (defects.length > 0) throw openError(dir, new Error(defects.join('; ')));
    throw error instanceof HoldpointError ? error : openError(dir, error);
  }
}

/** What LevelDB reads when it opens (doc/impl.md). Its lock and its log of events are none of its data. */
const dataFile = /^(CURRENT|MANIFEST-\d+|\d+\.(log|ldb|sst))$/;

/** The database's files, and nothing else that lies there: the journal, or what a file system or a person put beside it. */
function noneWhereAbsent(dir: string, error: unknown): [] {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return [];
  throw openError(dir, error);
}

async function filesOf(dir: string): Promise<string[]> {
  const names = await readdir(dir);
  return names.filter((name) => dataFile.test(name)).sort();
}

function isTable(name: string): boolean {
  return name.endsWith('.ldb') || name.endsWith('.sst');
}

/** Tables never change, so that their names say it all; of other files the size does. */
async function stateOf(dir: string): Promise<string> {
  const names = await filesOf(dir);
  const sizes = await Promise.all(
    names.map(async (name) =>
      isTable(name) ? '' : ((await stat(join(dir, name)).catch(() => null))?.size ?? 'gone'),
    ),
  );
  return names.map((name, index) => `${name} ${sizes[index]}`).join();
}

/** @param named the directory that a refusal names, where `dir` is a copy of it */
async function open(dir: string, createIfMissing: boolean, named = dir): Promise<LevelStore> {
  makePrivateDirectory(dir);
  const db = new Level<Buffer, Buffer>(dir, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    // What fills the tables is ciphertext.
    compression: false,
    createIfMissing,
    cacheSize: cacheBytes,
    writeBufferSize: writeBufferBytes,
    maxFileSize: tableBytes,
  });
  try {
    await db.open();
  } catch (error) {
    throw openError(named, error, dir);
  }
  return {
    commit: (records, sync) => db.batch(records.map(operation), { sync }),
    write: (changes, sync) => db.batch(changes.map(operation), { sync }),
    flush: () => flushMemory(db),
    get: async (key) => {
      try {
        return await db.get(key);
      } catch (error) {
        throw closedMeanwhile(error);
      }
    },
    scan: (range) => scan(db, range),
    close: () => db.close(),
  };
}

const beyondAllKeys = Buffer.alloc(16, 0xff);
const noValue = Buffer.alloc(0);

/** LevelDB writes its memory to a table before it compacts, whatever the range; no key lies in this one. */
async function flushMemory(db: object): Promise<void> {
  // What `level` is in Node has it; its types are those that browsers share.
  const compactRange: unknown = Reflect.get(db, 'compactRange');
  if (typeof compactRange !== 'function') throw new TypeError('This build of LevelDB cannot compact.');
  await Reflect.apply(compactRange, db, [beyondAllKeys, beyondAllKeys]);
}

function operation({ key, value }: Change) {
  return value === null ? { type: 'del' as const, key } : { type: 'put' as const, key, value };
}

async function* scan(db: Level<Buffer, Buffer>, range: ScanRange): AsyncIterable<StoredRecord> {
  const options = {
    ...(range.from === undefined ? {} : { gte: range.from }),
    ...(range.to === undefined ? {} : { lte: range.to }),
    reverse: range.reverse ?? false,
    limit: range.limit ?? -1,
    values: range.keysOnly !== true,
  };
  try {
    for await (const [key, value = noValue] of db.iterator(options)) yield { key, value };
  } catch (error) {
    throw closedMeanwhile(error);
  }
}

/** Whoever reads while the ledger is closed, to stop or to be opened again, is told so. */
function closedMeanwhile(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code !== 'LEVEL_DATABASE_NOT_OPEN' && code !== 'LEVEL_ITERATOR_NOT_OPEN') return error;
  return new HoldpointError('ledger_unavailable', 'The ledger was closed meanwhile.', 'Ask again.', error);
}

/** What a disk says that is as it was, but takes nothing. */
const cannotWrite =
  /EACCES|EPERM|EROFS|ENOSPC|EDQUOT|Permission denied|Read-only file system|No space left|quota exceeded/;

/** What a system says that has none left to give: of the files nothing can be said then, and least that they are damaged. */
const usedUp = /EMFILE|ENFILE|ENOMEM|Too many open files|Cannot allocate memory/;

function openError(dir: string, error: unknown, opened = dir): HoldpointError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : '';
  if (code === 'LEVEL_LOCKED') {
    return new HoldpointError(
      'data_dir_locked',
      `Another Holdpoint process uses ${dir}.`,
      'A ledger has one writer: stop the other process or choose another data.dir.',
      error,
    );
  }
  const message = messageOf(cause).replaceAll(opened, dir);
  if (cannotWrite.test(message)) {
    return new HoldpointError(
      'config_invalid',
      `${dir} cannot be written: ${message}.`,
      'Make data.dir writable for the user that runs Holdpoint, with space left on its disk, or choose another.',
      error,
    );
  }
  if (usedUp.test(message)) {
    return new HoldpointError(
      'config_invalid',
      `${dir} cannot be opened: ${message}.`,
      'Nothing was changed. Raise the limit of open files (ulimit -n), or that of memory, or find out what takes so much.',
      error,
    );
  }
  return new HoldpointError(
    'ledger_damaged',
    `LevelDB cannot open ${dir}: ${message}.`,
    'Nothing was changed. `holdpoint ledger fsck` says what is damaged, and with --repair makes LevelDB again from the journal.',
    error,
  );
}
