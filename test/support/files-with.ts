/** Where on a disk something is still to be found. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The files below `dir` that have any of `traces`. Reads all anew where one went meanwhile: what a store at work has merged
 * away is in another by then.
 */
export function filesWith(dir: string, traces: readonly Buffer[]): string[] {
  for (;;) {
    try {
      return filesIn(dir).filter((file) => {
        const bytes = readFileSync(file);
        return traces.some((trace) => bytes.includes(trace));
      });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
