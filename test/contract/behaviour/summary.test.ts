/** What happened lately in numbers, beside what was done: who reads them must come to the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { summarySchema } from '../../../src/control/api/summary.ts';
import { verifyDirectory } from '../../../src/store/verify-directory.ts';
import { type House, nextHold, outcomeOf, startHouse } from '../support/sidecar.ts';

let house: House;
let summary: z.output<typeof summarySchema>;
const usage = { input: 0, output: 0 };
const usageSchema = z.object({
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }),
});

/** A call whose hold is ruled on so; all of it is sealed when this resolves. */
async function ruled(prompt: string, ruling: object): Promise<void> {
  const answer = house.ask(prompt);
  const { id, decisionId, digest } = await nextHold(house);
  const { status } = await house.call(`/api/v1/holds/${id}/rulings`, { json: { ...ruling, digest } });
  expect(status).toBe(201);
  await (await answer).text();
  await outcomeOf(house, decisionId);
}

beforeAll(async () => {
  house = await startHouse();
  for (let i = 0; i < 3; i += 1) {
    const answer = await house.ask('good morning');
    const { usage: used } = usageSchema.parse(await answer.json());
    usage.input += used.prompt_tokens;
    usage.output += used.completion_tokens;
    await outcomeOf(house, answer.headers.get('holdpoint-decision') ?? '');
  }
  const forbidden = await house.ask('forbidden topic');
  await outcomeOf(house, forbidden.headers.get('holdpoint-decision') ?? '');
  await ruled('transfer 20 EUR', { verdict: 'release', reason: '' });
  await ruled('transfer 30 EUR', { verdict: 'deny', reason: 'No.' });
  await ruled('transfer 40 EUR', { verdict: 'deny', reason: 'No.' });
  const { json } = await house.call('/api/v1/summary?hours=1');
  summary = summarySchema.parse(json);
});
afterAll(() => house.close());

type Bucket = (typeof summary.buckets)[number];
const total = (name: Exclude<keyof Bucket, 'at' | 'latencyMs'>): number =>
  summary.buckets.reduce((sum, bucket) => sum + bucket[name], 0);

describe('the summary of an hour', () => {
  it('counts each decision once, with how it ended', () => {
    expect(total('decisions')).toBe(7);
    expect(summary.outcomes).toEqual({ delivered: 4, denied: 3 });
    expect(summary.models.reduce((sum, { decisions }) => sum + decisions, 0)).toBe(7);
  });

  it('counts holds, and what people did with them: a rule that denies is nobody', () => {
    expect([total('holds'), total('released'), total('denied'), total('amended'), total('expired')]).toEqual([
      3, 1, 2, 0, 0,
    ]);
    expect(summary.timeToRuling.count).toBe(3);
    expect(summary.rulingTimes.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  });

  it('counts answers where there was one', () => {
    expect(summary.latencyMs.count).toBe(6);
    expect(summary.buckets.reduce((sum, { latencyMs }) => sum + latencyMs.count, 0)).toBe(6);
    expect(total('inputTokens')).toBeGreaterThan(usage.input);
    expect(total('outputTokens')).toBeGreaterThan(usage.output);
  });

  it('says what the verifier says of the same ledger', async () => {
    await house.sidecar.stop('to verify');
    const { findings, decisions } = await verifyDirectory(house.dataDir, {});
    expect(findings).toEqual([]);
    expect(decisions).toMatchObject({ total: total('decisions'), byOutcome: summary.outcomes });
  });
});
