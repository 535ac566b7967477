/** What the journal asks of the disk: each in the thread pool, and how its files are opened to be read. */
import { constants, fdatasync, open, write } from 'node:fs';
import { promisify } from 'node:util';

export const openAt = promisify<string, number, number, number>(open);
export const syncData = promisify(fdatasync);
const writeAt = promisify(write);
/** To read a file that somebody handed over: a pipe in its place is empty then, where opening it would never return. */
export const readFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** Resolves when all of it was written at the position; how much that was where it rejects nobody knows. */
export async function writeAll(fd: number, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await writeAt(fd, bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
