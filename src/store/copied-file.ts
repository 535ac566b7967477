/** One small file copied to another place, there whole or not at all. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncDirectory } from './journal.ts';

/** Puts a copy that only this user reads in the place of what is there, or of nothing; on disk when it returns. */
export function putCopy(from: string, to: string): void {
  writeFileSync(`${to}.new`, readFileSync(from), { mode: 0o600, flush: true });
  renameSync(`${to}.new`, to);
  syncDirectory(dirname(to));
}
