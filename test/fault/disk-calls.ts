/**
 * Every storage call that the process makes below one directory: node:fs as `src/store/` uses it, and LevelDB's
 * opening and batches. A watcher says what becomes of each. Import it before anything of `src/`: what is
 * promisified while a module loads would otherwise keep the unwatched function.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { relative } from 'node:path';
import { promisify } from 'node:util';
import { Level } from 'level';

export type DiskCallKind = 'open' | 'write' | 'truncate' | 'datasync' | 'sync' | 'open database' | 'batch';

export interface DiskCall {
  readonly kind: DiskCallKind;
  /** Relative to the watched directory; '' for that itself. */
  readonly file: string;
  /** What is written and where; absent for other kinds. */
  readonly bytes?: Buffer;
  readonly position?: number;
  /** Of a write: durable when it returns. Of an open: the file may be new. */
  readonly through?: boolean;
  readonly creates?: boolean;
}

/**
 * `before` fails with nothing done, `after` with all of it done, `middle` with half of a write done (other kinds
 * have no half: they are done). `short` is no failure: the call says itself that it wrote half.
 */
export type Fate = 'done' | 'before' | 'middle' | 'after' | 'short';

export interface DiskWatcher {
  readonly dir: string;
  fateOf(call: DiskCall): Fate;
  /** What a failing call throws; may end the process instead. */
  failureOf(call: DiskCall): Error;
  /** Told once a call was done, in whole. */
  readonly done?: (call: DiskCall) => void;
}

const original = {
  open: promisify(fs.open),
  write: promisify(fs.write),
  fdatasync: promisify(fs.fdatasync),
  openSync: fs.openSync,
  closeSync: fs.closeSync,
  writeSync: fs.writeSync,
  fsyncSync: fs.fsyncSync,
  ftruncateSync: fs.ftruncateSync,
};
const unwatched = { open: fs.open, write: fs.write, fdatasync: fs.fdatasync };

interface OpenFile {
  readonly path: string;
  readonly through: boolean;
}
const files = new Map<number, OpenFile>();
let watcher: DiskWatcher | null = null;

/** Watches the calls below a directory until the returned function is called; one watcher at a time. */
export function watchDisk(next: DiskWatcher): () => void {
  watcher = next;
  return () => {
    if (watcher === next) watcher = null;
  };
}

function fileOf(path: string | undefined): string | null {
  if (watcher === null || path === undefined) return null;
  const file = relative(watcher.dir, path);
  return file.startsWith('..') ? null : file;
}

/** Runs a call that has no half. */
function whole<T>(call: DiskCall | null, run: () => T): T {
  const by = watcher;
  if (call === null || by === null) return run();
  const fate = by.fateOf(call);
  if (fate === 'before') throw by.failureOf(call);
  const result = run();
  if (fate !== 'done' && fate !== 'short') throw by.failureOf(call);
  by.done?.(call);
  return result;
}

/** @param undone lets go what a call that fails after all must not keep */
async function wholeLater<T>(
  call: DiskCall | null,
  run: () => Promise<T>,
  undone: () => Promise<void> = async () => undefined,
): Promise<T> {
  const by = watcher;
  if (call === null || by === null) return run();
  const fate = by.fateOf(call);
  if (fate === 'before') throw by.failureOf(call);
  const result = await run();
  if (fate !== 'done' && fate !== 'short') {
    await undone();
    throw by.failureOf(call);
  }
  by.done?.(call);
  return result;
}

function callOn(fd: number, kind: DiskCallKind, more: Partial<DiskCall> = {}): DiskCall | null {
  const known = files.get(fd);
  const file = fileOf(known?.path);
  return file === null ? null : { kind, file, ...more, through: known?.through ?? false };
}

const { O_CREAT, O_DSYNC, O_TRUNC } = fs.constants;

function openCall(path: string, flags: string | number): DiskCall | null {
  const file = fileOf(path);
  const creates = typeof flags === 'number' ? (flags & (O_CREAT | O_TRUNC)) !== 0 : flags.startsWith('w');
  return file === null ? null : { kind: 'open', file, creates };
}

function remember(fd: number, path: string, flags: string | number): number {
  files.set(fd, { path, through: typeof flags === 'number' && (flags & O_DSYNC) !== 0 });
  return fd;
}

async function write(fd: number, buffer: Buffer, offset: number, length: number, position: number) {
  const bytes = Buffer.from(buffer.subarray(offset, offset + length));
  const call = callOn(fd, 'write', { bytes, position });
  const by = watcher;
  if (call === null || by === null) return original.write(fd, buffer, offset, length, position);
  const fate = by.fateOf(call);
  if (fate === 'before') throw by.failureOf(call);
  const half = Math.ceil(length / 2);
  const isHalf = fate === 'middle' || fate === 'short';
  const result = await original.write(fd, buffer, offset, isHalf ? half : length, position);
  if (fate === 'short') by.done?.({ ...call, bytes: bytes.subarray(0, half) });
  if (fate === 'done') by.done?.(call);
  if (fate === 'middle' || fate === 'after') throw by.failureOf(call);
  return result;
}

/** The high-water mark's one line, and small files that are written whole. */
function writeSmall(fd: number, bytes: Buffer, position: number | null): number {
  const call = callOn(fd, 'write', { bytes, position: position ?? 0 });
  const by = watcher;
  if (call === null || by === null) return original.writeSync(fd, bytes, 0, bytes.length, position);
  const fate = by.fateOf(call);
  if (fate === 'before') throw by.failureOf(call);
  // What is shorter than a sector is replaced whole or not at all.
  const written = original.writeSync(fd, bytes, 0, bytes.length, position);
  if (fate === 'middle' || fate === 'after') throw by.failureOf(call);
  by.done?.(call);
  return written;
}

/** The callback's form stays as it is: others use it. */
function withPromise(plain: (...args: never[]) => unknown, promised: unknown): object {
  const wrapped = (...args: never[]): unknown => plain(...args);
  return Object.assign(wrapped, plain, { [promisify.custom]: promised });
}

Object.assign(fs, {
  open: withPromise(unwatched.open, async (path: string, flags: number, mode: number) =>
    remember(await wholeLater(openCall(path, flags), () => original.open(path, flags, mode)), path, flags),
  ),
  write: withPromise(unwatched.write, write),
  fdatasync: withPromise(unwatched.fdatasync, (fd: number) =>
    wholeLater(callOn(fd, 'datasync'), () => original.fdatasync(fd)),
  ),
  openSync: (path: string, flags: string | number, mode?: number) =>
    remember(
      whole(openCall(path, flags), () => original.openSync(path, flags, mode)),
      path,
      flags,
    ),
  closeSync: (fd: number) => {
    files.delete(fd);
    original.closeSync(fd);
  },
  writeSync: (fd: number, ...rest: [unknown, ...unknown[]]) => {
    const [content, at, length] = rest;
    if (typeof content === 'string' && typeof at === 'number')
      return writeSmall(fd, Buffer.from(content), at);
    // As node:fs itself calls it for a whole file.
    if (Buffer.isBuffer(content) && at === 0 && length === content.length)
      return writeSmall(fd, content, null);
    return Reflect.apply(original.writeSync, fs, [fd, ...rest]);
  },
  fsyncSync: (fd: number) => whole(callOn(fd, 'sync'), () => original.fsyncSync(fd)),
  ftruncateSync: (fd: number, length: number) =>
    whole(callOn(fd, 'truncate', { position: length }), () => original.ftruncateSync(fd, length)),
});
syncBuiltinESMExports();

/** What abstract-level asks of a database, which its types leave out: faults are to fall right there. */
function insideOf(
  name: '_batch' | '_open' | '_close',
): (database: object, args: readonly unknown[]) => Promise<void> {
  const method: unknown = Reflect.get(Level.prototype, name);
  if (typeof method !== 'function') throw new TypeError(`Level has no ${name}`);
  return (database, args) => Reflect.apply(method, database, args);
}
const [batch, open, close] = [insideOf('_batch'), insideOf('_open'), insideOf('_close')];
interface Located {
  readonly location: string;
}
Reflect.set(
  Level.prototype,
  '_batch',
  function (this: Located, operations: unknown, options: { readonly sync?: boolean }) {
    const file = fileOf(this.location);
    const call = file === null ? null : { kind: 'batch' as const, file, through: options.sync === true };
    return wholeLater(call, () => batch(this, [operations, options]));
  },
);
Reflect.set(Level.prototype, '_open', function (this: Located, options: unknown) {
  const file = fileOf(this.location);
  const call = file === null ? null : { kind: 'open database' as const, file };
  // One that cannot be opened has let its lock go.
  return wholeLater(
    call,
    () => open(this, [options]),
    () => close(this, []),
  );
});

/** As the operating system says it. */
export function systemError(code: 'EIO' | 'ENOSPC', { kind, file }: DiskCall): Error {
  const text = code === 'EIO' ? 'i/o error' : 'no space left on device';
  return Object.assign(new Error(`${code}: ${text}, ${kind} '${file}'`), { code, syscall: kind });
}
