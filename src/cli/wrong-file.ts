/**
 * Files that certainly are not what `verify` was to be given: that is a mistake of usage, as naming no file is. Whatever
 * still has a trace of an export or of a checkpoint is evidence, however damaged, and goes to the verifier. Who can put
 * another file in the place of one can delete it as well, which ends the same way: no verdict, and exit 2.
 */
import { createReadStream } from 'node:fs';
import { HoldpointError } from '../core/errors.ts';

/**
 * Throws `usage` where the file is text from begin to end: an export has zero bytes in its header and in the head of every
 * frame. An empty one may be an export that was cut.
 */
export async function refuseTextAsExport(file: string): Promise<void> {
  if (!(await isText(file))) return;
  throw new HoldpointError(
    'usage',
    `${file} is a text, and no export: nothing was verified.`,
    'Name a data directory, as data.dir does, the directory of a backup, or a file that `holdpoint ledger export` wrote.',
  );
}

/** Throws `usage` where nothing in the file is as a checkpoint has it: no size, no root, no signature, and not only one word. */
export function refuseNoCheckpoint(file: string, bytes: Buffer): void {
  const text = bytes.toString('utf8');
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const isTrace = (line: string): boolean => /^\d+$|^[A-Za-z0-9+/]{43}=?$|\u2014/.test(line.trim());
  const isOrigin = lines.length === 1 && !/[\s+]/.test(lines[0] ?? '');
  if (lines.length === 0 || isOrigin || lines.some(isTrace)) return;
  throw new HoldpointError(
    'usage',
    `${file} is no checkpoint: nothing was verified.`,
    'Name a file that has what `holdpoint ledger checkpoint` prints: origin, size and root, a blank line, signatures.',
  );
}

/** Whether a file has bytes, and all of them are UTF-8 without control characters but those of lines. */
async function isText(file: string): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let isEmpty = true;
  try {
    for await (const chunk of createReadStream(file)) {
      if (!Buffer.isBuffer(chunk) || chunk.some(isControl)) return false;
      decoder.decode(chunk, { stream: true });
      isEmpty = false;
    }
    decoder.decode();
  } catch (error) {
    // What is not UTF-8 is for the verifier, as is a file that cannot be read to its end.
    if (error instanceof Error) return false;
    throw error;
  }
  return !isEmpty;
}

function isControl(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d) || byte === 0x7f;
}
