/** A ledger's store as a reader sees it that changes nothing, also while somebody writes it. */
import type { HoldpointError } from '../core/errors.ts';
import { absorb } from './absorbing.ts';
import { segmentsIn } from './journal.ts';
import { type JournalReader, openJournalReader } from './journal-reader.ts';
import { type LevelCopy, openLevelCopy, openLevelScratch } from './level.ts';
import { readReach } from './reach.ts';
import { resolved, scanResolved } from './resolving.ts';

/** How often reading starts over because a writer moved what was being read. */
const copyAttemptsMax = 20;

/**
 * As `openLevelCopy`: reads a store, or one that is being written, without changing one byte of it.
 * @param onDamage told of damage to the journal instead of an error; what comes before it is read then
 */
export async function openLedgerCopy(
  dir: string,
  under?: string,
  checkedBytesMax?: number,
  onDamage?: (error: HoldpointError) => void,
): Promise<LevelCopy> {
  for (let attempt = 1; ; attempt += 1) {
    // A directory that cannot be listed is told of by the next line.
    const segments = await segmentsIn(dir).catch(() => []);
    const level = await openLevelCopy(dir, under, checkedBytesMax);
    let failure: unknown = null;
    try {
      await absorb(level, dir, await readReach(level), onDamage);
    } catch (error) {
      failure = error;
    }
    const isStill = (await level.isWhole()) && (await stillThere(dir, segments));
    if (failure === null && (isStill || attempt >= copyAttemptsMax))
      return resolvingCopy(level, openJournalReader(dir), isStill);
    await level.close();
    // Nothing moved: it is the ledger itself that cannot be read.
    if (isStill || attempt >= copyAttemptsMax) throw failure;
  }
}

/**
 * The journal alone, where LevelDB beside it cannot be opened: every entry lies in it too. Null where there is no
 * journal; throws `ledger_damaged` where it is damaged itself.
 * @param onDamage as of `openLedgerCopy`
 */
export async function openJournalCopy(
  dir: string,
  onDamage?: (error: HoldpointError) => void,
): Promise<LevelCopy | null> {
  if ((await segmentsIn(dir)).length === 0) return null;
  const level = await openLevelScratch();
  try {
    await absorb(level, dir, null, onDamage);
  } catch (error) {
    await level.close();
    throw error;
  }
  return resolvingCopy(level, openJournalReader(dir), true);
}

/** False once a segment was reclaimed: its records are then sought where the copy does not know of them. */
async function stillThere(dir: string, segments: readonly number[]): Promise<boolean> {
  const now = new Set(await segmentsIn(dir));
  return segments.every((segment) => now.has(segment));
}

function resolvingCopy(level: LevelCopy, reader: JournalReader, isStill: boolean): LevelCopy {
  let stale = !isStill;
  // Whoever writes may have erased or moved it since: then the copy knows a place that holds nothing any more.
  const moved = (key: Buffer): Promise<Buffer | undefined> => {
    stale = true;
    return level.get(key);
  };
  return {
    ...level,
    get: async (key) => resolved(reader, key, await level.get(key), moved),
    scan: (range) => scanResolved(level, reader, range, moved),
    isWhole: async () => !stale && (await level.isWhole()),
    close: () => {
      reader.close();
      return level.close();
    },
  };
}
