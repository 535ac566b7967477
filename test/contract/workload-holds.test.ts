/** A hold shows what else its workload had held lately: what a reviewer asks first of a call that looks odd. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Held, type House, nextHold, startHouse } from './support/sidecar.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse({ settings: { workload: {} } });
});
afterAll(() => house.close());

const others = z.object({
  workloadHolds: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      severity: z.string(),
      openedAt: z.iso.datetime(),
      title: z.string(),
      headline: z.string(),
    }),
  ),
});

async function hold(prompt: string, workload: string): Promise<{ held: Held; asked: Promise<Response> }> {
  const headers = workload === '' ? {} : { 'holdpoint-workload': workload };
  const asked = house.ask(prompt, { headers });
  return { asked, held: await nextHold(house) };
}

async function denied(prompt: string, workload: string): Promise<string> {
  const { held, asked } = await hold(prompt, workload);
  const json = { verdict: 'deny', reason: 'no', digest: held.digest };
  await house.call(`/api/v1/holds/${held.id}/rulings`, { json });
  await asked;
  return held.id;
}

const othersOf = async (id: string, as: 'reviewer' | 'viewer' = 'reviewer') =>
  others.parse((await house.call(`/api/v1/holds/${id}`, { as })).json).workloadHolds;

describe('the other holds of a workload', () => {
  it('are the newest five, the newest first, with how they stand and what was held', async () => {
    const ids: string[] = [];
    for (let amount = 11; amount <= 17; amount += 1)
      ids.push(await denied(`transfer ${amount} EUR`, 'agent-1'));
    const last = ids.at(-1) ?? '';
    const shown = await othersOf(last);
    expect(shown.map(({ id }) => id)).toEqual(ids.slice(1, -1).reverse());
    expect(shown[0]).toMatchObject({
      state: 'denied',
      severity: 'high',
      title: 'Transfers need a reviewer',
      headline: expect.stringContaining('amount=16'),
    });
  });

  it('are those of no other workload', async () => {
    expect(await othersOf(await denied('transfer 21 EUR', 'agent-2'))).toEqual([]);
  });

  it('say to a viewer that something was held, not what', async () => {
    const id = await denied('transfer 22 EUR', 'agent-2');
    expect((await othersOf(id, 'viewer')).map(({ headline, title }) => [headline, title])).toEqual([
      ['', 'Transfers need a reviewer'],
    ]);
  });

  it('are none where nobody said who calls', async () => {
    await denied('transfer 31 EUR', '');
    expect(await othersOf(await denied('transfer 32 EUR', ''))).toEqual([]);
  });
});
