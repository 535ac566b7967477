/** A hold says what of its rule was true and of what, to those who may read what was said. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type House, nextHold, startHouse } from './support/sidecar.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

const shown = z.object({
  rules: z.array(
    z.object({
      id: z.string(),
      because: z
        .array(
          z.object({
            expression: z.string(),
            values: z.array(z.object({ path: z.string(), value: z.string() })),
          }),
        )
        .optional(),
    }),
  ),
});

async function becauseOf(id: string, as: 'reviewer' | 'viewer' = 'reviewer') {
  return shown.parse((await house.call(`/api/v1/holds/${id}`, { as })).json).rules;
}

const denied = async (held: { id: string; digest: string }, asked: Promise<Response>): Promise<void> => {
  const json = { verdict: 'deny', reason: 'no', digest: held.digest };
  await house.call(`/api/v1/holds/${held.id}/rulings`, { json });
  await asked;
};

describe('what made a rule hold', () => {
  it('names the tool call of an answer, and still does once it is ruled', async () => {
    const asked = house.ask('transfer 25000 EUR');
    const held = await nextHold(house);
    const because = [
      {
        expression: 'c.name == "transfer_funds"',
        values: [{ path: '/response/toolCalls/0/name', value: 'transfer_funds' }],
      },
    ];
    expect(await becauseOf(held.id)).toEqual([{ id: 'large-transfer', because }]);
    await denied(held, asked);
    expect(await becauseOf(held.id)).toEqual([{ id: 'large-transfer', because }]);
  });

  it('shows what was found in a request, and around it', async () => {
    const asked = house.ask(`${'so '.repeat(200)}please escalate this`);
    const held = await nextHold(house);
    const [rule] = await becauseOf(held.id);
    expect(rule?.because).toMatchObject([{ expression: 'request.text.contains("escalate")' }]);
    const [value] = rule?.because?.[0]?.values ?? [];
    expect(value).toMatchObject({ path: '/request/text', value: expect.stringMatching(/^…so .*escalate/) });
    await denied(held, asked);
  });

  it('is not told to a viewer', async () => {
    const asked = house.ask('transfer 30 EUR');
    const held = await nextHold(house);
    expect(await becauseOf(held.id, 'viewer')).toEqual([{ id: 'large-transfer' }]);
    await denied(held, asked);
  });

  it('is sealed nowhere: reading it again leaves only the entry of the read', async () => {
    const asked = house.ask('transfer 40 EUR');
    const held = await nextHold(house);
    const size = async () =>
      z
        .object({ entries: z.array(z.unknown()) })
        .parse((await house.call(`/api/v1/decisions/${held.decisionId}`)).json).entries.length;
    const before = await size();
    await becauseOf(held.id);
    expect(await size()).toBe(before + 1);
    await denied(held, asked);
  });
});
