/** What is said on a WebSocket when something about it cannot be sealed or read: it ends all the same, each with an outcome. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import type { HeldCall } from '../support/control-client.ts';
import { endAll } from '../support/endings.ts';
import { createManualTime } from '../support/time.ts';
import { neverDurable, refuseToSeal } from '../support/unsealed.ts';
import { waitFor } from '../support/wait-for.ts';
import { holdTransfers, holdTransfersWith, policyOf } from './policies.ts';
import {
  callEvents,
  connectScene,
  realtimeTarget,
  type Scene,
  sayingItem,
  sendAll,
  spokenEvents,
  textsOf,
} from './realtime-scene.ts';
import { connectSocket } from './socket-upstream.ts';

afterEach(endAll);

const ask = { type: 'response.create' };
const secrets = {
  phase: 'request',
  when: 'request.text.contains("secret")',
  match: '{ text: a secret }',
  noMatch: '{ text: nothing }',
  action: 'hold',
} as const;
const holdSecrets = policyOf(secrets);

async function asked({ client, provider }: Scene): Promise<void> {
  client.send(ask);
  await waitFor(() => expect(provider.types()).toContain('response.create'));
}

/** The connection is over, and nothing of it counts as being served. */
async function expectOver({ sidecar, client }: Scene, reason: string): Promise<void> {
  expect((await client.closed).reason).toBe(reason);
  await waitFor(async () => {
    const metrics = await (await fetch(`${sidecar.controlUrl}/metrics`)).text();
    expect(metrics).toMatch(/^holdpoint_calls_in_flight 0$/m);
  });
}

describe('while the ledger takes no more', () => {
  test('an answer that cannot be held has its outcome, and nothing of its call arrives', async () => {
    const scene = await connectScene(holdTransfers);
    await asked(scene);
    const { id } = await scene.sidecar.ada.lastDecision();
    refuseToSeal(scene.sidecar.sidecar.ledger, 'hold');
    sendAll(scene.provider, callEvents('resp_1', 25_000));
    await expectOver(scene, 'overloaded');
    expect(textsOf(scene.client).join()).not.toContain('25000');
    expect(await scene.sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('a message that cannot be held has its outcome, and does not go out', async () => {
    const scene = await connectScene(holdSecrets);
    refuseToSeal(scene.sidecar.sidecar.ledger, 'hold');
    scene.client.send(sayingItem('a secret'));
    await expectOver(scene, 'overloaded');
    expect(scene.provider.heard).toEqual([]);
    const { id } = await scene.sidecar.ada.lastDecision();
    expect(await scene.sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('an answer that cannot be sealed has its outcome, and its end does not arrive', async () => {
    const scene = await connectScene();
    await asked(scene);
    const { id } = await scene.sidecar.ada.lastDecision();
    refuseToSeal(scene.sidecar.sidecar.ledger, 'response');
    sendAll(scene.provider, spokenEvents('resp_1', 'Hello.'));
    await expectOver(scene, 'overloaded');
    expect(scene.client.types()).not.toContain('response.done');
    expect(await scene.sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('words that nothing came of have their outcome, though that cannot be sealed', async () => {
    const scene = await connectScene();
    refuseToSeal(scene.sidecar.sidecar.ledger, 'response');
    scene.client.send(sayingItem('hello'));
    await waitFor(() => expect(scene.provider.types()).toEqual(['conversation.item.create']));
    await expectOver(scene, 'overloaded');
    const ids = await scene.sidecar.ada.newestIds(9);
    for (const id of ids) expect(await scene.sidecar.ada.outcomeOf(id)).not.toBe('delivered');
  });

  test('a connection whose opening cannot be sealed is refused, and the provider is left', async () => {
    const { upstream, sidecar } = await connectScene();
    refuseToSeal(sidecar.sidecar.ledger, 'response');
    await expect(connectSocket(sidecar.proxyUrl, realtimeTarget)).rejects.toThrow('503');
    const [, provider] = upstream.talkers;
    expect((await provider?.closed)?.code).toBe(1006);
    const { id } = await sidecar.ada.lastDecision();
    expect(await sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('questions that may have been refused have their outcomes, each though that cannot be sealed', async () => {
    const scene = await connectScene();
    const { client, provider, sidecar } = scene;
    client.send(ask);
    client.send(ask);
    await waitFor(() => expect(provider.types()).toEqual([ask.type, ask.type]));
    const [second = '', first = ''] = await sidecar.ada.newestIds(2);
    refuseToSeal(sidecar.sidecar.ledger, 'response');
    provider.send({ type: 'error', error: { type: 'server_error', message: 'Something went wrong.' } });
    await waitFor(() => expect(client.types()).toContain('error'));
    client.ws.close(1000);
    for (const id of [first, second]) expect(await sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('a released answer whose use cannot be sealed stays where it is, without its caller', async () => {
    const scene = await connectScene(holdTransfers);
    await asked(scene);
    sendAll(scene.provider, callEvents('resp_1', 25_000));
    const { ada } = scene.sidecar;
    const hold = await ada.nextHold();
    refuseToSeal(scene.sidecar.sidecar.ledger, 'delivery');
    expect(await ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 });
    await scene.client.closed;
    expect(textsOf(scene.client).join()).not.toContain('25000');
    vi.restoreAllMocks();
    await expectOver(scene, 'overloaded');
    expect(await ada.hold(hold.id)).toMatchObject({ state: 'released', caller: 'gone' });
  });
});

test('sound that went out before a message that the ledger refuses is in the record, and the message is not', async () => {
  const scene = await connectScene();
  scene.client.send({ type: 'input_audio_buffer.append', audio: 'AAAA' });
  await waitFor(() => expect(scene.provider.types()).toEqual(['input_audio_buffer.append']));
  const { ada, sidecar } = scene.sidecar;
  vi.spyOn(sidecar.ledger, 'seal').mockImplementationOnce(() => {
    throw new HoldpointError('overloaded', 'Too much waits to be sealed.');
  });
  scene.client.send(sayingItem('hello'));
  await expectOver(scene, 'overloaded');
  expect(scene.provider.types()).toEqual(['input_audio_buffer.append']);
  const { id } = await ada.lastDecision();
  const [request] = await ada.bodies(id);
  expect(request?.text).toContain('input_audio_buffer.append');
  expect(request?.text).not.toContain('hello');
});

test('a released answer whose caller leaves while its use is sealed has lost it, and is served no more', async () => {
  const scene = await connectScene(holdTransfers);
  await asked(scene);
  sendAll(scene.provider, callEvents('resp_1', 25_000));
  const { ada, sidecar } = scene.sidecar;
  const hold = await ada.nextHold();
  const { seal } = sidecar.ledger;
  vi.spyOn(sidecar.ledger, 'seal').mockImplementation((draft) => {
    const sealed = seal(draft);
    if (draft.type !== 'delivery' || draft.data['outcomes'] !== undefined) return sealed;
    scene.client.ws.terminate();
    const left = scene.provider.closed.then(() => sealed.durable);
    return { ...sealed, durable: left };
  });
  expect(await ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 });
  await expectOver(scene, '');
  expect(await ada.hold(hold.id)).toMatchObject({
    state: 'released',
    caller: 'gone',
    outcome: null,
  });
});

describe('an amended answer has lost its caller, and nothing of it arrives, where its amendment', () => {
  async function amend(scene: Scene): Promise<HeldCall> {
    const { ada } = scene.sidecar;
    const hold = await ada.nextHold();
    const [callId = ''] = await ada.callIdsOf(hold);
    const amendment = { toolCalls: [{ id: callId, arguments: { amount: 100, payee: 'ACME' } }] };
    expect(await ada.rule(hold, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
    return hold;
  }

  async function expectLost(scene: Scene, hold: HeldCall): Promise<void> {
    await expectOver(scene, 'ledger_damaged');
    expect(textsOf(scene.client).join()).not.toMatch(/25000|100/);
    expect(await scene.sidecar.ada.hold(hold.id)).toMatchObject({ state: 'amended', caller: 'gone' });
  }

  test('cannot be read back', async () => {
    const scene = await connectScene(holdTransfers);
    await asked(scene);
    sendAll(scene.provider, callEvents('resp_1', 25_000));
    const { ledger } = scene.sidecar.sidecar;
    const { part } = ledger;
    vi.spyOn(ledger, 'part').mockImplementation((seq, name) =>
      name === 'amendment'
        ? Promise.reject(new HoldpointError('ledger_damaged', 'It was altered.'))
        : part(seq, name),
    );
    await expectLost(scene, await amend(scene));
  });

  test('is not the one that was ruled', async () => {
    const scene = await connectScene(holdTransfers);
    await asked(scene);
    sendAll(scene.provider, callEvents('resp_1', 25_000));
    const { ledger } = scene.sidecar.sidecar;
    const { entry } = ledger;
    vi.spyOn(ledger, 'entry').mockImplementation(async (seq) => {
      const found = await entry(seq);
      const parts = found.parts.map((part) =>
        part.name === 'amendment' ? { ...part, c: '0'.repeat(64) } : part,
      );
      return { ...found, parts };
    });
    await expectLost(scene, await amend(scene));
  });
});

test('what is under way when a connection ends has its outcome, though a defect keeps it from being sealed', async () => {
  const scene = await connectScene();
  await asked(scene);
  scene.client.send(ask);
  await waitFor(() => expect(scene.provider.types()).toEqual(['response.create', 'response.create']));
  sendAll(scene.provider, callEvents('resp_1', 10).slice(0, 1));
  sendAll(scene.provider, callEvents('resp_2', 20).slice(0, 1));
  await waitFor(() => expect(scene.client.types()).toHaveLength(3));
  const { ada, sidecar } = scene.sidecar;
  const ids = await ada.newestIds(2);
  const { seal } = sidecar.ledger;
  vi.spyOn(sidecar.ledger, 'seal').mockImplementation((draft) => {
    if (draft.type === 'response') throw new TypeError('a defect');
    return seal(draft);
  });
  scene.client.ws.terminate();
  await expectOver(scene, '');
  for (const id of ids) expect(await ada.outcomeOf(id)).toBe('interrupted');
});

test('a refusal too large to be withheld is in the ledger, with how it ended', async () => {
  const scene = await connectScene(undefined, { responseBytesMax: 1024 * 1024 });
  scene.client.send({ ...ask, event_id: 'mine' });
  await waitFor(() => expect(scene.provider.heard).toHaveLength(1));
  const { ada } = scene.sidecar;
  const { id } = await ada.lastDecision();
  const message = 'x'.repeat(2 * 1024 * 1024);
  scene.provider.send({ type: 'error', error: { type: 'invalid_request_error', message, event_id: 'mine' } });
  await expectOver(scene, 'response_too_large');
  expect(await ada.outcomeOf(id)).toBe('interrupted');
  const { entries } = await ada.decision(id);
  expect(entries.map(({ type }) => type)).toContain('response');
});

test('an answer that ends while the connection is closing does not count as delivered', async () => {
  const scene = await connectScene();
  const { sidecar, client, provider } = scene;
  await asked(scene);
  const { id } = await sidecar.ada.lastDecision();
  const events = spokenEvents('resp_1', 'Hello.');
  sendAll(provider, events.slice(0, 5));
  await waitFor(() => expect(client.types()).toHaveLength(6));
  // Neither side hears that the connection closes.
  client.ws.pause();
  provider.ws.pause();
  refuseToSeal(sidecar.sidecar.ledger, 'request');
  client.send(sayingItem('one more'));
  await waitFor(() => expect(sidecar.sidecar.ledger.seal).toHaveBeenCalled());
  sendAll(provider, events.slice(5));
  expect(await sidecar.ada.outcomeOf(id)).toBe('interrupted');
  client.ws.resume();
  provider.ws.resume();
  await expectOver(scene, 'overloaded');
  expect(client.types()).not.toContain('response.done');
});

test('words whose provider left while they were sealed do not count as delivered', async () => {
  const { sidecar, client, provider } = await connectScene();
  const { seal } = sidecar.sidecar.ledger;
  vi.spyOn(sidecar.sidecar.ledger, 'seal').mockImplementationOnce((draft) => {
    const sealed = seal(draft);
    provider.ws.close(1000);
    return { ...sealed, durable: client.closed.then(() => sealed.durable) };
  });
  client.send(sayingItem('Are you there?'));
  await client.closed;
  const { id } = await sidecar.ada.lastDecision();
  expect(await sidecar.ada.outcomeOf(id)).toBe('upstream_truncated');
  expect(provider.heard).toEqual([]);
});

test('an answer released while the connection is closing stays where it is, without its caller', async () => {
  const scene = await connectScene(holdTransfers);
  const { client, provider, sidecar } = scene;
  await asked(scene);
  sendAll(provider, callEvents('resp_1', 25_000));
  const hold = await sidecar.ada.nextHold();
  // It does not hear that the provider has left.
  client.ws.pause();
  provider.ws.close(1000);
  await provider.closed;
  await waitFor(async () => expect(await sidecar.ada.hold(hold.id)).toMatchObject({ caller: 'gone' }));
  expect(await sidecar.ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 });
  client.ws.resume();
  await client.closed;
  expect(textsOf(client).join()).not.toContain('25000');
  expect(await sidecar.ada.hold(hold.id)).toMatchObject({ state: 'released', caller: 'gone' });
  const { entries } = await sidecar.ada.decision(hold.decisionId);
  expect(entries.map(({ type }) => type)).not.toContain('delivery');
});

test('words that come after their provider left go nowhere, and no entry says that they were sent', async () => {
  const { sidecar, client, provider } = await connectScene();
  // It does not hear that the provider has left.
  client.ws.pause();
  provider.ws.close(1000);
  await provider.closed;
  client.send(sayingItem('Are you there?'));
  client.ws.resume();
  await client.closed;
  // What had passed before is sealed with the connection's end.
  const { id } = await sidecar.ada.lastDecision();
  const sealed = JSON.stringify(await sidecar.ada.bodies(id));
  expect(sealed).toContain('session.created');
  expect(sealed).not.toContain('Are you there?');
});

test('words whose provider left while the use of their release was sealed do not count as delivered', async () => {
  const { sidecar, client, provider } = await connectScene(holdSecrets);
  client.send(sayingItem('a secret'));
  const { ada } = sidecar;
  const hold = await ada.nextHold();
  const { id } = await ada.lastDecision();
  const { seal } = sidecar.sidecar.ledger;
  vi.spyOn(sidecar.sidecar.ledger, 'seal').mockImplementation((draft) => {
    const sealed = seal(draft);
    if (draft.type !== 'delivery' || draft.data['outcomes'] !== undefined) return sealed;
    provider.ws.close(1000);
    return { ...sealed, durable: client.closed.then(() => sealed.durable) };
  });
  expect(await ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 });
  expect(await ada.outcomeOf(id)).toBe('upstream_truncated');
  expect(provider.heard).toEqual([]);
});

describe('a connection of which something that passed cannot be sealed', () => {
  test('at its end was not delivered, though somebody closed it in order', async () => {
    const { sidecar, client } = await connectScene();
    const { id } = await sidecar.ada.lastDecision();
    refuseToSeal(sidecar.sidecar.ledger, 'request');
    client.ws.close(1000);
    expect(await sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('as the reason for which its provider closed it was not delivered, and says nothing of that', async () => {
    const { sidecar, client, provider } = await connectScene();
    const { id } = await sidecar.ada.lastDecision();
    neverDurable(sidecar.sidecar.ledger, 'request');
    provider.ws.close(4000, 'session_expired');
    expect(await client.closed).toEqual({ code: 4000, reason: '' });
    expect(await sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('with a message after it was not delivered, though the workload had left by then', async () => {
    const { sidecar, client, provider } = await connectScene();
    const { id } = await sidecar.ada.lastDecision();
    const { seal } = sidecar.sidecar.ledger;
    vi.spyOn(sidecar.sidecar.ledger, 'seal').mockImplementationOnce((draft) => {
      const sealed = seal(draft);
      client.ws.close(1000);
      const away = new HoldpointError('ledger_unavailable', 'The ledger cannot be written.');
      return { ...sealed, durable: client.closed.then(() => Promise.reject(away)) };
    });
    client.send(sayingItem('hello'));
    expect(await sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
    expect(provider.heard).toEqual([]);
    const message = await sidecar.ada.lastDecision();
    expect(message.id).not.toBe(id);
    expect(await sidecar.ada.outcomeOf(message.id)).toBe('ledger_unavailable');
  });
});

test.each([
  { what: 'a message', policy: policyOf({ ...secrets, terms: 'expiresIn: 1s' }), isAnswer: false },
  { what: 'an answer', policy: holdTransfersWith('expiresIn: 1s'), isAnswer: true },
])('$what whose time is over is refused, though that cannot be sealed', async ({ policy, isAnswer }) => {
  const { clock, schedule, advance } = createManualTime();
  const scene = await connectScene(policy, {}, { clock, schedule });
  const { client, provider, sidecar } = scene;
  if (isAnswer) {
    await asked(scene);
    sendAll(provider, callEvents('resp_1', 25_000));
  } else client.send(sayingItem('a secret'));
  const hold = await sidecar.ada.nextHold();
  refuseToSeal(sidecar.sidecar.ledger, 'ruling');
  advance(16_000);
  await waitFor(() => expect(textsOf(client).join()).toContain('hold_expired'));
  expect(textsOf(client).join()).not.toContain('25000');
  expect(provider.heard).toHaveLength(isAnswer ? 1 : 0);
  expect(await sidecar.ada.hold(hold.id)).toMatchObject({ state: 'pending', caller: 'gone' });
});

test('released words that the provider did not wait for are not recorded as sent', async () => {
  const scene = await connectScene(holdSecrets);
  const { client, provider, sidecar } = scene;
  const { ada, sidecar: own } = sidecar;
  client.send(sayingItem('a secret'));
  await ada.rule(await ada.nextHold(), { verdict: 'release' });
  await waitFor(() => expect(provider.heard).toHaveLength(1));
  client.send(sayingItem('another secret'));
  const hold = await ada.nextHold();
  // What becomes of the first words is sealed before the second ones go out.
  const sealing = Promise.withResolvers<void>();
  const disk = Promise.withResolvers<void>();
  const { seal } = own.ledger;
  vi.spyOn(own.ledger, 'seal').mockImplementation((draft) => {
    const sealed = seal(draft);
    if (draft.type !== 'response') return sealed;
    sealing.resolve();
    return { ...sealed, durable: disk.promise.then(() => sealed.durable) };
  });
  await ada.rule(hold, { verdict: 'release' });
  await sealing.promise;
  provider.ws.close(1000);
  await client.closed;
  disk.resolve();
  expect(await ada.outcomeOf(hold.decisionId)).toBe('upstream_truncated');
  expect(provider.heard).toHaveLength(1);
});
