/** Decisions looked for by time, where the machine's clock was wrong for a while: an end that is told is the end. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock, systemSchedule } from '../../../src/core/clock.ts';
import { systemLookUp } from '../../../src/proxy/intercept/address.ts';
import { openLedgerStore } from '../../../src/store/ledger-store.ts';
import { type House, outcomeOf, startHouse } from '../support/sidecar.ts';

const hourMs = 3_600_000;
/** What the machine's clock is wrong by. */
let wrongByMs = 0;
/** How much more time has passed than did. */
let passedMs = 0;
let house: House;
const asked: Record<string, string> = {};

const instant = (ms: number): string => new Date(Date.now() + ms).toISOString();

async function ask(when: string): Promise<void> {
  const id = (await house.ask(`good ${when}`)).headers.get('holdpoint-decision') ?? '';
  // The entry that says so is of this clock, too.
  await outcomeOf(house, id);
  asked[id] = when;
}

beforeAll(async () => {
  const monoUs = (): number => systemClock.monoUs() + passedMs * 1000;
  const clock = { monoUs, nowMs: () => Date.now() + wrongByMs };
  house = await startHouse({
    machine: { clock, schedule: systemSchedule, lookUp: systemLookUp, openLedgerStore },
  });
  for (const [when, byMs] of [
    ['before', 0],
    ['while it ran ahead', 48 * hourMs],
    ['between', 0],
    ['while it was behind', -48 * hourMs],
    ['after', 0],
  ] as const) {
    wrongByMs = byMs;
    await ask(when);
  }
});
afterAll(() => house.close());

const summarySchema = z.object({
  buckets: z.array(z.object({ decisions: z.number() })),
  from: z.string(),
  countedFrom: z.string(),
});
const pageSchema = z.object({ items: z.array(z.object({ id: z.string() })), next: z.number().nullable() });

/** Which decisions a search finds, all its pages. */
async function found(query: string): Promise<readonly string[]> {
  const ids: string[] = [];
  let cursor = '';
  for (;;) {
    const { json } = await house.call(`/api/v1/decisions?${query}${cursor}`);
    const { items, next } = pageSchema.parse(json);
    ids.push(...items.map(({ id }) => asked[id] ?? id));
    if (next === null) return ids;
    cursor = `&before=${next}`;
  }
}

describe('a search by time', () => {
  const limits = ['limit=200', 'limit=1'];
  const searches = limits.flatMap((limit) => [limit, `${limit}&workload=billing-agent`]);

  it.each(searches)('since a time finds what was asked before the clock was set back (%s)', async (query) => {
    expect(await found(`${query}&since=${instant(-hourMs)}`)).toEqual([
      'after',
      'between',
      'while it ran ahead',
      'before',
    ]);
  });

  it.each(searches)('until a time finds what was asked around it, and nothing later (%s)', async (query) => {
    expect(await found(`${query}&until=${instant(hourMs)}`)).toEqual([
      'after',
      'while it was behind',
      'between',
      'before',
    ]);
    expect(await found(`${query}&until=${instant(-hourMs)}`)).toEqual(['while it was behind']);
  });

  it('finds what was asked between two times', async () => {
    expect(await found(`since=${instant(-hourMs)}&until=${instant(hourMs)}`)).toEqual([
      'after',
      'between',
      'before',
    ]);
    expect(await found(`since=${instant(hourMs)}`)).toEqual(['while it ran ahead']);
  });
});

it('a draft is replayed over what a search by the same times finds', async () => {
  const order = { policy: 'version: "draft"\nrules: []\n', reason: 'Which are they?' };
  const replayed = async (times: object) => {
    const { json } = await house.call('/api/v1/policy/backtest', {
      as: 'admin',
      json: { ...order, ...times },
    });
    return z.object({ decisions: z.number(), next: z.null() }).parse(json).decisions;
  };
  expect(await replayed({ since: instant(-hourMs), until: instant(hourMs) })).toBe(3);
  expect(await replayed({ since: instant(hourMs) })).toBe(1);
  expect(await replayed({ until: instant(-hourMs) })).toBe(1);
});

it('a summary counts what was asked before the clock was set back', async () => {
  const { json } = await house.call('/api/v1/summary?hours=24');
  const { buckets, from, countedFrom } = summarySchema.parse(json);
  expect(buckets.reduce((sum, { decisions }) => sum + decisions, 0)).toBe(3);
  expect(countedFrom).toBe(from);
});

it('a summary is made anew after a few seconds, also where the clock was set back meanwhile', async () => {
  const endOf = async (): Promise<string> =>
    z.object({ to: z.string() }).parse((await house.call('/api/v1/summary?hours=1')).json).to;
  const first = await endOf();
  wrongByMs = -hourMs;
  expect(await endOf()).toBe(first);
  passedMs += 5_000;
  expect(Date.parse(await endOf())).toBeLessThan(Date.parse(first));
  wrongByMs = 0;
});
