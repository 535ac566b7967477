/** The content of a decision in which a reviewer put something in the place of what was held, as control calls tell it. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { HoldpointError } from '../../../src/core/errors.ts';
import { type Held, type House, nextHold, startHouse, tools } from '../support/sidecar.ts';
import { holdOn, rule } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

const contentSchema = z.object({
  messages: z.array(z.object({ text: z.string() })).optional(),
  toolCalls: z.array(z.object({ id: z.string(), arguments: z.json() })).optional(),
  raw: z.object({ body: z.string() }),
});
const exchangeSchema = z.object({
  request: contentSchema,
  response: contentSchema.nullable(),
  amendedRequest: contentSchema.nullable(),
  amendedResponse: contentSchema.nullable(),
  defects: z.array(z.string()),
});

async function shownOn({ id }: Held) {
  const { json } = await house.call(`/api/v1/holds/${id}`);
  return z.object({ model: z.string(), exchange: exchangeSchema }).parse(json);
}

async function recordedOf({ decisionId }: Held) {
  const { json } = await house.call(`/api/v1/decisions/${decisionId}/exchange`);
  return exchangeSchema.parse(json);
}

const lastAsked = (of: z.output<typeof contentSchema> | null) => of?.messages?.at(-1)?.text;
const argumentsIn = (of: z.output<typeof contentSchema> | null) =>
  of?.toolCalls?.map((call) => call.arguments);

it('has no amendment where nobody amends', async () => {
  const { asked, held } = await holdOn(house, 'transfer 31 EUR');
  expect((await shownOn(held)).exchange).toMatchObject({ amendedRequest: null, amendedResponse: null });
  await rule(house, held, { verdict: 'release' });
  await asked;
  expect(await recordedOf(held)).toMatchObject({ amendedRequest: null, amendedResponse: null });
});

it('has the calls as the provider sent them, and as they were delivered in their place', async () => {
  const { asked, held } = await holdOn(house, 'transfer 32 EUR');
  const [call] = (await shownOn(held)).exchange.response?.toolCalls ?? [];
  const amendment = { toolCalls: [{ id: call?.id, arguments: { amount: 1 } }] };
  await rule(house, held, { verdict: 'amend', reason: 'less', amendment });
  const delivered = await (await asked).text();
  for (const told of [(await shownOn(held)).exchange, await recordedOf(held)]) {
    expect(argumentsIn(told.response)).toEqual([call?.arguments]);
    expect(argumentsIn(told.amendedResponse)).toEqual([{ amount: 1 }]);
    expect(told.amendedResponse?.raw.body).toBe(delivered);
    expect(told.amendedRequest).toBeNull();
  }
});

it('has the request as the workload sent it, and as it went out, for whoever rules on the answer', async () => {
  const { asked, held } = await holdOn(house, 'please escalate');
  expect((await shownOn(held)).exchange.amendedRequest).toBeNull();
  const body = { model: 'gpt-other', messages: [{ role: 'user', content: 'transfer 33 EUR' }], tools };
  await rule(house, held, { verdict: 'amend', reason: 'softer', amendment: { body } });
  const answerHeld = await nextHold(house);
  expect(answerHeld.decisionId).toBe(held.decisionId);
  const { model, exchange } = await shownOn(answerHeld);
  expect([lastAsked(exchange.request), lastAsked(exchange.amendedRequest)]).toEqual([
    'please escalate',
    'transfer 33 EUR',
  ]);
  expect([model, exchange.amendedResponse]).toEqual(['gpt-other', null]);
  await rule(house, answerHeld, { verdict: 'release' });
  await asked;
  // Of the hold on the request, what came later is no part.
  const first = (await shownOn(held)).exchange;
  expect([lastAsked(first.amendedRequest), first.response]).toEqual(['transfer 33 EUR', null]);
});

it('has what waits for a caller that left, too', async () => {
  const left = new AbortController();
  const asked = house.ask('please escalate: I am leaving', { signal: left.signal }).catch(() => null);
  const held = await nextHold(house);
  left.abort();
  await asked;
  const body = { model: 'gpt-test', messages: [{ role: 'user', content: 'about gardens' }] };
  await rule(house, held, { verdict: 'amend', reason: 'softer', amendment: { body } });
  expect(lastAsked((await shownOn(held)).exchange.amendedRequest)).toBe('about gardens');
});

it('has what was held where what was put in its place is damaged, and says so', async () => {
  const { asked, held } = await holdOn(house, 'transfer 34 EUR');
  const [call] = (await shownOn(held)).exchange.response?.toolCalls ?? [];
  const amendment = { toolCalls: [{ id: call?.id, arguments: { amount: 1 } }] };
  await rule(house, held, { verdict: 'amend', reason: 'less', amendment });
  await asked;
  const { ledger } = house.sidecar;
  const { part } = ledger;
  const reading = vi
    .spyOn(ledger, 'part')
    .mockImplementation((seq, name) =>
      name === 'amendment'
        ? Promise.reject(new HoldpointError('ledger_damaged', 'It was altered.'))
        : part(seq, name),
    );
  const { exchange } = await shownOn(held);
  reading.mockRestore();
  expect(argumentsIn(exchange.response)).toEqual([call?.arguments]);
  expect([exchange.amendedResponse, exchange.defects]).toEqual([
    null,
    ['what a reviewer put in its place cannot be read: It was altered.'],
  ]);
});
