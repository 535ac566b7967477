/** Summaries are made one at a time and kept, so that nobody who looks at them, or asks for many, keeps calls waiting. */
import { createInTurn } from '../core/in-turn.ts';
import type { SummaryAnswer } from './api/summary.ts';

/** Many consoles that look at the same window cost as much as one. */
const keptMsMin = 5_000;
/** One is kept this many times as long as it took, which leaves nineteen of twenty parts of a core to calls. */
const keptFactor = 20;
const windowsMax = 8;

interface Kept {
  readonly answer: Promise<SummaryAnswer>;
  untilMonoMs: number;
}

/**
 * What gives the summary of so many hours, made anew where it is too old. What failed is tried again by the next who asks.
 * @param monoMs a clock that never jumps back
 */
export function keepSummaries(
  summarise: (hours: number) => Promise<SummaryAnswer>,
  monoMs: () => number,
): (hours: number) => Promise<SummaryAnswer> {
  const inTurn = createInTurn();
  const kept = new Map<number, Kept>();

  async function make(hours: number): Promise<SummaryAnswer> {
    const begunMs = monoMs();
    const answer = await summarise(hours);
    const own = kept.get(hours);
    const endedMs = monoMs();
    if (own !== undefined) own.untilMonoMs = endedMs + Math.max(keptMsMin, keptFactor * (endedMs - begunMs));
    return answer;
  }

  return (hours) => {
    const known = kept.get(hours);
    if (known !== undefined && monoMs() < known.untilMonoMs) return known.answer;
    const answer = inTurn(() => make(hours));
    if (kept.size >= windowsMax) kept.clear();
    kept.set(hours, { answer, untilMonoMs: Number.POSITIVE_INFINITY });
    answer.catch(() => kept.delete(hours));
    return answer;
  };
}
