/** Where test runs make their directories: in memory where there is room, since a run waits for thousands of fsyncs. */
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
const freeBytesMin = 3 * 1024 ** 3;

/** This run's directory, by a name that its processes share. Nothing is there before `setup`. */
export const scratchDir = join(hasRoom() ? memory : tmpdir(), `holdpoint-run-${process.pid}`);

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= freeBytesMin;
  } catch (error) {
    // Only Linux has it.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

export function setup(): void {
  mkdirSync(scratchDir, { recursive: true });
}

/** What a test that failed left there goes too. */
export function teardown(): void {
  rmSync(scratchDir, { recursive: true, force: true });
}
