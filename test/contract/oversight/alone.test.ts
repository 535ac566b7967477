/** What one person released alone, others review. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type House, nextHold, startHouse } from '../support/sidecar.ts';
import { closeVerified, codeOf, listen, show } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => closeVerified(house));

describe('a release by one person alone', () => {
  it('stays open until somebody else, who did not ask for it either, writes a finding', async () => {
    const caller = house.ask('delete 3 records');
    const { id, digest } = await nextHold(house);
    const json = { verdict: 'release', reason: 'The plant is on fire.', digest, breakGlass: true };
    expect(codeOf(await house.call(`/api/v1/holds/${id}/rulings`, { as: 'admin', json }))).toBe('201');
    expect((await caller).status).toBe(200);
    const reviews = async (state: string) =>
      z
        .object({ items: z.array(z.looseObject({ hold: z.string(), by: z.string(), review: z.unknown() })) })
        .parse((await house.call(`/api/v1/reviews?state=${state}`, { as: 'viewer' })).json).items;
    expect(await reviews('open')).toMatchObject([{ hold: id, by: 'admin-1', state: 'open', review: null }]);
    expect((await house.call('/metrics', { as: null })).text).toMatch(/^holdpoint_reviews_open 1$/m);
    const events = await listen(house);
    const find = (as: 'viewer' | 'reviewer' | 'admin', finding: object) =>
      house.call(`/api/v1/holds/${id}/review`, { as, json: finding }).then(codeOf);
    const finding = { verdict: 'unjustified', text: 'It was a drill.' };
    expect(await find('viewer', finding)).toBe('403 forbidden');
    expect(await find('admin', finding)).toBe('403 forbidden');
    expect(await find('reviewer', { ...finding, text: '' })).toBe('400 invalid_argument');
    expect(await find('reviewer', finding)).toBe('201');
    expect(await find('reviewer', finding)).toBe('409 already_ruled');
    expect(await reviews('open')).toEqual([]);
    expect(await reviews('reviewed')).toMatchObject([
      { hold: id, review: { by: 'reviewer-1', verdict: 'unjustified' } },
    ]);
    expect((await show(house, id)).review).toMatchObject({ by: 'reviewer-1', text: 'It was a drill.' });
    expect((await house.call('/metrics', { as: null })).text).toMatch(/^holdpoint_reviews_open 0$/m);
    await events.heard(/event: hold\.reviewed\ndata: .*"by":"reviewer-1"/);
    await events.done();
  });

  it('is of all that is held, and of no call by itself', async () => {
    const caller = house.ask('delete 4 records');
    const { id, digest } = await nextHold(house);
    const path = `/api/v1/holds/${id}/rulings`;
    const { exchange } = z
      .object({
        exchange: z.object({ response: z.object({ toolCalls: z.array(z.object({ id: z.string() })) }) }),
      })
      .parse((await house.call(`/api/v1/holds/${id}`)).json);
    const calls = exchange.response.toolCalls.map((call) => call.id);
    const json = { verdict: 'release', reason: 'The plant is on fire.', digest, breakGlass: true, calls };
    expect(codeOf(await house.call(path, { as: 'admin', json }))).toBe('400 invalid_argument');
    const denial = { verdict: 'deny', reason: 'It was a drill.', digest };
    expect(codeOf(await house.call(path, { as: 'admin', json: denial }))).toBe('201');
    await caller;
  });

  it('is the only thing that is reviewed', async () => {
    const caller = house.ask('please escalate: ordinary');
    const { id, digest } = await nextHold(house);
    await house.call(`/api/v1/holds/${id}/rulings`, { json: { verdict: 'release', digest } });
    await caller;
    const json = { verdict: 'justified', text: 'Fine.' };
    expect(codeOf(await house.call(`/api/v1/holds/${id}/review`, { as: 'auditor', json }))).toBe(
      '400 invalid_argument',
    );
  });
});
