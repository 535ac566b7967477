/** A rule on a tool's name holds that tool on a server that the provider calls, and what is released is what came. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { holdTransfers } from './policies.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const request = JSON.stringify({
  model: 'gpt-5',
  input: 'Pay Ada.',
  tools: [{ type: 'mcp', server_label: 'bank', server_url: 'https://bank.example/mcp' }],
});
const answerOf = (type: string, amount: number): string => {
  const call = { name: 'transfer_funds', server_label: 'bank', arguments: JSON.stringify({ amount }) };
  return JSON.stringify({ id: 'r', status: 'completed', output: [{ type, id: 'm', ...call }] });
};

async function asked(answer: string) {
  const rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, to) =>
    to.send(wholeAnswer('200 OK', ['Content-Type: application/json'], answer)),
  );
  return { rig, client: await rig.post('/v1/responses', request) };
}

test.each(['mcp_call', 'mcp_approval_request'])('a large transfer by %s waits for a person', async (type) => {
  const answer = answerOf(type, 25_000);
  const { rig, client } = await asked(answer);
  const hold = await rig.sidecar.ada.nextHold();
  expect(await rig.sidecar.ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 });
  expect((await client.answer()).body.toString()).toBe(answer);
});

test('a small one does not', async () => {
  const answer = answerOf('mcp_call', 20);
  const { client } = await asked(answer);
  expect((await client.answer()).body.toString()).toBe(answer);
});
