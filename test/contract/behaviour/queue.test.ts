/** The queue of what waits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually, type House, nextHold, startHouse } from '../support/sidecar.ts';
import { holdOn, linesSchema, rule } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

describe('the queue', () => {
  it('lists what waits, with what a reviewer needs to choose', async () => {
    const { asked, held } = await holdOn(house, 'transfer 25000 EUR');
    expect(held).toMatchObject({
      state: 'pending',
      phase: 'response',
      severity: 'high',
      rules: [{ id: 'large-transfer', title: 'Transfers need a reviewer', severity: 'high' }],
      headline: expect.stringContaining('transfer_funds amount=25000'),
      model: 'gpt-test',
      workload: 'billing-agent',
      approvals: { needed: 1, given: [] },
      roles: ['reviewer'],
      caller: 'waiting',
      outcome: null,
    });
    await rule(house, held, { verdict: 'release' });
    await asked;
  });

  it('shows the one that expires first in front, and counts all', async () => {
    const first = await holdOn(house, 'transfer 1 EUR');
    const second = house.ask('delete records');
    const { json } = await eventually(async () => {
      const answer = await house.call('/api/v1/holds?state=pending&limit=1');
      return z.object({ total: z.literal(2) }).safeParse(answer.json).success ? answer : null;
    });
    expect(json).toMatchObject({ items: [{ id: first.held.id }], total: 2 });
    await rule(house, first.held, { verdict: 'release' });
    await first.asked;
    const other = await nextHold(house);
    await rule(house, other, { verdict: 'deny', reason: 'no' });
    await second;
  });

  it('is read page by page, each hold once, and one line of it by its id', async () => {
    const opened = [await holdOn(house, 'transfer 9102 EUR')];
    for (const prompt of ['transfer 9103 EUR', 'transfer 9104 EUR']) {
      const asked = house.ask(prompt);
      const held = await eventually(async () => {
        const { items } = linesSchema.parse((await house.call('/api/v1/holds?state=pending')).json);
        return items.find(({ id }) => !opened.some((known) => known.held.id === id)) ?? null;
      });
      opened.push({ asked, held });
    }
    const seen: string[] = [];
    let after: string | null = '';
    while (after !== null) {
      const query: string = after === '' ? '' : `&after=${after}`;
      const page: z.output<typeof linesSchema> = linesSchema.parse(
        (await house.call(`/api/v1/holds?state=pending&limit=1${query}`)).json,
      );
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    }
    expect(seen).toEqual(opened.map(({ held }) => held.id));
    const one = linesSchema.parse((await house.call(`/api/v1/holds?id=${seen[1]}`)).json);
    expect(one.items.map(({ id }) => id)).toEqual([seen[1]]);
    for (const { asked, held } of opened) {
      await rule(house, held, { verdict: 'deny', reason: 'seen' });
      await asked;
    }
  });

  it('says when the caller has gone', async () => {
    const leave = new AbortController();
    const asked = house.ask('transfer 2 EUR', { signal: leave.signal }).catch(() => null);
    const held = await nextHold(house);
    leave.abort();
    await asked;
    await eventually(async () => {
      const { json } = await house.call(`/api/v1/holds/${held.id}`);
      return z.object({ caller: z.literal('gone') }).safeParse(json).success;
    });
    await rule(house, held, { verdict: 'deny', reason: 'nobody waits' });
  });
});
