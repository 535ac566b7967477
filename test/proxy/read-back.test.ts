/**
 * A call that a reviewer denied and that a provider keeps: a workload that answers it without having seen it does not get
 * it by reading the log back, and has nobody run it by saying yes.
 */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { exchange, rawRequest } from '../support/raw-client.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { type Rig, startRig } from './rig.ts';

afterEach(endAll);

const policy = readFileSync(new URL('../../config/policy.yaml', import.meta.url), 'utf8');
const json = ['Content-Type: application/json'];
const input = { amount: 9, to: 'DE89' };
const handed = JSON.stringify(input);

interface Kept {
  readonly kept: string;
  /** Where the log is read. */
  readonly log: string;
  /** Where the workload answers, and with what. */
  readonly answers: string;
  readonly answer: object;
  /** What the log says once it was answered. */
  readonly said: object;
}

const called = { type: 'function', function: { name: 'transfer_funds', arguments: handed, output: 'done' } };
const step = { object: 'thread.run.step', step_details: { type: 'tool_calls', tool_calls: [called] } };
const item = {
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'transfer_funds',
  arguments: handed,
};
const output = { type: 'function_call_output', call_id: 'call_1', output: 'done' };
const use = { type: 'agent.custom_tool_use', id: 'e1', name: 'transfer_funds', input };
const result = { type: 'user.custom_tool_result', custom_tool_use_id: 'e1', content: [] };

const cases: readonly Kept[] = [
  {
    kept: 'a conversation',
    log: '/v1/conversations/conv_1/items',
    answers: '/v1/conversations/conv_1/items',
    answer: { items: [output] },
    said: { object: 'list', data: [item, output] },
  },
  {
    kept: 'a response',
    log: '/v1/responses/resp_2/input_items',
    answers: '/v1/conversations/conv_1/items',
    answer: { items: [output] },
    said: { object: 'list', data: [output, item] },
  },
  {
    kept: 'a run',
    log: '/v1/threads/t_1/runs/r_1/steps',
    answers: '/v1/threads/t_1/runs/r_1/submit_tool_outputs',
    answer: { tool_outputs: [{ tool_call_id: 'call_1', output: 'done' }] },
    said: { object: 'list', data: [step] },
  },
  {
    kept: 'a session',
    log: '/anthropic/v1/sessions/s_1/events',
    answers: '/anthropic/v1/sessions/s_1/events',
    answer: { events: [result] },
    said: { data: [use, result] },
  },
];

const saying = ({ upstream }: Rig, body: object): void =>
  upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', json, JSON.stringify(body))));

test.each(cases)('what $kept keeps is held again once the workload has answered it', async (one) => {
  const rig = await startRig({ policy });
  saying(rig, {});
  const { proxyUrl, ada } = rig.sidecar;
  const answered = await exchange(
    proxyUrl,
    rawRequest('POST', one.answers, json, JSON.stringify(one.answer)),
  );
  expect(answered.status).toBe(200);
  saying(rig, one.said);
  const read = exchange(proxyUrl, rawRequest('GET', one.log, []));
  await ada.rule(await ada.nextHold(), { verdict: 'deny', reason: 'Not this one.' });
  const { status, body } = await read;
  expect(status).toBe(403);
  expect(body.includes('DE89')).toBe(false);
});

test('a list of kept responses is judged by the calls in each', async () => {
  const rig = await startRig({ policy });
  const response = { object: 'response', id: 'resp_1', status: 'completed', output: [item], input: [] };
  saying(rig, { object: 'list', data: [response] });
  const read = exchange(rig.sidecar.proxyUrl, rawRequest('GET', '/v1/responses?limit=1', []));
  const { ada } = rig.sidecar;
  await ada.rule(await ada.nextHold(), { verdict: 'deny', reason: 'Not this one.' });
  expect((await read).status).toBe(403);
});

test('a yes to a call in a session waits, which the workload may give to what was never let through', async () => {
  const rig = await startRig({ policy });
  saying(rig, { data: [] });
  const yes = { events: [{ type: 'user.tool_confirmation', tool_use_id: 'e1', result: 'allow' }] };
  const target = '/anthropic/v1/sessions/s_1/events';
  const asked = exchange(rig.sidecar.proxyUrl, rawRequest('POST', target, json, JSON.stringify(yes)));
  const { ada } = rig.sidecar;
  await ada.rule(await ada.nextHold(), { verdict: 'deny', reason: 'Not this one.' });
  expect((await asked).status).toBe(403);
  expect(rig.upstream.requests).toHaveLength(0);
});
