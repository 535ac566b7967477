/** Files that are replaced whole: after a crash or a power failure there is the old one or the new one, never a piece. */
import { chmodSync, closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Puts `content` in the place of what is at `file`, or of nothing; on disk when it returns. Two at once for the same file
 * must not be. Throws what the disk says; then what was there is there still, or the new one is and may not outlast a power
 * failure.
 * @param mode who may read it, whatever the umask
 */
export function writeWholeFile(file: string, content: string | Uint8Array, mode = 0o600): void {
  const temporary = `${file}.new`;
  // One that was left behind may be somebody else's, or a link.
  rmSync(temporary, { force: true });
  try {
    // All of it or an error: a disk with little room takes a part of a single write and says so by its count alone.
    writeFileSync(temporary, content, { mode: 0o600, flag: 'wx', flush: true });
    if (mode !== 0o600) chmodSync(temporary, mode);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(file));
}

/** Gives a file another name, also after a power failure. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncDirectory(dirname(to));
}

/** Removes a file that may be there, also after a power failure. */
export function removeDurably(file: string): void {
  rmSync(file, { force: true });
  syncDirectory(dirname(file));
}

/** A file that was just made, or removed, is only so after a power failure when its directory was synced too. */
export function syncDirectory(directory: string): void {
  syncPath(directory);
}

/** Puts on disk what was written to a file, or the names in a directory. */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
