/** Whoever rules lets through what a rule holds; what a rule denies no amendment brings back in. */
import { writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { type Rig, startRig } from './rig.ts';

afterEach(endAll);

const call = (amount: number): string =>
  `{ toolCalls: [{ name: transfer_funds, arguments: { amount: ${amount} } }] }`;

const two = `{ toolCalls: [{ name: transfer_funds }, { name: transfer_funds }] }`;

/** A rule in the words of the policy file, true of `yes` and not of `no`. */
function rule(id: string, action: string, phase: string, when: string, yes: string, no: string): string {
  return `  - id: ${id}
    title: The rule ${id}
    phase: ${phase}
    when: ${when}
    action: ${action}
    tests:
      - { name: yes, expect: match, ${phase}: ${yes} }
      - { name: no, expect: no-match, ${phase}: ${no} }
`;
}

const above = (amount: number): string =>
  `response.toolCalls.exists(c, c.name == "transfer_funds" && num(c.arguments.amount) > ${amount}.0)`;
const policy = `version: "1"
rules:
${rule('large', 'hold', 'response', above(10_000), call(25_000), call(20))}
${rule('ruinous', 'deny', 'response', above(1_000_000), call(2_000_000), call(25_000))}
${rule('models', 'hold', 'request', 'request.model == "other"', '{ model: other }', '{ model: gpt-4.1 }')}
${rule('topic', 'deny', 'request', 'request.text.contains("merger")', '{ text: the merger }', '{ text: no }')}
`;

async function heldTransfer(rig: Rig) {
  rig.upstream.script((_request, to) =>
    to.send(wholeAnswer('200 OK', ['Content-Type: application/json'], chatTransfer(25_000))),
  );
  const client = await rig.chat(chatRequest());
  return { client, held: await rig.sidecar.ada.nextHold() };
}

test('an answer amended to what a rule denies is refused, and stays held for another ruling', async () => {
  const rig = await startRig({ policy });
  const { client, held } = await heldTransfer(rig);
  const [id = ''] = await rig.sidecar.ada.callIdsOf(held);
  const amended = (value: number) =>
    rig.sidecar.ada.rule(held, {
      verdict: 'amend',
      amendment: { toolCalls: [{ id, arguments: { amount: value, to: 'DE89' } }] },
    });
  expect(await amended(2_000_000)).toEqual({ status: 400, code: 'invalid_argument' });
  expect(await rig.sidecar.ada.pending()).toHaveLength(1);
  // Held again by the rule that held it first: that is for the person who rules to say.
  expect((await amended(30_000)).status).toBe(201);
  expect((await client.answer()).body.toString()).toContain('30000');
});

test('an answer is not released without the calls that kept a rule from denying it', async () => {
  const alone = rule('alone', 'deny', 'response', 'size(response.toolCalls) == 1', call(25_000), two);
  const large = rule('large', 'hold', 'response', above(10_000), call(25_000), call(20));
  const rig = await startRig({ policy: `version: "1"\nrules:\n${large}${alone}` });
  const toolCalls = ['pay', 'log'].map((id) => ({
    ...{ id, type: 'function' },
    function: { name: 'transfer_funds', arguments: '{"amount":25000}' },
  }));
  const message = { role: 'assistant', content: null, tool_calls: toolCalls };
  const choices = [{ index: 0, message, finish_reason: 'tool_calls' }];
  const answer = JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4.1',
    choices,
  });
  rig.upstream.script((_request, to) =>
    to.send(wholeAnswer('200 OK', ['Content-Type: application/json'], answer)),
  );
  const client = await rig.chat(chatRequest());
  const { ada } = rig.sidecar;
  const held = await ada.nextHold();
  const divided = { verdict: 'release', calls: ['pay'] } as const;
  expect(await ada.rule(held, divided)).toEqual({ status: 400, code: 'invalid_argument' });
  expect(await ada.pending()).toHaveLength(1);
  expect((await ada.rule(held, { verdict: 'release' })).status).toBe(201);
  expect((await client.answer()).body.toString()).toBe(answer);
});

test('a request amended to what a rule denies is refused, and goes nowhere', async () => {
  const rig = await startRig({ policy });
  const client = await rig.chat(chatRequest({ model: 'other' }));
  const held = await rig.sidecar.ada.nextHold();
  const amended = (content: string) =>
    rig.sidecar.ada.rule(held, {
      verdict: 'amend',
      amendment: { body: { model: 'other', messages: [{ role: 'user', content }] } },
    });
  expect(await amended('Tell me of the merger.')).toEqual({ status: 400, code: 'invalid_argument' });
  expect(rig.upstream.requests).toHaveLength(0);
  expect((await amended('Tell me of the weather.')).status).toBe(201);
  expect((await client.answer()).status).toBe(200);
  expect(rig.upstream.requests).toHaveLength(1);
});

test.each([
  ['in a form that is none', [{ role: 'user', content: { type: 'text', text: 'Tell me of the merger.' } }]],
  ['where no list of messages is', 'Tell me of the merger.'],
])(
  'a request amended to say %s is refused: what no rule could read goes nowhere',
  async (_where, messages) => {
    const rig = await startRig({ policy });
    const client = await rig.chat(chatRequest({ model: 'other' }));
    const held = await rig.sidecar.ada.nextHold();
    const amended = (body: object) => rig.sidecar.ada.rule(held, { verdict: 'amend', amendment: { body } });
    expect(await amended({ model: 'other', messages })).toEqual({ status: 400, code: 'invalid_argument' });
    expect(rig.upstream.requests).toHaveLength(0);
    expect((await rig.sidecar.ada.rule(held, { verdict: 'deny', reason: 'Never.' })).status).toBe(201);
    expect((await client.answer()).status).toBe(403);
  },
);

test('an amended answer that nobody has collected is judged as it was amended by the rules that came since', async () => {
  const rig = await startRig({ policy });
  const { client, held } = await heldTransfer(rig);
  client.destroy();
  const { ada, place, sidecar } = rig.sidecar;
  await waitFor(async () => expect(await ada.pending()).toMatchObject([{ caller: 'gone' }]));
  const [id = ''] = await ada.callIdsOf(held);
  const amendment = { toolCalls: [{ id, arguments: { amount: 30_000, to: 'DE89' } }] };
  expect((await ada.rule(held, { verdict: 'amend', amendment })).status).toBe(201);
  const collectUnder = async (when: string, yes: string, no: string) => {
    const since = rule('since', 'deny', 'response', when, yes, no);
    writeFileSync(place.policyFile, `version: "2"\nrules:\n${since}`);
    await sidecar.reloadPolicy();
    return (await rig.chat(chatRequest())).answer();
  };
  expect((await collectUnder(above(28_000), call(30_000), call(25_000))).status).toBe(403);
  const below = `response.toolCalls.exists(c, num(c.arguments.amount) < 28000.0)`;
  const collected = await collectUnder(below, call(25_000), call(30_000));
  expect([collected.status, collected.body.toString()]).toEqual([200, expect.stringContaining('30000')]);
});
