/**
 * Where a ledger's directory is made before it takes its place: beside it, under a name of its own. What a crash leaves
 * there is a copy of bodies that no erasure reaches, so that the next start removes it.
 */
import { existsSync, rmSync } from 'node:fs';
import { HoldpointError, refusalOf } from '../core/errors.ts';

const works = ['restoring', 'rebuilding'] as const;

/** Beside the ledger's directory, on the same file system: it is renamed into its place. */
export function stagingOf(ledgerDir: string, work: (typeof works)[number]): string {
  return `${ledgerDir}.${work}`;
}

/**
 * Removes what was never finished. Only for who holds the ledger: nothing is then being made in its place. Throws
 * `config_invalid` where it cannot be removed.
 */
export function removeStaging(ledgerDir: string): void {
  for (const directory of works.map((work) => stagingOf(ledgerDir, work))) {
    if (!existsSync(directory)) continue;
    try {
      rmSync(directory, { recursive: true, force: true });
    } catch (error) {
      throw new HoldpointError(
        'config_invalid',
        `${directory}, which a restore or repair left unfinished, cannot be removed: ${refusalOf(error)}.`,
        'Remove it: it has copies of bodies that no erasure reaches.',
        error,
      );
    }
  }
}
