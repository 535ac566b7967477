/**
 * Replays a draft policy over recorded decisions, the newest first, a page at a time: what each of its rules would
 * say, beside what was said then. Bounded in decisions, bytes and time, and it gives way to calls that are in flight.
 */
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { UnreadableEntry } from '../ledger/reader.ts';
import { openTimeSpan } from '../ledger/time-span.ts';
import type { Draft } from '../policy/backtest.ts';
import { readRecorded, unreadableRule } from './recorded.ts';
import { createTally, type PhaseResult, type Stopped, stricter, type Tally, type Verdict } from './tally.ts';
import { createTurns, type Turns, type TurnsHouse } from './turns.ts';

/** Of bodies that one page reads; the decision that goes over it is the last one. */
const pageBytesMax = 64 * 1024 * 1024;
/** Of one page, its waiting for calls in flight included. */
const pageMsMax = 10_000;
const pageEntriesMax = 20_000;
const decodedBytesMax = 64 * 1024 * 1024;

export interface ReplayHouse extends TurnsHouse {
  readonly ledger: Pick<Ledger, 'newest' | 'decision' | 'part' | 'entry'>;
}

export interface PageOrder {
  readonly draft: Draft;
  /** Only decisions whose request has a lower seq. */
  readonly before: number;
  /** Only what was asked at this time or later, in ms since the Unix epoch. */
  readonly sinceMs: number;
  /** Only what was asked before this time, in the same. */
  readonly untilMs: number;
  readonly decisionsMax: number;
  /** True once nobody waits for the page. */
  readonly isAbandoned: () => boolean;
  readonly damage: Damaged;
}

/** Takes what cannot be read; a page ends where it takes no more. */
export interface Damaged {
  tell(why: UnreadableEntry, decision?: number): void;
  isFull(): boolean;
}

export interface Page {
  readonly tally: Tally;
  /** Request seqs of the first and the last decision that was read; null where there was none. */
  readonly newest: number | null;
  readonly oldest: number | null;
  /** Goes on from here; null where nothing older is left. */
  readonly next: number | null;
}

/** Replays one page. A decision of which an entry cannot be read is told; a body that cannot be is counted. */
export async function replayPage(order: PageOrder, house: ReplayHouse): Promise<Page> {
  const { ledger, clock } = house;
  const { damage } = order;
  const tally = createTally(order.draft.rules);
  const span = openTimeSpan(order.sinceMs, order.untilMs);
  const startedMs = clock.monoUs() / 1_000;
  let newest: number | null = null;
  let oldest: number | null = null;
  let looked = 0;
  let bytes = 0;
  let cursor = order.before;
  for await (const entry of ledger.newest(order.before)) {
    const isDamaged = entry instanceof UnreadableEntry;
    const place = span.place(entry);
    if (place === 'over') return { tally, newest, oldest, next: null };
    const isFull =
      tally.decisions() >= order.decisionsMax ||
      looked >= pageEntriesMax ||
      bytes >= pageBytesMax ||
      clock.monoUs() / 1_000 - startedMs >= pageMsMax;
    if (isFull || damage.isFull() || order.isAbandoned()) return { tally, newest, oldest, next: cursor };
    looked += 1;
    cursor = entry.seq;
    if (isDamaged) damage.tell(entry);
    if (isDamaged || place === 'outside' || entry.type !== 'request') continue;
    const turns = createTurns(house);
    const all = await replayOne(order, entry.seq, tally, house, turns);
    if (all === null) continue;
    bytes += bytesOf(all);
    newest ??= entry.seq;
    oldest = entry.seq;
    await turns.rest();
  }
  return { tally, newest, oldest, next: null };
}

/** Its entries; null, and told, where one of them cannot be read. */
async function replayOne(
  { draft, damage }: PageOrder,
  decision: number,
  tally: Tally,
  { ledger }: ReplayHouse,
  turns: Turns,
): Promise<readonly Entry[] | null> {
  try {
    const entries = await ledger.decision(decision);
    await replayDecision(draft, entries, tally, ledger, turns);
    return entries;
  } catch (error) {
    if (!(error instanceof UnreadableEntry)) throw error;
    damage.tell(error, decision);
    return null;
  }
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { parts }) => sum + parts.reduce((of, { size }) => of + size, 0), 0);
}

async function replayDecision(
  draft: Draft,
  entries: readonly Entry[],
  tally: Tally,
  ledger: ReplayHouse['ledger'],
  { pause }: Turns,
): Promise<void> {
  const seq = entries[0]?.seq ?? 0;
  const results: PhaseResult[] = [];
  const stopped: Stopped[] = [];
  for (const recorded of await readRecorded(ledger, entries, decodedBytesMax)) {
    if ('obstacle' in recorded) {
      stopped.push(recorded);
      continue;
    }
    const { phase, lacking, flagsOnly } = recorded;
    const now = new Set<string>();
    const failed = new Set<string>();
    const unknown = new Set<string>();
    let verdictNow: Verdict = 'pass';
    const take = (id: string, action: Verdict): void => {
      now.add(id);
      verdictNow = stricter(verdictNow, flagsOnly ? 'flag' : action);
    };
    for (const { facts, defects } of recorded.heard()) {
      await pause();
      if (defects.length > 0) take(unreadableRule, phase === 'request' ? 'deny' : 'hold');
      for (const { rule, tried } of draft.attempt(phase, facts, lacking)) {
        if (tried === 'unknown') unknown.add(rule.id);
        if (tried === 'failed') failed.add(rule.id);
        if (tried === 'match' || tried === 'failed') take(rule.id, tried === 'failed' ? 'hold' : rule.action);
        await pause();
      }
    }
    results.push({
      phase,
      before: new Set(recorded.rules),
      now,
      failed,
      unknown,
      verdictBefore: recorded.verdict,
      verdictNow: unknown.size > 0 ? null : verdictNow,
    });
  }
  tally.add(seq, results, stopped);
}
