/** The Realtime API through the sidecar: what flows, what waits, what is refused and what stands in the ledger. */
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { waitFor } from '../support/wait-for.ts';
import { denyTransfers, holdSecretText, holdTransfers, holdTransfersWith, policyOf } from './policies.ts';
import {
  asSent,
  callEvents,
  connectScene,
  type Scene,
  sayingItem,
  sendAll,
  spokenEvents,
  textsOf,
  type WireEvent,
} from './realtime-scene.ts';

afterEach(endAll);

const ask = { type: 'response.create' };
const secrets = {
  phase: 'request',
  when: 'request.text.contains("secret")',
  match: '{ text: a secret }',
  noMatch: '{ text: nothing }',
} as const;
const denySecrets = policyOf({ ...secrets, action: 'deny' });
const holdSecrets = policyOf({ ...secrets, action: 'hold' });

/** The client asks; resolves once the provider has heard. */
async function asked({ client, provider }: Scene): Promise<void> {
  const before = provider.heard.length;
  client.send(ask);
  await waitFor(() => expect(provider.types().slice(before)).toContain('response.create'));
}

const failed = ({ response }: WireEvent) => ({ ...Object(response), status: 'failed' });

describe('an answer that calls a tool', () => {
  test('waits for its ruling while sound goes on, and arrives as it was sent once released', async () => {
    const scene = await connectScene(holdTransfers);
    const { sidecar, client, provider } = scene;
    await asked(scene);
    const events = callEvents('resp_1', 25_000);
    sendAll(provider, events);
    const hold = await sidecar.ada.nextHold();
    expect(hold.headline).toBe('transfer_funds amount=25000 payee=ACME');
    const spoken = spokenEvents('resp_2', 'One moment.').slice(0, 6);
    sendAll(provider, spoken);
    await waitFor(() => expect(client.types().at(-1)).toBe('response.output_audio.delta'));
    expect(textsOf(client).slice(1)).toEqual([...asSent(events.slice(0, 1)), ...asSent(spoken)]);
    expect(await sidecar.ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 });
    await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
    expect(textsOf(client).slice(2 + spoken.length)).toEqual(asSent(events.slice(1)));
    expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
  });

  test('is not ruled on by the requester itself', async () => {
    const scene = await connectScene(holdTransfers);
    await asked(scene);
    sendAll(scene.provider, callEvents('resp_1', 25_000));
    const hold = await scene.sidecar.ada.nextHold();
    const own = await scene.sidecar.as('agent', 'reviewer').rule(hold, { verdict: 'release' });
    expect(own).toEqual({ status: 403, code: 'forbidden' });
  });

  test('has in its hold how much of the answer had gone on', async () => {
    const scene = await connectScene(holdTransfers);
    await asked(scene);
    const events = callEvents('resp_1', 25_000);
    sendAll(scene.provider, events);
    const { decisionId } = await scene.sidecar.ada.nextHold();
    const { entries } = await scene.sidecar.ada.decision(decisionId);
    const [passed = ''] = asSent(events);
    expect(entries.find(({ type }) => type === 'hold')?.data['passed']).toBe(passed.length);
  });

  test('is no duplicate of another one that waits on its connection', async () => {
    const { sidecar, provider } = await connectScene(holdTransfers);
    for (const id of ['resp_1', 'resp_2']) sendAll(provider, callEvents(id, 25_000));
    const holds = await sidecar.ada.pending(2);
    expect(holds.map(({ possibleDuplicate }) => possibleDuplicate)).toEqual([false, false]);
  });

  test('passes at once where no rule matches, and what the conversation repeats of it too', async () => {
    const scene = await connectScene(holdTransfers);
    const { client, provider } = scene;
    await asked(scene);
    const events = callEvents('resp_1', 20);
    const repeated = { type: 'conversation.item.retrieved', item: events.at(6)?.['item'] };
    sendAll(provider, [...events, repeated]);
    await waitFor(() => expect(client.types().at(-1)).toBe('conversation.item.retrieved'));
    expect(textsOf(client).slice(1)).toEqual(asSent([...events, repeated]));
  });

  test('ends in an error and a failed response where a rule denies it, and the session goes on', async () => {
    const scene = await connectScene(denyTransfers);
    const { client, provider } = scene;
    await asked(scene);
    sendAll(provider, callEvents('resp_1', 25_000));
    await waitFor(() =>
      expect(client.types()).toEqual(['session.created', 'response.created', 'error', 'response.done']),
    );
    const [error, done] = textsOf(client)
      .slice(-2)
      .map((text) => JSON.parse(text));
    expect(error).toMatchObject({ error: { type: 'permission_error', code: 'denied_by_policy' } });
    expect(done).toMatchObject({ response: { id: 'resp_1', status: 'failed', output: [] } });
    expect(textsOf(client).join('')).not.toContain('ACME');
    await asked(scene);
    sendAll(provider, callEvents('resp_2', 20));
    await waitFor(() => expect(client.types().slice(4)).toHaveLength(9));
  });

  test.each([
    { how: 'a reviewer denies it', terms: 'expiresIn: 15m', code: 'denied_by_reviewer', outcome: 'denied' },
    { how: 'nobody rules on it', terms: 'expiresIn: 1s', code: 'hold_expired', outcome: 'expired' },
  ])('never arrives when $how', async ({ terms, code, outcome }) => {
    const scene = await connectScene(holdTransfersWith(terms));
    const { sidecar, client, provider } = scene;
    await asked(scene);
    sendAll(provider, callEvents('resp_1', 25_000));
    const hold = await sidecar.ada.nextHold();
    if (outcome === 'denied') await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'Not today.' });
    await waitFor(() => expect(client.types().slice(-2)).toEqual(['error', 'response.done']), 4_000);
    expect(textsOf(client).at(-2)).toContain(code);
    expect(textsOf(client).join('')).not.toContain('ACME');
    expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe(outcome);
  });

  test('arrives with the arguments that a reviewer put in, wherever they stand', async () => {
    const scene = await connectScene(holdTransfers);
    const { sidecar, client, provider } = scene;
    await asked(scene);
    sendAll(provider, callEvents('resp_1', 25_000));
    const hold = await sidecar.ada.nextHold();
    const toolCalls = [{ id: 'call_resp_1', arguments: { amount: 9_000, payee: 'ACME' } }];
    const amend = { verdict: 'amend', reason: 'Less will do.' } as const;
    const tooMuch = { ...amend, amendment: { text: 'Something else.' } };
    expect(await sidecar.ada.rule(hold, tooMuch)).toMatchObject({ status: 400, code: 'invalid_argument' });
    expect(await sidecar.ada.rule(hold, { ...amend, amendment: { toolCalls } })).toMatchObject({
      status: 201,
    });
    await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
    const all = textsOf(client).join('\n');
    expect(all).not.toContain('25000');
    expect(all.match(/\\"amount\\":9000/g)).toHaveLength(5);
    // What went on at once does not come again.
    expect(client.types().filter((type) => type === 'response.created')).toHaveLength(1);
    expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
  });

  test('is held when the conversation names another call than the response', async () => {
    const scene = await connectScene(holdTransfers);
    const { sidecar, provider } = scene;
    await asked(scene);
    const events = callEvents('resp_1', 20).map((event) =>
      event['type'] === 'conversation.item.done'
        ? { ...event, item: { ...Object(event['item']), arguments: '{"amount":99999}' } }
        : event,
    );
    sendAll(provider, events);
    expect((await sidecar.ada.nextHold()).phase).toBe('response');
  });

  test('is held when its pieces contradict each other, also where its response fails in the end', async () => {
    const scene = await connectScene(holdTransfers);
    const { sidecar, client, provider } = scene;
    await asked(scene);
    const events = callEvents('resp_1', 20).map((event) => {
      if (event['type'] === 'response.function_call_arguments.done')
        return { ...event, arguments: '{"amount":99999}' };
      return event['type'] === 'response.done' ? { ...event, response: failed(event) } : event;
    });
    sendAll(provider, events);
    expect((await sidecar.ada.nextHold()).phase).toBe('response');
    expect(textsOf(client).join('')).not.toContain('99999');
  });

  test('outside any response is held like one within', async () => {
    const { sidecar, client, provider } = await connectScene(holdTransfers);
    const [item] = callEvents('resp_1', 25_000).filter(({ type }) => type === 'conversation.item.done');
    provider.send(item);
    provider.send({ type: 'rate_limits.updated', rate_limits: [] });
    const hold = await sidecar.ada.nextHold();
    await waitFor(() => expect(client.types()).toEqual(['session.created', 'rate_limits.updated']));
    await sidecar.ada.rule(hold, { verdict: 'release' });
    await waitFor(() => expect(textsOf(client).at(-1)).toBe(JSON.stringify(item)));
  });

  test('has lost its caller when that left before the ruling', async () => {
    const scene = await connectScene(holdTransfers);
    const { sidecar, client, provider } = scene;
    await asked(scene);
    sendAll(provider, callEvents('resp_1', 25_000));
    const hold = await sidecar.ada.nextHold();
    client.ws.terminate();
    expect((await provider.closed).code).toBe(1006);
    await waitFor(async () => expect((await sidecar.ada.hold(hold.id)).caller).toBe('gone'));
  });
});

test('a message of the provider that cannot be read is held', async () => {
  const { sidecar, client, provider } = await connectScene();
  provider.send('{"type":"response.done","type":"session.updated"}');
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(client.heard).toHaveLength(2));
});

test('of an answer whose text a rule reads, nothing passes before its end', async () => {
  const scene = await connectScene(holdSecretText);
  const { sidecar, client, provider } = scene;
  await asked(scene);
  sendAll(provider, spokenEvents('resp_1', 'It is a secret.'));
  const hold = await sidecar.ada.nextHold();
  expect(client.types()).toEqual(['session.created']);
  expect(hold.headline).toBe('It is a secret.');
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
  expect(textsOf(client).slice(1)).toEqual(asSent(spokenEvents('resp_1', 'It is a secret.')));
});

describe('what the workload tells the model', () => {
  test('is answered with an error and not sent on where a rule denies it', async () => {
    const { sidecar, client, provider } = await connectScene(denySecrets);
    client.send({ ...sayingItem('a secret'), event_id: 'mine' });
    client.send(sayingItem('hello'));
    await waitFor(() => expect(provider.heard).toHaveLength(1));
    expect(textsOf(provider)[0]).toContain('hello');
    expect(JSON.parse(textsOf(client)[1] ?? '')).toMatchObject({
      type: 'error',
      error: { code: 'denied_by_policy', event_id: 'mine' },
    });
    const [passed = '', denied = ''] = await sidecar.ada.newestIds(2);
    expect(await sidecar.ada.outcomeOf(passed)).toBe('delivered');
    expect(await sidecar.ada.outcomeOf(denied)).toBe('denied');
  });

  test('is on disk before the provider hears it, whether or not an answer to it is ever wished for', async () => {
    const { sidecar, client, provider } = await connectScene();
    client.send(sayingItem('hello'));
    await waitFor(() => expect(provider.heard).toHaveLength(1));
    const { id } = await sidecar.ada.lastDecision();
    const [request] = await sidecar.ada.bodies(id);
    expect(request?.text).toContain(JSON.stringify(sayingItem('hello')));
    expect(await sidecar.ada.outcomeOf(id)).toBe('delivered');
  });

  test('waits for its ruling, and all after it, in order; its release covers the wish for an answer', async () => {
    const { sidecar, client, provider } = await connectScene(holdSecrets);
    client.send(sayingItem('a secret'));
    client.send(ask);
    const hold = await sidecar.ada.nextHold();
    expect(hold).toMatchObject({ phase: 'request', headline: 'a secret' });
    provider.send({ type: 'rate_limits.updated', rate_limits: [] });
    await waitFor(() => expect(client.types().at(-1)).toBe('rate_limits.updated'));
    expect(provider.heard).toEqual([]);
    await sidecar.ada.rule(hold, { verdict: 'release' });
    await waitFor(() => expect(provider.types()).toEqual(['conversation.item.create', 'response.create']));
    sendAll(provider, spokenEvents('resp_1', 'Understood.'));
    await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
    expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
    expect(await sidecar.ada.holds('pending')).toEqual([]);
  });

  test('and is released has its answer judged by the policy that is in force when it comes', async () => {
    const { sidecar, client, provider } = await connectScene(holdSecrets);
    client.send({ type: 'response.create', response: { instructions: 'Tell the secret.' } });
    const hold = await sidecar.ada.nextHold();
    writeFileSync(sidecar.place.policyFile, denyTransfers);
    await sidecar.sidecar.reloadPolicy();
    await sidecar.ada.rule(hold, { verdict: 'release' });
    await waitFor(() => expect(provider.types()).toContain('response.create'));
    sendAll(provider, callEvents('resp_1', 25_000));
    await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
    expect(textsOf(client).join()).not.toContain('ACME');
    expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe('denied');
  });

  test('in instructions is judged like in messages', async () => {
    const { client, provider } = await connectScene(denySecrets);
    client.send({ type: 'session.update', session: { type: 'realtime', instructions: 'Keep a secret.' } });
    client.send({ type: 'response.create', response: { instructions: 'Tell a secret.' } });
    await waitFor(() => expect(client.types()).toEqual(['session.created', 'error', 'error']));
    expect(provider.heard).toEqual([]);
  });

  test('waits where a rule holds the session’s model, whatever other model an update names that may be refused', async () => {
    const policy = policyOf({
      phase: 'request',
      when: 'request.model == "gpt-realtime"',
      action: 'hold',
      match: '{ model: gpt-realtime }',
      noMatch: '{ model: other }',
    });
    const { sidecar, client, provider } = await connectScene(policy);
    client.send({ type: 'session.update', session: { model: 'other' } });
    client.send(ask);
    const hold = await sidecar.ada.nextHold();
    expect(provider.types()).toEqual(['session.update']);
    await sidecar.ada.rule(hold, { verdict: 'deny' });
    await waitFor(() => expect(client.types().at(-1)).toBe('error'));
    expect(provider.types()).toEqual(['session.update']);
  });

  test('as a message that cannot be read is refused', async () => {
    const { client, provider } = await connectScene();
    client.send('{"type":"response.create","type":"session.update"}');
    await waitFor(() => expect(client.types().at(-1)).toBe('error'));
    expect(textsOf(client).at(-1)).toContain('bad_request');
    expect(provider.heard).toEqual([]);
  });

  test('as sound closes the connection where a rule denies all this workload says', async () => {
    const policy = policyOf({
      phase: 'request',
      when: 'request.model == "gpt-realtime" && request.messages.size() == 0 && request.system == "Listen."',
      action: 'deny',
      match: '{ model: gpt-realtime, system: Listen. }',
      noMatch: '{ model: other }',
    });
    const { client, provider } = await connectScene(policy);
    provider.send({ type: 'session.updated', session: { instructions: 'Listen.' } });
    await waitFor(() => expect(client.types()).toContain('session.updated'));
    client.send({ type: 'input_audio_buffer.append', audio: 'AAAA' });
    expect(await client.closed).toEqual({ code: 1008, reason: 'denied_by_policy' });
    expect(provider.heard).toEqual([]);
  });
});

test('no more than 64 answers of a connection are held: one more closes it, and all of them stay held', async () => {
  const { sidecar, client, provider } = await connectScene(holdTransfers);
  for (let answer = 1; answer <= 64; answer += 1) sendAll(provider, callEvents(`resp_${answer}`, 25_000));
  expect(await sidecar.ada.pending(64)).toHaveLength(64);
  expect(client.ws.readyState).toBe(client.ws.OPEN);
  sendAll(provider, callEvents('resp_65', 25_000));
  expect((await client.closed).reason).toBe('overloaded');
  expect(await sidecar.ada.pending(64)).toHaveLength(64);
  expect(textsOf(client).join()).not.toContain('25000');
  const held = new Set((await sidecar.ada.holds('pending')).map(({ decisionId }) => decisionId));
  const ids = (await sidecar.ada.newestIds(99)).filter((id) => !held.has(id));
  const outcomes = await Promise.all(ids.map((id) => sidecar.ada.outcomeOf(id)));
  expect(outcomes).toContain('interrupted');
});

test('no more than 1,024 questions of a connection wait for their answers: one more closes it, and does not go out', async () => {
  const { sidecar, client, provider } = await connectScene();
  for (let asked = 0; asked < 1_025; asked += 1) client.send({ type: 'response.create' });
  expect((await client.closed).reason).toBe('overloaded');
  await provider.closed;
  expect(provider.heard).toHaveLength(1_024);
  const { id } = await sidecar.ada.lastDecision();
  expect(await sidecar.ada.outcomeOf(id)).toBe('interrupted');
});

test('answers that were ruled on do not count among those of a connection that are held', async () => {
  const { sidecar, client, provider } = await connectScene(holdTransfers);
  for (let answer = 1; answer <= 65; answer += 1) {
    sendAll(provider, callEvents(`resp_${answer}`, 25_000));
    const hold = await sidecar.ada.nextHold();
    await sidecar.ada.rule(hold, { verdict: 'release' });
    await waitFor(() => expect(textsOf(client).at(-1)).toContain(`resp_${answer}`));
    await waitFor(async () => expect(await sidecar.ada.hold(hold.id)).toMatchObject({ caller: 'gone' }));
  }
}, 60_000);

test('each exchange stands in the ledger with its messages and their times', async () => {
  const scene = await connectScene();
  const { sidecar, client, provider } = scene;
  client.send(sayingItem('hello'));
  client.send({ type: 'input_audio_buffer.append', audio: 'AAAA' });
  await asked(scene);
  sendAll(provider, spokenEvents('resp_1', 'Good day.'));
  await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
  const decision = await sidecar.ada.lastDecision();
  expect(decision).toMatchObject({ operation: 'realtime', status: 200 });
  expect(decision.entries[1]?.data).toMatchObject({
    finish: 'completed',
    model: 'gpt-realtime',
    usage: { source: 'provider', input: 7, output: 5, total: 12 },
  });
  const recordsIn = (text = ''): string[] => text.split('\n').filter((line) => /^\d+ /.test(line));
  const [request, response] = await sidecar.ada.bodies(decision.id);
  expect(recordsIn(request?.text)).toEqual([
    expect.stringMatching(/^\d+ client text passed \d+ -$/),
    expect.stringMatching(/^\d+ client text passed 26 -$/),
  ]);
  const [, earlier = ''] = await sidecar.ada.newestIds(2);
  const [told] = await sidecar.ada.bodies(earlier);
  expect(recordsIn(told?.text)).toEqual([
    expect.stringMatching(/^\d+ server text passed \d+ -$/),
    expect.stringMatching(/^\d+ client text passed \d+ -$/),
  ]);
  for (const event of asSent(spokenEvents('resp_1', 'Good day.')))
    expect(response?.text).toContain(`\n${event}\n`);
  expect(await sidecar.ada.outcomeOf(decision.id)).toBe('delivered');
});

test('what the provider refuses to answer is the answer', async () => {
  const scene = await connectScene();
  const { sidecar, client, provider } = scene;
  client.send({ ...ask, event_id: 'mine' });
  await waitFor(() => expect(provider.heard).toHaveLength(1));
  provider.send({ type: 'error', error: { type: 'invalid_request_error', message: 'no', event_id: 'mine' } });
  await waitFor(() => expect(client.types().at(-1)).toBe('error'));
  const decision = await sidecar.ada.lastDecision();
  expect(decision.entries[1]?.data['result']).toBe('error');
  expect(await sidecar.ada.outcomeOf(decision.id)).toBe('delivered');
});

test('an error that does not say what it is about may be followed by the answer, or by another wish for one', async () => {
  const scene = await connectScene();
  const { sidecar, client, provider } = scene;
  const error = { type: 'error', error: { type: 'invalid_request_error', message: 'no', event_id: null } };
  client.send(sayingItem('first'));
  await asked(scene);
  const first = await sidecar.ada.lastDecision();
  provider.send(error);
  client.send(sayingItem('second'));
  await waitFor(() => expect(provider.heard).toHaveLength(3));
  await asked(scene);
  expect(await sidecar.ada.outcomeOf(first.id)).toBe('delivered');
  expect((await sidecar.ada.decision(first.id)).entries[1]?.data['result']).toBe('error');
  const second = await sidecar.ada.lastDecision();
  provider.send(error);
  sendAll(provider, spokenEvents('resp_1', 'Yes.'));
  await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
  expect(await sidecar.ada.outcomeOf(second.id)).toBe('delivered');
  expect((await sidecar.ada.decision(second.id)).entries[1]?.data['finish']).toBe('completed');
});

test('no more than 256 answers of a connection have begun and not ended: one more closes it, and each has its outcome', async () => {
  const { sidecar, client, provider } = await connectScene();
  const begin = (answer: number): void =>
    provider.send({ type: 'response.created', response: { id: `resp_${answer}`, output: [] } });
  for (let answer = 1; answer <= 256; answer += 1) begin(answer);
  await waitFor(() => expect(textsOf(client).at(-1)).toContain('resp_256'), 10_000);
  begin(257);
  expect(await client.closed).toEqual({ code: 1013, reason: 'overloaded' });
  expect(textsOf(client).join()).not.toContain('resp_257');
  const ids = await sidecar.ada.newestIds(200);
  const outcomes = await Promise.all(ids.map((id) => sidecar.ada.outcomeOf(id)));
  expect(new Set(outcomes)).toEqual(new Set(['interrupted']));
});
