/** Where copies for reading are made: temporary directories, and the fastest place for them. */
import { access, constants, mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldpointError, messageOf } from '../core/errors.ts';

const copyPrefix = 'holdpoint-verify-';
/** Only a process that was killed leaves a copy behind; none is in use this long. */
const staleAfterMs = 24 * 3_600_000;

/** Linux has a file system in memory there; containers may have made it small. */
const memoryDir = '/dev/shm';
/** Logs, what they hold as tables, and what LevelDB merges meanwhile, several times over. */
const memoryFreeBytesMin = 256 * 1024 * 1024;

/**
 * Where a copy is made fastest: in memory where there is room, otherwise in the place given. A link costs fifty times
 * less there, and a large database has hundreds of tables to link.
 */
export async function copyPlace(otherwise: string, memory = memoryDir): Promise<string> {
  try {
    await access(memory, constants.W_OK);
    const { bavail, bsize } = await statfs(memory);
    return bavail * bsize >= memoryFreeBytesMin ? memory : otherwise;
  } catch {
    // Not there, or not ours: the place given will do.
    return otherwise;
  }
}

/** Those that a process left which was killed. */
export async function removeStaleCopies(under: string): Promise<void> {
  const names = await readdir(under).catch(() => []);
  for (const name of names.filter((other) => other.startsWith(copyPrefix))) {
    const path = join(under, name);
    // Gone meanwhile, or another user's: no matter of ours.
    const found = await stat(path).catch(() => null);
    if (found === null || Date.now() - found.mtimeMs < staleAfterMs) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** A new one; throws `config_invalid` where none can be made. */
export function makeCopyDirectory(under: string): Promise<string> {
  return mkdtemp(join(under, copyPrefix)).catch((error: unknown) => {
    throw new HoldpointError(
      'config_invalid',
      `No temporary directory can be made in ${under}: ${messageOf(error)}.`,
      'Name one that can be written with TMPDIR.',
      error,
    );
  });
}
