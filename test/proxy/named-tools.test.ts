/** A rule on a tool's name holds that tool on a server that the provider calls, and what is released is what came. */
import { afterEach, expect, test } from 'vitest';
import { callLines } from '../../src/cli/call-lines.ts';
import { detailSchema } from '../../src/cli/hold-answers.ts';
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

test('whoever rules on it sees what the call is known as', async () => {
  const { rig } = await asked(answerOf('mcp_call', 25_000));
  const { id } = await rig.sidecar.ada.nextHold();
  const { controlUrl, place } = rig.sidecar;
  const response = await fetch(`${controlUrl}/api/v1/holds/${id}`, {
    headers: { authorization: `Bearer ${place.tokenOf('ada', 'reviewer')}` },
  });
  const { exchange } = detailSchema.parse(await response.json());
  const [call] = exchange?.response?.toolCalls ?? [];
  expect(call?.name).toBe('mcp_call');
  expect(call?.alsoAs?.map(({ name }) => name)).toEqual(['transfer_funds', 'bank.transfer_funds']);
  if (call === undefined) throw new Error('there is a call');
  expect(callLines(call)).toContain('also known as bank.transfer_funds');
});

test('a small one does not', async () => {
  const answer = answerOf('mcp_call', 20);
  const { client } = await asked(answer);
  expect((await client.answer()).body.toString()).toBe(answer);
});
