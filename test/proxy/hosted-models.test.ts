/** Models behind one path of their host's: their calls are held as anybody's are, whole and streamed. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { holdTransfers } from './policies.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const body = JSON.stringify({ messages: [{ role: 'user', content: 'Pay.' }] });
const call = { name: 'transfer_funds', arguments: { amount: 25_000, to: 'DE89' } };

async function start(type: string, answered: string) {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', [`Content-Type: ${type}`], answered)),
  );
  const sidecar = await startTestSidecar({
    policy: holdTransfers,
    upstreams: { cloudflare: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(rawRequest('POST', '/client/v4/accounts/a/ai/run/@cf/meta/llama-4-scout', [], body));
  return { sidecar, client };
}

// https://developers.cloudflare.com/workers-ai/features/function-calling/traditional/
test('a call in the answer of a host waits for a person, who may change it', async () => {
  const answer = { result: { response: null, tool_calls: [call] }, success: true, errors: [] };
  const { sidecar, client } = await start('application/json', JSON.stringify(answer));
  const hold = await sidecar.ada.nextHold();
  const toolCalls = [{ id: '#1', arguments: { amount: 1, to: 'DE89' } }];
  await sidecar.ada.rule(hold, { verdict: 'amend', amendment: { toolCalls } });
  const { status, body: received } = await client.answer();
  expect([status, JSON.parse(received.toString())]).toEqual([
    200,
    { ...answer, result: { response: null, tool_calls: [{ ...call, arguments: toolCalls[0]?.arguments }] } },
  ]);
});

test('and in its stream, and comes as it was sent once released', async () => {
  const events =
    'data: {"response":"Paying.","p":"ab"}\n\n' +
    `data: ${JSON.stringify({ response: '', tool_calls: [call] })}\n\n` +
    'data: [DONE]\n\n';
  const { sidecar, client } = await start('text/event-stream', events);
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await client.answer()).body.toString()).toContain(JSON.stringify(call));
});

test.each(['/client/v4/accounts/a/ai/run/@cf/meta/llama-4-scout', '/api/v2/cortex/agent:run'])(
  'a model that only the path names, or nobody does, waits for a person by the default policy: %s',
  async (target) => {
    const rig = await startRig({ policy: readFileSync('config/policy.yaml', 'utf8') });
    await rig.post(target, body);
    await rig.sidecar.ada.nextHold();
    expect(rig.upstream.requests).toHaveLength(0);
  },
);
