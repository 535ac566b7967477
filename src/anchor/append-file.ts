/**
 * An append-only file on another volume as an anchor. The file is opened for each line, so that a volume which was
 * away works again when it is back, and never by way of a symbolic link, which whoever owns the folder could turn
 * to the ledger's own disk. `chattr +a` on it makes the kernel refuse anything but appending, to root as well
 * until root takes the attribute away.
 *
 *     "holdpoint-anchor-1 " || UTC time || " " || base64 of the note || "\n"
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { refusalOf } from '../core/errors.ts';
import { type Anchor, anchorFailed } from './anchor.ts';
import { syncDirectory } from './durable-file.ts';

const lineStart = 'holdpoint-anchor-1 ';

const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export function openFileAnchor(name: string, path: string, clock: Clock): Anchor {
  /** A volume that hangs must not gather threads: one line at a time is on its way. */
  let busy = false;

  async function append(note: Buffer): Promise<void> {
    const { handle, isNew } = await openForAppending(path);
    try {
      const { size, isFile } = await shapeOf(handle);
      if (!isFile) throw anchorFailed(`${path} is not a file.`);
      if (!(await isOurs(handle))) throw anchorFailed(`${path} is another file, and stays as it is.`);
      const line = `${lineStart}${new Date(clock.nowMs()).toISOString()} ${note.toString('base64')}\n`;
      // A line that a crash cut off stays as it is; this one must not become its end.
      const start = size > 0 && (await lastByte(handle, size)) !== 0x0a ? '\n' : '';
      await handle.appendFile(start + line);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (isNew) await syncDirectory(dirname(path));
  }

  return {
    name,
    kind: 'file',
    send: async ({ note }) => {
      if (busy) throw anchorFailed(`${path} has not taken the last line yet.`);
      busy = true;
      try {
        await append(note);
      } catch (error) {
        throw anchorFailed(`${path} cannot be appended to: ${refusalOf(error)}.`, error);
      } finally {
        busy = false;
      }
      return { text: '', files: [] };
    },
  };
}

async function openForAppending(path: string): Promise<{ handle: FileHandle; isNew: boolean }> {
  try {
    return { handle: await open(path, flags), isNew: false };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    const created = flags | constants.O_CREAT | constants.O_EXCL;
    return { handle: await open(path, created, 0o640), isNew: true };
  }
}

async function shapeOf(handle: FileHandle): Promise<{ size: number; isFile: boolean }> {
  const stat = await handle.stat();
  return { size: stat.size, isFile: stat.isFile() };
}

/** Empty, or beginning as lines here do; a crash may have cut the first one off. */
async function isOurs(handle: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(lineStart.length), 0, lineStart.length, 0);
  const [first = ''] = buffer.toString('latin1', 0, bytesRead).split('\n', 1);
  return lineStart.startsWith(first);
}

async function lastByte(handle: FileHandle, size: number): Promise<number | undefined> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0];
}
