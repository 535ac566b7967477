/** Why somebody ruled, for those who rule after them, review it or audit it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Held, type House, nextHold, startHouse } from '../support/sidecar.ts';
import { closeVerified, codeOf } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => closeVerified(house));

const rulingsSchema = z.object({
  rulings: z.array(z.object({ by: z.string(), verdict: z.string(), reason: z.string().nullable() })),
});

async function rulingsOn({ id }: Held, as: 'reviewer' | 'viewer' = 'reviewer') {
  return rulingsSchema.parse((await house.call(`/api/v1/holds/${id}`, { as })).json).rulings;
}

async function ruleAs(as: 'reviewer' | 'admin', { id, digest }: Held, ruling: object): Promise<void> {
  const json = { digest, ...ruling };
  expect(codeOf(await house.call(`/api/v1/holds/${id}/rulings`, { as, json }))).toBe('201');
}

describe('the reason of a ruling', () => {
  it('is read by whoever approves next, and not by those who read no content', async () => {
    const caller = house.ask('delete 4 records');
    const held = await nextHold(house);
    await ruleAs('reviewer', held, { verdict: 'release', reason: 'She asked ‮ by telephone.' });
    const given = { by: 'reviewer-1', verdict: 'release' };
    expect(await rulingsOn(held)).toEqual([{ ...given, reason: 'She asked ‮ by telephone.' }]);
    expect(await rulingsOn(held, 'viewer')).toEqual([{ ...given, reason: null }]);
    await ruleAs('admin', held, { verdict: 'deny', reason: 'She denies it.' });
    expect((await rulingsOn(held)).map(({ reason }) => reason)).toEqual([
      'She asked ‮ by telephone.',
      'She denies it.',
    ]);
    await caller;
  });

  it('is empty where none was given', async () => {
    const caller = house.ask('please escalate: no words');
    const held = await nextHold(house);
    await ruleAs('reviewer', held, { verdict: 'release' });
    await caller;
    expect((await rulingsOn(held)).map(({ reason }) => reason)).toEqual(['']);
  });

  it('is there for whoever reviews a release by one person alone', async () => {
    const caller = house.ask('delete 5 records');
    const held = await nextHold(house);
    await ruleAs('admin', held, { verdict: 'release', reason: 'The plant is on fire.', breakGlass: true });
    await caller;
    expect((await rulingsOn(held)).map(({ reason }) => reason)).toEqual(['The plant is on fire.']);
  });
});
