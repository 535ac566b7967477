/** Answers on the Realtime API that nobody asked for, that end otherwise than most, or that stand beside others: whose they are. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { endAll } from '../support/endings.ts';
import { waitFor } from '../support/wait-for.ts';
import { denyTransfers, holdSecretRequests, holdTransfers, policyOf } from './policies.ts';
import {
  asSent,
  callEvents,
  connectScene,
  type Scene,
  sayingItem,
  sendAll,
  spokenEvents,
  textsOf,
} from './realtime-scene.ts';

afterEach(endAll);

const ask = { type: 'response.create' };
const listening = {
  phase: 'request',
  when: 'request.system == "Listen."',
  match: '{ system: Listen. }',
  noMatch: '{ system: Speak. }',
} as const;
const mebibyte = 1024 * 1024;

async function asked({ client, provider }: Scene): Promise<void> {
  client.send(ask);
  await waitFor(() => expect(provider.types()).toContain('response.create'));
}

/** Resolves once the workload has heard the end of what is said. */
async function say({ client, provider }: Scene, id: string, words: string): Promise<void> {
  const ends = client.types().filter((type) => type === 'response.done').length;
  sendAll(provider, spokenEvents(id, words));
  await waitFor(() =>
    expect(client.types().filter((type) => type === 'response.done')).toHaveLength(ends + 1),
  );
}

async function bodiesOf({ sidecar }: Scene, id: string): Promise<string> {
  return (await sidecar.ada.bodies(id)).map(({ text }) => text).join();
}

/** Words that a rule held have been released, and are with the provider. */
async function releaseWords(): Promise<{ readonly scene: Scene; readonly decision: string }> {
  const scene = await connectScene(holdSecretRequests);
  const { sidecar, client, provider } = scene;
  client.send(sayingItem('a secret'));
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(provider.types()).toEqual(['conversation.item.create']));
  return { scene, decision: hold.decisionId };
}

describe('an answer that nobody asked for', () => {
  test.each(['hold', 'deny'] as const)(
    'goes nowhere where a rule has a %s for what the model was told, and the connection closes',
    async (action) => {
      const { sidecar, client, provider } = await connectScene(policyOf({ ...listening, action }));
      provider.send({ type: 'session.updated', session: { instructions: 'Listen.' } });
      sendAll(provider, spokenEvents('resp_1', 'I heard you.'));
      expect(await client.closed).toEqual({ code: 1008, reason: 'denied_by_policy' });
      expect(client.types()).toEqual(['session.created', 'session.updated']);
      const ids = await sidecar.ada.newestIds(9);
      const outcomes = await Promise.all(ids.map((id) => sidecar.ada.outcomeOf(id)));
      expect(outcomes).toContain('denied');
    },
  );

  test('is the one to words that were released', async () => {
    const { scene, decision } = await releaseWords();
    await say(scene, 'resp_1', 'Understood.');
    expect(await scene.sidecar.ada.outcomeOf(decision)).toBe('delivered');
    expect(await bodiesOf(scene, decision)).toContain('Understood.');
  });

  test('is told nothing again that led to the one before', async () => {
    const scene = await connectScene();
    scene.client.send(sayingItem('hello'));
    await waitFor(() => expect(scene.provider.heard).toHaveLength(1));
    await say(scene, 'resp_1', 'Good day.');
    const first = await scene.sidecar.ada.lastDecision();
    await say(scene, 'resp_2', 'Still there?');
    const second = await scene.sidecar.ada.lastDecision();
    expect(await bodiesOf(scene, first.id)).toContain('hello');
    expect(await bodiesOf(scene, second.id)).not.toContain('hello');
  });
});

test('words that were released and that nothing came of are delivered', async () => {
  const { scene, decision } = await releaseWords();
  scene.client.ws.terminate();
  await scene.provider.closed;
  expect(await scene.sidecar.ada.outcomeOf(decision)).toBe('delivered');
});

test('words that were released are no failure where an error does not say what it is about', async () => {
  const { scene, decision } = await releaseWords();
  const { ada } = scene.sidecar;
  scene.provider.send({ type: 'error', error: { type: 'server_error', message: 'no', event_id: null } });
  await waitFor(() => expect(scene.client.types().at(-1)).toBe('error'));
  scene.client.ws.terminate();
  expect(await ada.outcomeOf(decision)).toBe('delivered');
  const { entries } = await ada.decision(decision);
  expect(entries.find(({ type }) => type === 'response')?.data['result']).toBe('ok');
});

test('a wish that was not answered before the workload left was not delivered', async () => {
  const scene = await connectScene();
  await asked(scene);
  const { ada } = scene.sidecar;
  const { id } = await ada.lastDecision();
  scene.client.ws.terminate();
  expect(await ada.outcomeOf(id)).toBe('client_abort');
  expect((await ada.decision(id)).entries.map(({ type }) => type)).not.toContain('response');
});

test('a call in an event that is part of no answer does not take the place of what was asked', async () => {
  const scene = await connectScene();
  await asked(scene);
  const { id } = await scene.sidecar.ada.lastDecision();
  const item = { id: 'item_0', type: 'function_call', call_id: 'call_0', name: 'look_up', arguments: '{}' };
  scene.provider.send({ type: 'conversation.item.added', item });
  await waitFor(() => expect(scene.client.types()).toContain('conversation.item.added'));
  await say(scene, 'resp_1', 'Good day.');
  expect(await bodiesOf(scene, id)).toContain('Good day.');
});

test('words that were delivered are no decision of their own when the conversation repeats them', async () => {
  const scene = await connectScene();
  await asked(scene);
  await say(scene, 'resp_1', 'Good day.');
  const { id } = await scene.sidecar.ada.lastDecision();
  const repeated = spokenEvents('resp_1', 'Good day.').filter(
    ({ type }) => type === 'conversation.item.done',
  );
  sendAll(scene.provider, repeated);
  await waitFor(() => expect(textsOf(scene.client).at(-1)).toBe(asSent(repeated)[0]));
  expect((await scene.sidecar.ada.lastDecision()).id).toBe(id);
});

test('what the workload was told in place of a denied call is in the ledger', async () => {
  const scene = await connectScene(denyTransfers);
  await asked(scene);
  sendAll(scene.provider, callEvents('resp_1', 25_000));
  await waitFor(() => expect(scene.client.types().at(-1)).toBe('response.done'));
  const told = textsOf(scene.client).find((text) => text.includes('denied_by_policy')) ?? 'nothing';
  scene.client.send(sayingItem('hello'));
  await waitFor(() => expect(scene.provider.heard).toHaveLength(2));
  const { id } = await scene.sidecar.ada.lastDecision();
  expect(await bodiesOf(scene, id)).toContain(told);
});

test('no record says that a workload was told of its held call after it had left', async () => {
  const scene = await connectScene(holdTransfers);
  const { ada } = scene.sidecar;
  const { id } = await ada.lastDecision();
  await asked(scene);
  sendAll(scene.provider, callEvents('resp_1', 25_000));
  await ada.nextHold();
  scene.client.ws.terminate();
  expect(await ada.outcomeOf(id)).toBe('client_abort');
  const bodies = await Promise.all((await ada.newestIds(9)).map((each) => bodiesOf(scene, each)));
  expect(bodies.join()).toContain('25000');
  expect(bodies.join()).not.toContain('hold_expired');
});

test('an answer whose workload leaves while it is sealed was not delivered', async () => {
  const scene = await connectScene();
  const { ledger } = scene.sidecar.sidecar;
  await asked(scene);
  const { id } = await scene.sidecar.ada.lastDecision();
  const { seal } = ledger;
  vi.spyOn(ledger, 'seal').mockImplementationOnce((draft) => {
    const sealed = seal(draft);
    scene.client.ws.terminate();
    return { ...sealed, durable: scene.provider.closed.then(() => sealed.durable) };
  });
  sendAll(scene.provider, spokenEvents('resp_1', 'Hello.'));
  expect(await scene.sidecar.ada.outcomeOf(id)).toBe('client_abort');
});

describe('of an answer larger than what may be withheld', () => {
  const pieces = ['a', 'b', 'c'].map((letter) => letter.repeat(0.7 * mebibyte));
  const about = { response_id: 'resp_1', item_id: 'item_1', output_index: 0 };

  test('sound that went on counts for nothing', async () => {
    const scene = await connectScene(undefined, { responseBytesMax: mebibyte });
    await asked(scene);
    const spoken = spokenEvents('resp_1', 'Hello.');
    const audio = pieces.map((delta) => ({ type: 'response.output_audio.delta', ...about, delta }));
    const all = [...spoken.slice(0, 5), ...audio, ...spoken.slice(6)];
    sendAll(scene.provider, all);
    await waitFor(() => expect(scene.client.types().at(-1)).toBe('response.done'));
    expect(textsOf(scene.client).slice(1)).toEqual(asSent(all));
  });

  test('a call closes the connection, and nothing of it arrives', async () => {
    const scene = await connectScene(undefined, { responseBytesMax: mebibyte });
    await asked(scene);
    const parts = pieces.map((delta) => ({
      type: 'response.function_call_arguments.delta',
      ...about,
      delta,
    }));
    sendAll(scene.provider, [...callEvents('resp_1', 1).slice(0, 3), ...parts]);
    expect(await scene.client.closed).toEqual({ code: 1009, reason: 'response_too_large' });
    expect(scene.client.types()).toEqual(['session.created', 'response.created']);
    // It was not the provider who broke it off.
    const { ada } = scene.sidecar;
    const { id } = await ada.lastDecision();
    expect(await ada.outcomeOf(id)).toBe('interrupted');
    expect((await ada.decision(id)).entries[1]?.data['result']).toBe('error');
  });
});

describe('the record of an answer', () => {
  test.each([
    ['workload', 'client_abort'],
    ['provider', 'upstream_truncated'],
  ] as const)('says that the %s broke the connection off amid it', async (side, result) => {
    const scene = await connectScene();
    await asked(scene);
    const { ada } = scene.sidecar;
    const { id } = await ada.lastDecision();
    sendAll(scene.provider, spokenEvents('resp_1', 'Hello.').slice(0, 6));
    await waitFor(() => expect(scene.client.types().at(-1)).toBe('response.output_audio.delta'));
    (side === 'workload' ? scene.client : scene.provider).ws.terminate();
    expect(await ada.outcomeOf(id)).toBe(result);
    expect((await ada.decision(id)).entries[1]?.data['result']).toBe(result);
  });

  test('does not have it held for what is missing of a call that was broken off', async () => {
    const scene = await connectScene(policyOf({ ...listening, action: 'hold' }));
    await asked(scene);
    const { ada } = scene.sidecar;
    const { id } = await ada.lastDecision();
    sendAll(scene.provider, callEvents('resp_1', 20).slice(0, 4));
    scene.provider.ws.close(1000);
    expect(await ada.outcomeOf(id)).toBe('upstream_truncated');
    expect((await ada.decision(id)).entries[1]?.data).toMatchObject({
      result: 'upstream_truncated',
      verdict: 'pass',
    });
  });

  test('has what came beside it, also where the next one has been asked for by then', async () => {
    const scene = await connectScene();
    const { client, provider, sidecar } = scene;
    await asked(scene);
    const { id } = await sidecar.ada.lastDecision();
    const spoken = spokenEvents('resp_1', 'Hello.');
    sendAll(provider, spoken.slice(0, 6));
    await waitFor(() => expect(client.types().at(-1)).toBe('response.output_audio.delta'));
    client.send(ask);
    await waitFor(() => expect(provider.heard).toHaveLength(2));
    sendAll(provider, [{ type: 'rate_limits.updated', rate_limits: [] }, ...spoken.slice(6)]);
    await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
    expect(await bodiesOf(scene, id)).toContain('rate_limits.updated');
  });

  test('says what could not be read of it', async () => {
    const scene = await connectScene();
    scene.provider.send('not JSON');
    const hold = await scene.sidecar.ada.nextHold();
    expect(await bodiesOf(scene, hold.decisionId)).toMatch(
      /"defects":\["[^"]+"\]\}\n\d+ server text withheld 8 -\nnot JSON/,
    );
  });

  test('says that it failed at the provider', async () => {
    const scene = await connectScene();
    await asked(scene);
    const { ada } = scene.sidecar;
    const { id } = await ada.lastDecision();
    scene.provider.send({ type: 'response.created', response: { id: 'resp_1', output: [] } });
    scene.provider.send({ type: 'response.done', response: { id: 'resp_1', status: 'failed', output: [] } });
    expect(await ada.outcomeOf(id)).toBe('delivered');
    expect((await ada.decision(id)).entries[1]?.data['result']).toBe('error');
  });
});

test('a rule that matches on a connection is counted', async () => {
  const scene = await connectScene(denyTransfers);
  await asked(scene);
  sendAll(scene.provider, callEvents('resp_1', 25_000));
  await waitFor(() => expect(scene.client.types().at(-1)).toBe('response.done'));
  const metrics = await (await fetch(`${scene.sidecar.controlUrl}/metrics`)).text();
  expect(metrics).toContain('holdpoint_rule_matches_total{rule="the-rule",action="deny"} 1');
});

describe('a stop', () => {
  test('lets the answer under way come to its end', async () => {
    const scene = await connectScene();
    await asked(scene);
    const spoken = spokenEvents('resp_1', 'Hello.');
    sendAll(scene.provider, spoken.slice(0, 6));
    await waitFor(() => expect(scene.client.types().at(-1)).toBe('response.output_audio.delta'));
    const stopped = scene.sidecar.stop();
    sendAll(scene.provider, spoken.slice(6));
    expect((await scene.client.closed).code).toBe(1001);
    expect(textsOf(scene.client).slice(1)).toEqual(asSent(spoken));
    await stopped;
  });

  test('waits for no answer that the provider refused', async () => {
    const { sidecar, client, provider } = await connectScene();
    client.send({ ...ask, event_id: 'mine' });
    await waitFor(() => expect(provider.heard).toHaveLength(1));
    provider.send({ type: 'error', error: { type: 'server_error', message: 'no', event_id: 'mine' } });
    await waitFor(() => expect(client.types().at(-1)).toBe('error'));
    const stopped = sidecar.stop();
    expect(await client.closed).toEqual({ code: 1001, reason: 'holdpoint restarts' });
    await stopped;
  });

  test('waits for no answer to words that nobody asked about', async () => {
    const { scene } = await releaseWords();
    const stopped = scene.sidecar.stop();
    expect((await scene.client.closed).code).toBe(1001);
    await stopped;
  });
});
