/**
 * The tokens of a backup on their way to a data directory. They come in the ledger that is made of it and are taken out once
 * that has its place: a restore that is killed leaves neither a ledger without them nor them without it.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HoldpointError } from '../core/errors.ts';
import { noFile } from './fsck-finding.ts';
import { syncDirectory, writeWholeFile } from './whole-file.ts';

const tokensFile = 'tokens.json';

/** Puts them in the directory that is to become the ledger; the caller syncs that. Throws `usage` for what is no file. */
export function putTokensIn(ledgerDir: string, from: string): void {
  const defect = noFile(from);
  if (defect !== null)
    throw new HoldpointError(
      'usage',
      `The tokens ${from} cannot be taken: ${defect}.`,
      'Restore without them: take them out of the backup, and make new ones with `holdpoint token new`.',
    );
  writeWholeFile(join(ledgerDir, tokensFile), readFileSync(from));
}

/** Puts those that were not taken out of one ledger yet in the one that takes its place. */
export function carryTokens(from: string, ledgerDir: string): void {
  const brought = join(from, tokensFile);
  if (existsSync(brought)) putTokensIn(ledgerDir, brought);
}

/** Takes out what lies in the ledger; those that are in `tokens` already count. For who holds the ledger. */
export function takeTokensOut(ledgerDir: string, tokens: string): void {
  const brought = join(ledgerDir, tokensFile);
  if (!existsSync(brought)) return;
  if (!existsSync(tokens)) writeWholeFile(tokens, readFileSync(brought));
  rmSync(brought, { force: true });
  syncDirectory(ledgerDir);
}
