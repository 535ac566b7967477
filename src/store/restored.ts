/**
 * The note that a data directory was made from a backup, until the first start has sealed it. It lies in the ledger that
 * was made, and in a file beside it, which also outlasts a restore that was broken off before there was one.
 */
import { rmSync } from 'node:fs';
import { z } from 'zod';
import { HoldpointError } from '../core/errors.ts';
import type { Restored } from '../ledger/store.ts';
import { readKept } from './kept-file.ts';
import { writeWholeFile } from './whole-file.ts';

const schema = z.strictObject({
  size: z.int().min(1),
  backup: z.string().regex(/^[0-9a-f]{64}$/),
  taken: z.iso.datetime(),
  lost: z.int().min(0),
});

/** Null where there is none. Throws `ledger_damaged` for one that does not parse, as `readKept` for one that cannot be read: what it says must be sealed. */
export function readRestored(file: string): Restored | null {
  const text = readKept(file);
  return text === null ? null : parseRestored(text, file);
}

/** @param where names what the text was read from */
export function parseRestored(text: string, where: string): Restored {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new HoldpointError(
      'ledger_damaged',
      `What says in ${where} that the ledger was restored does not parse.`,
      'Restore the backup again into a new data directory.',
      error,
    );
  }
}

/** There whole or not at all; on disk when it returns. */
export function writeRestored(file: string, restored: Restored): void {
  writeWholeFile(file, `${JSON.stringify(restored)}\n`);
}

export function removeRestored(file: string): void {
  rmSync(file, { force: true });
}
