/**
 * The tokens of a backup on their way to a data directory. They come in the ledger that is made of it and are taken out once
 * that has its place: a restore that is killed leaves neither a ledger without them nor them without it.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { putCopy } from './copied-file.ts';
import { syncDirectory } from './journal.ts';

const tokensFile = 'tokens.json';

/** Puts them in the directory that is to become the ledger; the caller syncs that. */
export function putTokensIn(ledgerDir: string, from: string): void {
  putCopy(from, join(ledgerDir, tokensFile));
}

/** Takes out what lies in the ledger; those that are in `tokens` already count. For who holds the ledger. */
export function takeTokensOut(ledgerDir: string, tokens: string): void {
  const brought = join(ledgerDir, tokensFile);
  if (!existsSync(brought)) return;
  if (!existsSync(tokens)) putCopy(brought, tokens);
  rmSync(brought, { force: true });
  syncDirectory(ledgerDir);
}
