/** A long file that is written under a name of its own before it takes its place, while somebody else may do the same. */
import { createHash } from 'node:crypto';
import { renameSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

export interface ApartFile {
  readonly bytes: number;
  /** Of what was written, hex. */
  readonly sha256: string;
  /** Gives it its place. False where another was begun since: that one goes on, and this one is gone. */
  takePlace(): boolean;
  /** Lets it go; removes it where it has no place. */
  close(): Promise<void>;
}

/** On disk when it resolves, but for its name. One that somebody else is at, or that a crash left, gives way to it. */
export async function writeApart(file: string, bytes: AsyncIterable<Buffer>): Promise<ApartFile> {
  const path = `${file}.new`;
  rmSync(path, { force: true });
  const handle = await open(path, 'wx', 0o600);
  const { ino } = await handle.stat();
  // As long as it is open its number is no other's.
  const isOurs = (): boolean => statSync(path, { throwIfNoEntry: false })?.ino === ino;
  const close = (): Promise<void> => closeAndRemove(handle, path, isOurs);
  const hash = createHash('sha256');
  let length = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of bytes) {
      hash.update(chunk);
      length += chunk.length;
      yield chunk;
    }
  }
  try {
    await handle.writeFile(counted());
    await handle.sync();
  } catch (error) {
    await close();
    throw error;
  }
  const takePlace = (): boolean => {
    if (!isOurs()) return false;
    renameSync(path, file);
    return true;
  };
  return { bytes: length, sha256: hash.digest('hex'), takePlace, close };
}

async function closeAndRemove(handle: FileHandle, path: string, isOurs: () => boolean): Promise<void> {
  try {
    if (isOurs()) rmSync(path, { force: true });
  } finally {
    await handle.close();
  }
}
