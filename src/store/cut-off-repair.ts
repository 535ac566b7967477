/**
 * What a repair that died between its two renames left: no ledger in its place, what was there under another name, and
 * beside it what should have come. The first rename is then undone, and the repair begun anew.
 */
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HoldpointError } from '../core/errors.ts';
import { notReadable } from './kept-file.ts';
import { openLevelCache } from './level.ts';
import { stagingOf } from './staging.ts';
import { syncDirectory } from './whole-file.ts';

/** Where a repair keeps what it replaced: a name that is free. */
export function asideOf(ledgerDir: string): string {
  return `${ledgerDir}.before-repair-${newestAside(ledgerDir) + 1}`;
}

/** The highest number of one that is there; 0 where none is. */
function newestAside(ledgerDir: string): number {
  return Math.max(0, ...asidesIn(ledgerDir));
}

/** The numbers of those that are there. */
function asidesIn(ledgerDir: string): readonly number[] {
  const above = dirname(ledgerDir);
  const prefix = `${basename(ledgerDir)}.before-repair-`;
  const names = existsSync(above) ? readdirSync(above) : [];
  const numbers = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return numbers.filter((number) => /^\d{1,9}$/.test(number)).map(Number);
}

/** Names what repairs set aside, in order: what was the ledger before them is evidence too. */
export function asideNames(ledgerDir: string): readonly string[] {
  const numbers = [...asidesIn(ledgerDir)].sort((a, b) => a - b);
  return numbers.map((number) => `${basename(ledgerDir)}.before-repair-${number}`);
}

interface CutOff {
  /** What was the ledger. */
  readonly aside: string;
  /** What was to replace it is there too, which no repair leaves that ended. */
  readonly isSure: boolean;
}

function cutOffIn(ledgerDir: string): CutOff | null {
  if (!isFree(ledgerDir)) return null;
  const number = newestAside(ledgerDir);
  if (number === 0) return null;
  const aside = join(dirname(ledgerDir), `${basename(ledgerDir)}.before-repair-${number}`);
  return { aside, isSure: existsSync(stagingOf(ledgerDir, 'rebuilding')) };
}

/** Nothing is there, or an empty directory. Throws `config_invalid` where this user is not let in to look. */
export function isFree(ledgerDir: string): boolean {
  try {
    const found = statSync(ledgerDir, { throwIfNoEntry: false });
    return found === undefined || (found.isDirectory() && readdirSync(ledgerDir).length === 0);
  } catch (error) {
    throw notReadable(ledgerDir, error);
  }
}

/** Throws `ledger_damaged` where no ledger is and what a repair set aside is: none may be begun in its place. */
export function requireNoCutOffRepair(ledgerDir: string): void {
  const found = cutOffIn(ledgerDir);
  if (found === null) return;
  const { aside, isSure } = found;
  if (isSure)
    throw new HoldpointError(
      'ledger_damaged',
      `There is no ledger in ${ledgerDir}: a repair was cut off, and what it was to replace is in ${aside}.`,
      'Nothing is lost. With the sidecar stopped, `holdpoint ledger fsck --repair` puts it back and repairs it anew.',
    );
  throw new HoldpointError(
    'ledger_damaged',
    `There is no ledger in ${ledgerDir}, but what a repair set aside is in ${aside}.`,
    `If that is what is missing, rename it to ${basename(ledgerDir)} and run \`holdpoint ledger fsck\`. Otherwise move it out of ${dirname(ledgerDir)} first.`,
  );
}

/**
 * Puts back what a repair set aside that was cut off, on disk when it resolves with what was done; null where none was,
 * or where that is not sure. Throws `data_dir_locked` while a sidecar runs.
 */
export async function undoCutOffRepair(paths: {
  readonly ledgerDir: string;
  readonly indexDir: string;
}): Promise<string | null> {
  if (cutOffIn(paths.ledgerDir)?.isSure !== true) return null;
  // As the repair does: none is begun in its place meanwhile, and another repair waits.
  const index = await openLevelCache(paths.indexDir);
  try {
    const found = cutOffIn(paths.ledgerDir);
    if (found?.isSure !== true) return null;
    renameSync(found.aside, paths.ledgerDir);
    syncDirectory(dirname(paths.ledgerDir));
    return `put ${basename(found.aside)} back in its place, which a repair that was cut off had set aside`;
  } finally {
    await index.close();
  }
}
