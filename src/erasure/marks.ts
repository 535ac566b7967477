/** Where a retention rule's look ended, kept so that the next begins there. */
import type { Ledger } from '../ledger/ledger.ts';
import { UnreadableEntry } from '../ledger/reader.ts';
import type { RetentionMark } from '../ledger/retention-marks.ts';
import type { ErasureJob } from './job.ts';
import type { ErasureOrder } from './run.ts';

const aboutOf = ({ match }: ErasureOrder): string => JSON.stringify(match ?? {});

/** Where a rule's last look ended, in this run or in one before; null where that was about something else. */
export async function markFor(ledger: Ledger, order: ErasureOrder): Promise<RetentionMark | null> {
  if (!('rule' in order.scope)) return null;
  const mark = await ledger.retentionMarks.get(order.scope.rule);
  if (mark === null || mark.about !== aboutOf(order)) return null;
  if (mark.upTo < 1 || mark.upTo > ledger.durable().size) return null;
  const prev = await prevAt(ledger, mark.upTo - 1);
  return prev === mark.prev ? mark : null;
}

/** What an entry names as the one before it; null where that cannot be read. */
async function prevAt(ledger: Ledger, seq: number): Promise<string | null> {
  try {
    return (await ledger.entry(seq)).prev;
  } catch (error) {
    if (error instanceof UnreadableEntry) return null;
    throw error;
  }
}

/** What was refused may be due next time, and what comes after has not been looked at. */
export async function keepMark(
  ledger: Ledger,
  { order, progress }: ErasureJob,
  before: RetentionMark | null,
): Promise<void> {
  if (!('rule' in order.scope) || order.dryRun) return;
  const { firstBeyond, lookedAt, again } = progress;
  const looked = Math.max(lookedAt + 1, before?.upTo ?? 0);
  const upTo = firstBeyond === -1 ? looked : Math.min(firstBeyond, looked);
  if (upTo < 1) return;
  const prev = await prevAt(ledger, upTo - 1);
  // The next look begins where this one did.
  if (prev === null) return;
  const left = [...new Set(again)].filter((seq) => seq < upTo).sort((a, b) => a - b);
  await ledger.retentionMarks.put(order.scope.rule, { about: aboutOf(order), upTo, prev, again: left });
}
