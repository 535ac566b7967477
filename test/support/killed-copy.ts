/** A data directory as a kill leaves it, copied from one that is in use. */
import { cpSync, readdirSync, rmSync } from 'node:fs';

const attemptsMax = 100;

/**
 * Copies a directory that this process has open. LevelDB moves its files on a thread of its own: where it did so
 * meanwhile, what was copied is of two moments, which no kill leaves, and is copied again.
 */
export function copyAsKilled(from: string, to: string): void {
  for (let attempt = 1; ; attempt += 1) {
    const before = namesIn(from);
    const isWhole = copied(from, to);
    if (isWhole && namesIn(from) === before) return;
    if (attempt >= attemptsMax) throw new Error(`${from} does not keep still`);
    rmSync(to, { recursive: true, force: true });
  }
}

/** False where a file was gone before its turn came. */
function copied(from: string, to: string): boolean {
  try {
    cpSync(from, to, { recursive: true });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

function namesIn(dir: string): string {
  return readdirSync(dir, { recursive: true }).sort().join('\n');
}
