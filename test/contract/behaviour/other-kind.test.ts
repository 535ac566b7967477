/** What is asked for by the name of something else: there is no such thing, and nothing is told of what there is. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type House, startHouse } from '../support/sidecar.ts';
import { holdOn, rule } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

it('a draft that somebody replayed is no version of the policy', async () => {
  await (await house.ask('a garden')).text();
  const json = { policy: 'version: "of nobody else"\nrules: []\n', reason: 'Try it.' };
  expect((await house.call('/api/v1/policy/backtest', { as: 'auditor', json })).status).toBe(200);
  const { items } = z
    .object({ items: z.array(z.object({ seq: z.number(), data: z.looseObject({}) })) })
    .parse((await house.call('/api/v1/ledger/entries?limit=1000', { as: 'auditor' })).json);
  const replay = items.find(({ data }) => data['action'] === 'backtest');
  const { status, text } = await house.call(`/api/v1/policy/versions/${replay?.seq}`, { as: 'viewer' });
  expect(status).toBe(404);
  expect(text).not.toContain('of nobody else');
});

it('a decision is no hold, and a hold no decision', async () => {
  const { asked, held } = await holdOn(house, 'transfer 5 EUR');
  const [, ledger, decision] = held.decisionId.split('-');
  const hold = held.id.split('-')[2];
  for (const path of [
    ...[`holds/${held.decisionId}`, `holds/h-${ledger}-${decision}`, `holds/h-00000000-${hold}`],
    ...[`decisions/${held.id}`, `decisions/d-${ledger}-${hold}`, `decisions/d-${ledger}-99999999`],
  ])
    expect([path, (await house.call(`/api/v1/${path}`)).status]).toEqual([path, 404]);
  await rule(house, held, { verdict: 'deny', reason: 'No.' });
  await asked;
});

it('what takes no parameters is not asked with one that would be passed over', async () => {
  const { status, text } = await house.call('/api/v1/whoami?as=admin');
  expect(status).toBe(400);
  expect(text).toContain('This call takes no parameters.');
});
