/** A ruling, as a control call. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type House, outcomeOf, startHouse } from '../support/sidecar.ts';
import { entriesOf, holdOn, rule } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

describe('a ruling', () => {
  it('to release delivers, and the decision says by whom and how it ended', async () => {
    const { asked, held } = await holdOn(house, 'transfer 3 EUR');
    const ruled = await rule(house, held, { verdict: 'release', reason: 'approved' });
    expect([ruled.status, ruled.json]).toMatchObject([
      201,
      { state: 'released', approvals: { given: ['reviewer-1'] } },
    ]);
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('holdpoint-decision')).toBe(held.decisionId);
    expect(await outcomeOf(house, held.decisionId)).toBe('delivered');
    expect((await entriesOf(house, held.decisionId)).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['request', 'response', 'hold', 'ruling', 'delivery']),
    );
  });

  it('to deny refuses the call with 403', async () => {
    const { asked, held } = await holdOn(house, 'transfer 4 EUR');
    expect((await rule(house, held, { verdict: 'deny', reason: 'not today' })).json).toMatchObject({
      state: 'denied',
    });
    expect((await asked).status).toBe(403);
    expect(await outcomeOf(house, held.decisionId)).toBe('denied');
  });

  it('to amend delivers the amended call', async () => {
    const { asked, held } = await holdOn(house, 'transfer 5 EUR');
    const { json } = await house.call(`/api/v1/holds/${held.id}`);
    const shown = z.object({
      exchange: z.object({ response: z.object({ toolCalls: z.array(z.object({ id: z.string() })) }) }),
    });
    const id = shown.parse(json).exchange.response.toolCalls[0]?.id ?? '';
    const amendment = { toolCalls: [{ id, arguments: { amount: 1 } }] };
    expect((await rule(house, held, { verdict: 'amend', reason: 'less', amendment })).json).toMatchObject({
      state: 'amended',
    });
    expect(await (await asked).text()).toContain('{\\"amount\\":1}');
  });

  it('to amend with a number that a double does not keep is refused, and delivers no other one', async () => {
    const { asked, held } = await holdOn(house, 'transfer 711 EUR');
    const order = { verdict: 'amend', reason: 'less', digest: held.digest };
    const body = JSON.stringify({ ...order, amendment: { text: 'N' } }).replace('"N"', '9007199254740993');
    const headers = { 'content-type': 'application/json' };
    const ruled = await house.call(`/api/v1/holds/${held.id}/rulings`, { body, headers });
    expect([ruled.status, ruled.json]).toMatchObject([
      400,
      { detail: 'The number 9007199254740993 would be sealed, and sent on, as 9007199254740992.' },
    ]);
    await rule(house, held, { verdict: 'deny', reason: 'not today' });
    expect((await asked).status).toBe(403);
  });

  it('is refused with a reason that would be sealed as another one, and sealed with any text', async () => {
    const { asked, held } = await holdOn(house, 'transfer 811 EUR');
    const half = await rule(house, held, { verdict: 'deny', reason: 'no \ud83d' });
    expect([half.status, half.json]).toMatchObject([
      400,
      { detail: expect.stringContaining('half of a character') },
    ]);
    expect((await rule(house, held, { verdict: 'deny', reason: 'no \u{1f600}' })).status).toBe(201);
    expect((await asked).status).toBe(403);
    const { json } = await house.call(`/api/v1/holds/${held.id}`);
    expect(json).toMatchObject({ rulings: [{ reason: 'no \u{1f600}' }] });
  });

  it.each(['release', 'deny'])('to %s with an amendment says two things, and is refused', async (verdict) => {
    const { asked, held } = await holdOn(house, `please escalate, do not ${verdict}`);
    const amendment = { body: { model: 'gpt-test', messages: [{ role: 'user', content: 'about gardens' }] } };
    const ruled = await rule(house, held, { verdict, reason: 'softer', amendment });
    expect([ruled.status, ruled.json]).toMatchObject([400, { code: 'invalid_argument' }]);
    expect((await rule(house, held, { verdict: 'deny', reason: 'not today' })).status).toBe(201);
    expect((await asked).status).toBe(403);
  });

  it('to amend a request sends the amended body', async () => {
    const { asked, held } = await holdOn(house, 'please escalate');
    const body = { model: 'gpt-test', messages: [{ role: 'user', content: 'about gardens' }] };
    expect(
      (await rule(house, held, { verdict: 'amend', reason: 'softer', amendment: { body } })).status,
    ).toBe(201);
    expect(await (await asked).text()).toContain('gardens');
  });

  it.each([
    ['of a call that is not there', { toolCalls: [{ id: 'call_none', arguments: {} }] }],
    ['of the whole body of an answer', { body: {} }],
    ['of nothing', {}],
    ['with a field of its own', { txt: 'x' }],
  ])('is refused for an amendment %s, and the hold stays', async (_, amendment) => {
    const { asked, held } = await holdOn(house, 'transfer 6 EUR');
    expect((await rule(house, held, { verdict: 'amend', reason: 'x', amendment })).status).toBe(400);
    expect((await house.call(`/api/v1/holds/${held.id}`)).json).toMatchObject({ state: 'pending' });
    await rule(house, held, { verdict: 'release' });
    await asked;
  });

  it('on other bytes than the held ones is 409', async () => {
    const { asked, held } = await holdOn(house, 'transfer 7 EUR');
    const other = await rule(house, held, { verdict: 'release', digest: 'f'.repeat(64) });
    expect([other.status, other.json]).toMatchObject([409, { code: 'digest_mismatch' }]);
    await rule(house, held, { verdict: 'release' });
    await asked;
    const again = await rule(house, held, { verdict: 'deny', reason: 'late' });
    expect([again.status, again.json]).toMatchObject([409, { code: 'already_ruled' }]);
  });

  it('of two at once is used once', async () => {
    const { asked, held } = await holdOn(house, 'transfer 8 EUR');
    const both = await Promise.all([
      rule(house, held, { verdict: 'release' }),
      rule(house, held, { verdict: 'deny', reason: 'no' }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect([200, 403]).toContain((await asked).status);
  });

  it('needs as many people as the rule says, distinct ones', async () => {
    const { asked, held } = await holdOn(house, 'delete records of 1001');
    expect((await rule(house, held, { verdict: 'release' })).json).toMatchObject({
      state: 'pending',
      approvals: { needed: 2, given: ['reviewer-1'] },
    });
    expect((await rule(house, held, { verdict: 'release' })).status).toBe(409);
    expect((await rule(house, held, { verdict: 'release' }, 'admin')).json).toMatchObject({
      state: 'released',
    });
    expect((await asked).status).toBe(200);
  });
});
