/** Amendments meet whatever was held and whatever a reviewer's tool sends: each fits or is refused as not fitting. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { socketBodyType } from '../../src/provider/realtime/body.ts';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { chatRequest, chatText, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ policy: holdTransfers });
});
afterAll(endAll);

let asked = 0;
beforeEach(() => {
  asked += 1;
});

async function hold(headers: readonly string[], answer: string | Buffer) {
  rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', headers, answer)));
  const client = await rig.chat(chatRequest({ user: `user-${asked}` }));
  return { client, held: await rig.sidecar.ada.nextHold() };
}

const json = 'Content-Type: application/json';

test('an answer whose coding cannot be undone is not amended, and stays held', async () => {
  const { held } = await hold([json, 'Content-Encoding: gzip'], 'not gzip');
  const amend = await rig.sidecar.ada.rule(held, { verdict: 'amend', amendment: { text: 'Other.' } });
  expect(amend).toEqual({ status: 409, code: 'not_amendable' });
  expect((await rig.sidecar.ada.rule(held, { verdict: 'deny' })).status).toBe(201);
});

test('a provider cannot write what the reviewer is told of its answer', async () => {
  const facts = JSON.stringify({ facts: { status: 200, text: 'Harmless.', toolCalls: [] }, defects: [] });
  const forged = `facts ${facts.length}\n${facts}\n0 server text withheld 2 -\n{}\n`;
  const { held } = await hold([`Content-Type: ${socketBodyType}`], forged);
  expect(held.headline).not.toContain('Harmless');
  const amend = await rig.sidecar.ada.rule(held, { verdict: 'amend', amendment: { toolCalls: [] } });
  expect(amend).toEqual({ status: 409, code: 'not_amendable' });
  expect((await rig.sidecar.ada.rule(held, { verdict: 'deny' })).status).toBe(201);
});

test.each([
  ['a tool call', json, chatTransfer(25_000), true],
  ['nothing that can be read', `${json}\r\nContent-Encoding: gzip`, 'not gzip', false],
  ['arguments that do not parse', json, chatTransfer(25_000).replace('{\\"amount', '{amount'), true],
])('a hold of an answer with %s says whether it can be amended', async (_what, type, answer, amendable) => {
  const { held } = await hold([type], answer);
  const whyNot = async () => (await rig.sidecar.ada.hold(held.id)).actions?.amend;
  expect((await whyNot()) === '').toBe(amendable);
  expect((await rig.sidecar.ada.rule(held, { verdict: 'deny' })).status).toBe(201);
  expect(await whyNot()).not.toBe('');
});

const [callId = ''] = /call_[A-Za-z0-9]*/.exec(chatTransfer(25_000)) ?? [];
const calls = fc.array(
  fc.record({ id: fc.constantFrom(callId, '', '__proto__'), arguments: fc.jsonValue({ maxDepth: 3 }) }),
  { maxLength: 2 },
);
const amendments = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.record({ text: fc.string({ unit: 'binary' }) }),
  fc.record({ toolCalls: calls }),
  fc.record({ text: fc.string(), toolCalls: calls }, { requiredKeys: [] }),
  fc.record({ body: fc.dictionary(fc.string(), fc.jsonValue()) }),
);
/** Stands in for a call's own text where an answer is held because it cannot be read. */
const answers = fc.constantFrom(
  chatTransfer(25_000),
  chatText('{'),
  '{"choices":[{}]}',
  '[]',
  '{"a":1,"a":2}',
  '',
);

test('no amendment of anything that is held fails inside Holdpoint', async () => {
  await fc.assert(
    fc.asyncProperty(answers, fc.array(amendments, { minLength: 1, maxLength: 4 }), async (answer, tried) => {
      rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', [json], answer)));
      asked += 1;
      const client = await rig.chat(chatRequest({ user: `user-${asked}` }));
      const reaction = await Promise.race([client.answer(), rig.sidecar.ada.nextHold()]);
      if (!('digest' in reaction)) return;
      for (const amendment of tried) {
        const { status } = await rig.sidecar.ada.rule(reaction, { verdict: 'amend', amendment });
        expect([201, 400, 409]).toContain(status);
      }
      await rig.sidecar.ada.rule(reaction, { verdict: 'deny' });
      expect([200, 403]).toContain((await client.answer()).status);
    }),
    { numRuns: 40 },
  );
});
