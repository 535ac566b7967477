/**
 * The index as what keeps others out: a sidecar holds it as long as it runs, and so does who replaces the ledger beside it.
 * It is removed before it is let go, so that nobody has files of it open by then.
 */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HoldpointError } from '../core/errors.ts';
import { openReplaceable } from './level.ts';

/** LevelDB's: another one in its place could be taken while this one is held. */
const lockFile = 'LOCK';

export interface HeldIndex {
  /** Removes what it has. Held all the same; the next start makes it again. */
  empty(): void;
  /** Lets it go; nothing stays of one that was emptied, or that was not there before. */
  letGo(): Promise<void>;
}

/** Throws `data_dir_locked` where another process holds it. */
export async function holdIndex(dir: string): Promise<HeldIndex> {
  let isEmpty = !existsSync(dir);
  const store = await openReplaceable(dir).catch((error: unknown) => {
    // What the disk has no room for leaves a piece.
    const isHeld = error instanceof HoldpointError && error.code === 'data_dir_locked';
    if (isEmpty && !isHeld) rmSync(dir, { recursive: true, force: true });
    throw error;
  });
  const empty = (): void => {
    for (const name of readdirSync(dir))
      if (name !== lockFile) rmSync(join(dir, name), { recursive: true, force: true });
    isEmpty = true;
  };
  return {
    empty,
    letGo: async () => {
      try {
        if (!isEmpty) return;
        empty();
        rmSync(join(dir, lockFile), { force: true });
        removeEmpty(dir);
      } finally {
        await store.close();
      }
    },
  };
}

/** Leaves one that somebody begins anew, that is a link, or that a disk is mounted at. */
function removeEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}
