/** Calls that a person released, and that their caller reads back: held no second time, and everything beside them as ever. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, exchange, rawRequest } from '../support/raw-client.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { denyTransfers, holdTransfers } from './policies.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';
import { anthropicStream, idle, openSession } from './session-scene.ts';

afterEach(endAll);

const json = ['Content-Type: application/json'];
const key = 'Authorization: Bearer sk-one';

const called = (amount: number, id = 'call_4b8C1gkQ92mTzPq7') => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name: 'transfer_funds',
  arguments: JSON.stringify({ amount }),
});

const responded = (...output: readonly object[]): string =>
  JSON.stringify({ id: 'resp_1', object: 'response', model: 'gpt-4.1', status: 'completed', output });

/** The provider says this from here on. */
const saying = ({ upstream }: Rig, body: string): void =>
  upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', json, body)));

const ask = ({ sidecar }: Rig) =>
  exchange(sidecar.proxyUrl, rawRequest('POST', '/v1/responses', [key, ...json], '{"model":"gpt-4.1"}'));

const readBack = ({ sidecar }: Rig, credential = key) =>
  exchange(sidecar.proxyUrl, rawRequest('GET', '/v1/responses/resp_1', [credential]));

/** A person is asked, and says no. */
async function isDenied({ sidecar: { ada } }: Rig, answer: ReturnType<typeof exchange>): Promise<void> {
  await ada.rule(await ada.nextHold(), { verdict: 'deny' });
  expect((await answer).status).toBe(403);
}

/** Asks, and has what the provider says released. */
async function released(rig: Rig, body: string): Promise<void> {
  saying(rig, body);
  const answer = ask(rig);
  await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
  expect((await answer).status).toBe(200);
}

describe('a call that was released', () => {
  test('is not held again when its caller reads it back, and the record says in which decision it was released', async () => {
    const rig = await startRig({ policy: holdTransfers });
    await released(rig, responded(called(20_000)));
    const [first] = await rig.sidecar.ada.newestIds(1);
    const read = await readBack(rig);
    expect(read.status).toBe(200);
    expect(read.body.toString()).toBe(responded(called(20_000)));
    const decision = await rig.sidecar.ada.decision(decisionIdOf(read.head));
    const answer = decision.entries.find(({ type }) => type === 'response');
    const asked = (await rig.sidecar.ada.decision(first ?? '')).entries.find(
      ({ type }) => type === 'request',
    );
    expect(answer?.data).toMatchObject({ verdict: 'pass', rules: [], known: [[0, asked?.seq]] });
  });

  test('is known too where its caller left, and came back for it', async () => {
    const rig = await startRig({ policy: holdTransfers });
    saying(rig, responded(called(20_000)));
    const client = await connectRaw(rig.sidecar.proxyUrl);
    client.send(rawRequest('POST', '/v1/responses', [key, ...json], '{"model":"gpt-4.1"}'));
    const hold = await rig.sidecar.ada.nextHold();
    client.end();
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await ask(rig)).status).toBe(200);
    expect((await readBack(rig)).status).toBe(200);
  });

  test('is known too where it came in the stream of a session, and stands in its log', async () => {
    const scene = await openSession({ policy: holdTransfers }, anthropicStream);
    const use = {
      type: 'agent.custom_tool_use',
      id: 'sevt_01HqR9kPnB6VmTzW2',
      name: 'transfer_funds',
      input: { amount: 20_000 },
    };
    const event = `event: ${use.type}\ndata: ${JSON.stringify(use)}\n\n`;
    scene.say(event, idle('requires_action'));
    const { ada, proxyUrl } = scene.rig.sidecar;
    await ada.rule(await ada.nextHold(), { verdict: 'release' });
    await scene.client.until('status_idle');
    saying(scene.rig, JSON.stringify({ data: [use] }));
    const log = '/anthropic/v1/sessions/sesn_1/events';
    const read = exchange(proxyUrl, rawRequest('GET', log, ['x-api-key: secret']));
    expect((await read).status).toBe(200);
  });

  const others: readonly [string, string, string?][] = [
    ['with other arguments', responded(called(20_001))],
    ['under another id', responded(called(20_000, 'call_9x8C1gkQ92mTzPq7'))],
    ['beside one that nobody released', responded(called(20_000), called(30_000, 'call_other_92mTzPq7'))],
    ['by another caller', responded(called(20_000)), 'Authorization: Bearer sk-other'],
  ];
  test.each(others)('is held again where it is read back %s', async (_how, body, credential) => {
    const rig = await startRig({ policy: holdTransfers });
    await released(rig, responded(called(20_000)));
    saying(rig, body);
    await isDenied(rig, readBack(rig, credential));
  });

  test('is held again where the model says it anew, whatever its id', async () => {
    const rig = await startRig({ policy: holdTransfers });
    await released(rig, responded(called(20_000)));
    await isDenied(rig, ask(rig));
  });

  test('is held again where its id is so short that another call may have the same', async () => {
    const rig = await startRig({ policy: holdTransfers });
    await released(rig, responded(called(20_000, 'call_0')));
    await isDenied(rig, readBack(rig));
  });
});

const twoRules = `${holdTransfers}  - id: nothing-kept
    title: What is kept must call something
    phase: response
    when: request.method == "GET" && response.toolCalls.size() == 0
    action: deny
    severity: high
    tests:
      - { name: yes, expect: match, request: { method: GET }, response: {} }
      - { name: no, expect: no-match, request: { method: POST }, response: {} }
`;

test('a person is asked, and no rule, where a rule denies what is left without the calls that were released', async () => {
  const rig = await startRig({ policy: twoRules });
  await released(rig, responded(called(20_000)));
  await isDenied(rig, readBack(rig));
});

test('what a rule has come to deny is denied, whoever has it', async () => {
  const rig = await startRig({ policy: holdTransfers });
  await released(rig, responded(called(20_000)));
  writeFileSync(rig.sidecar.place.policyFile, denyTransfers);
  await rig.sidecar.sidecar.reloadPolicy();
  expect((await readBack(rig)).status).toBe(403);
  expect(await rig.sidecar.ada.holds('pending')).toEqual([]);
});

describe('a call that its caller does not have', () => {
  test('is held when it is read back after a denial', async () => {
    const rig = await startRig({ policy: holdTransfers });
    saying(rig, responded(called(20_000)));
    await isDenied(rig, ask(rig));
    await isDenied(rig, readBack(rig));
  });

  test('is held when it is read back by who left while the released answer went out', async () => {
    const rig = await startRig({ policy: holdTransfers });
    const long = {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'x'.repeat(16 << 20) }],
    };
    saying(rig, responded(called(20_000), long));
    const { hostname, port } = new URL(rig.sidecar.proxyUrl);
    const socket = connect(Number(port), hostname);
    socket.pause();
    socket.write(rawRequest('POST', '/v1/responses', [key, ...json], '{"model":"gpt-4.1"}'));
    const { ada } = rig.sidecar;
    const hold = await ada.nextHold();
    await ada.rule(hold, { verdict: 'release' });
    await once(socket, 'readable');
    socket.destroy();
    // So much takes a busy machine a while.
    await waitFor(
      async () => expect(await ada.hold(hold.id)).toMatchObject({ caller: 'gone', outcome: null }),
      10_000,
    );
    saying(rig, responded(called(20_000)));
    await isDenied(rig, readBack(rig));
  });

  test('is held when it is read back after an amendment', async () => {
    const rig = await startRig({ policy: holdTransfers });
    saying(rig, responded(called(20_000)));
    const answer = ask(rig);
    const { ada } = rig.sidecar;
    const hold = await ada.nextHold();
    const amendment = { toolCalls: [{ id: 'call_4b8C1gkQ92mTzPq7', arguments: { amount: 5 } }] };
    expect(await ada.rule(hold, { verdict: 'amend', amendment })).toEqual({ status: 201, code: '' });
    expect((await answer).status).toBe(200);
    await isDenied(rig, readBack(rig));
  });
});

test('a replay judges what was judged: a call that its reader had counts for no rule', async () => {
  const rig = await startRig({ policy: holdTransfers });
  await released(rig, responded(called(20_000)));
  expect((await readBack(rig)).status).toBe(200);
  const token = rig.sidecar.place.tokenOf('Olga', 'admin');
  const answer = await fetch(`${rig.sidecar.controlUrl}/api/v1/policy/backtest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ policy: holdTransfers, reason: 'A replay' }),
  });
  expect(await answer.json()).toMatchObject({
    replayed: { request: 2, response: 2 },
    rules: [{ rule: 'the-rule', now: 1, before: 1 }],
  });
});
