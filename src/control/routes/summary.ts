/** What happened lately, in numbers, for the console's overview. */
import { UnreadableEntry } from '../../ledger/reader.ts';
import { openTimeSpan } from '../../ledger/time-span.ts';
import { type SummaryAnswer, showSummary, summaryQuerySchema } from '../api/summary.ts';
import { createDamage } from '../damage.ts';
import { type Route, sendJson } from '../http.ts';
import { keepSummaries } from '../kept-summaries.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';
import { createSummary } from '../summary.ts';

const hourMs = 3_600_000;
/** Looked at for one summary, the newest first. */
const entriesMax = 50_000;
const bucketsMax = 30;

export function summaryRoutes(parts: ControlParts): Route[] {
  const { clock } = parts;
  const summaryOf = keepSummaries(
    (hours) => summarise(parts, clock.nowMs(), hours),
    () => clock.monoUs() / 1000,
  );
  return [
    {
      method: 'GET',
      path: '/api/v1/summary',
      operation: showSummary,
      handle: async ({ res, query }) => {
        sendJson(res, 200, await summaryOf(readQuery(query, summaryQuerySchema).hours));
      },
    },
  ];
}

async function summarise({ ledger }: ControlParts, toMs: number, hours: number): Promise<SummaryAnswer> {
  const fromMs = toMs - hours * hourMs;
  const summary = createSummary({ fromMs, toMs, buckets: hours < bucketsMax ? 24 : bucketsMax });
  let countedFromMs = fromMs;
  let oldestMs = toMs;
  let looked = 0;
  const damage = createDamage(ledger);
  const span = openTimeSpan(fromMs, toMs);
  for await (const entry of ledger.newest(Number.MAX_SAFE_INTEGER)) {
    const place = span.place(entry);
    if (place === 'over') break;
    if (looked >= entriesMax) {
      countedFromMs = oldestMs;
      break;
    }
    looked += 1;
    // It says no time: what lies among those that are counted is told, and the run before the first of them.
    if (entry instanceof UnreadableEntry) {
      damage.tell(entry);
      continue;
    }
    if (place === 'outside') continue;
    oldestMs = Date.parse(entry.at);
    summary.add(entry);
  }
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    countedFrom: new Date(countedFromMs).toISOString(),
    ...summary.result(),
    unreadable: damage.told(),
    unreadableEntries: damage.entries(),
  };
}
