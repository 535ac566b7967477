/** What a Realtime session says again of its model's words and calls, where the answer that said them first was stopped. */
import { afterEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { waitFor } from '../support/wait-for.ts';
import { holdSecretText, holdTransfers, policyOf } from './policies.ts';
import {
  callEvents,
  connectScene,
  type Scene,
  sendAll,
  spokenEvents,
  textsOf,
  type WireEvent,
} from './realtime-scene.ts';

afterEach(endAll);

const denySecretText = policyOf({
  phase: 'response',
  when: 'response.text.contains("secret")',
  action: 'deny',
  match: '{ text: a secret }',
  noMatch: '{ text: nothing }',
});

const marker = { type: 'rate_limits.updated', rate_limits: [] };

/** All that the client has, once what the provider sent before now is through. */
async function heard({ client, provider }: Scene): Promise<readonly string[]> {
  provider.send(marker);
  await waitFor(() => expect(client.types().at(-1)).toBe(marker.type));
  return textsOf(client);
}

async function asked({ client, provider }: Scene): Promise<void> {
  const before = provider.heard.length;
  client.send({ type: 'response.create' });
  await waitFor(() => expect(provider.types().slice(before)).toContain('response.create'));
}

function retrieved(events: readonly WireEvent[]): WireEvent {
  const done = events.find(({ type }) => type === 'conversation.item.done');
  return { type: 'conversation.item.retrieved', item: done?.['item'] };
}

describe('words that a rule stopped', () => {
  test('do not come out when the workload asks for the item again', async () => {
    const scene = await connectScene(denySecretText);
    await asked(scene);
    const events = spokenEvents('resp_1', 'It is a secret.');
    sendAll(scene.provider, events);
    await waitFor(() => expect(scene.client.types().at(-1)).toBe('response.done'));
    scene.provider.send(retrieved(events));
    expect((await heard(scene)).join()).not.toContain('secret.');
  });

  test('do not come out when the conversation repeats them after their answer was over', async () => {
    const scene = await connectScene(denySecretText);
    await asked(scene);
    const events = spokenEvents('resp_1', 'It is a secret.');
    const late = events.filter(({ type }) => type === 'conversation.item.done');
    sendAll(scene.provider, [...events.filter((event) => !late.includes(event)), ...late]);
    expect((await heard(scene)).join()).not.toContain('secret.');
  });

  test('do not come out between the events of a later answer', async () => {
    const scene = await connectScene(denySecretText);
    await asked(scene);
    const events = spokenEvents('resp_1', 'It is a secret.');
    sendAll(scene.provider, events);
    await asked(scene);
    const later = spokenEvents('resp_2', 'Hello.');
    sendAll(scene.provider, [...later.slice(0, 5), retrieved(events), ...later.slice(5)]);
    await waitFor(() => expect(textsOf(scene.client)).toContain(JSON.stringify(later.at(-1))));
    expect((await heard(scene)).join()).not.toContain('secret.');
  });

  test('are held again where a rule holds, and come out once they are released', async () => {
    const scene = await connectScene(holdSecretText);
    const { ada } = scene.sidecar;
    await asked(scene);
    const events = spokenEvents('resp_1', 'It is a secret.');
    sendAll(scene.provider, events);
    await ada.rule(await ada.nextHold(), { verdict: 'deny', reason: 'No.' });
    await waitFor(() => expect(scene.client.types().at(-1)).toBe('response.done'));
    scene.provider.send(retrieved(events));
    await ada.rule(await ada.nextHold(), { verdict: 'release' });
    await waitFor(() => expect(textsOf(scene.client).at(-1)).toBe(JSON.stringify(retrieved(events))));
  });

  test('under an item’s old name are judged for what they are', async () => {
    const scene = await connectScene(denySecretText);
    await asked(scene);
    const events = spokenEvents('resp_1', 'Hello.');
    sendAll(scene.provider, events);
    await waitFor(() => expect(scene.client.types().at(-1)).toBe('response.done'));
    scene.provider.send(retrieved(spokenEvents('resp_1', 'It is a secret.')));
    expect((await heard(scene)).join()).not.toContain('secret.');
  });
});

test('words that were delivered go on at once when they are said again', async () => {
  const scene = await connectScene(denySecretText);
  await asked(scene);
  const events = spokenEvents('resp_1', 'Hello.');
  sendAll(scene.provider, [...events, retrieved(events)]);
  expect(await heard(scene)).toContain(JSON.stringify(retrieved(events)));
  const decisions = await scene.sidecar.ada.newestIds(9);
  // The connection, and the one answer.
  expect(decisions).toHaveLength(2);
});

describe('an answer of a provider that', () => {
  test('gives it the id of one that waits for a person is no part of that release', async () => {
    const scene = await connectScene(holdTransfers);
    const { ada } = scene.sidecar;
    await asked(scene);
    sendAll(scene.provider, callEvents('resp_1', 25_000));
    const first = await ada.nextHold();
    await asked(scene);
    const second = callEvents('resp_1', 99_000);
    sendAll(scene.provider, second.slice(0, 6));
    await heard(scene);
    await ada.rule(first, { verdict: 'release' });
    await waitFor(() => expect(textsOf(scene.client).join()).toContain('25000'));
    sendAll(scene.provider, second.slice(6));
    await ada.nextHold();
    expect((await heard(scene)).join()).not.toContain('99000');
  });

  test('gives it no id at all is held, pieces of its calls included', async () => {
    const scene = await connectScene(holdTransfers);
    const pieces = callEvents('', 25_000).map(({ response_id: _id, ...event }) => event);
    sendAll(
      scene.provider,
      pieces.filter(({ type }) => String(type).endsWith('.delta')),
    );
    await scene.sidecar.ada.pending(2);
    expect((await heard(scene)).join()).not.toContain('25000');
  });
});

describe('a call that waits, told again while a later answer comes,', () => {
  async function toldAgain(): Promise<Scene & { readonly told: WireEvent }> {
    const scene = await connectScene(holdTransfers);
    await asked(scene);
    const first = callEvents('resp_1', 25_000);
    sendAll(scene.provider, first);
    await scene.sidecar.ada.nextHold();
    await asked(scene);
    const second = callEvents('resp_2', 30_000);
    const told = retrieved(first);
    sendAll(scene.provider, [...second.slice(0, 3), told, ...second.slice(3)]);
    await scene.sidecar.ada.pending(2);
    return { ...scene, told };
  }

  test('does not come out with that one, amended', async () => {
    const scene = await toldAgain();
    const { ada } = scene.sidecar;
    const holds = await ada.pending(2);
    const later = holds.find(({ headline }) => headline.includes('30000'));
    if (later === undefined) throw new Error('The later answer is not held.');
    const amendment = { toolCalls: [{ id: 'call_resp_2', arguments: { amount: 5, payee: 'ACME' } }] };
    expect(await ada.rule(later, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
    await waitFor(() => expect(scene.client.types().at(-1)).toBe('response.done'));
    expect((await heard(scene)).join()).not.toContain('25000');
  });

  test('comes out behind its own answer once that is released', async () => {
    const scene = await toldAgain();
    const { ada } = scene.sidecar;
    const first = (await ada.pending(2)).find(({ headline }) => headline.includes('25000'));
    if (first === undefined) throw new Error('The first answer is not held.');
    await ada.rule(first, { verdict: 'release' });
    await waitFor(() => expect(textsOf(scene.client).at(-1)).toBe(JSON.stringify(scene.told)));
    expect((await heard(scene)).join()).not.toContain('30000');
  });
});

describe('a call told again while it waits', () => {
  async function toldWhileWaiting() {
    const scene = await connectScene(holdTransfers);
    await asked(scene);
    const events = callEvents('resp_1', 25_000);
    sendAll(scene.provider, events);
    const hold = await scene.sidecar.ada.nextHold();
    scene.provider.send(retrieved(events));
    // What came before this is read.
    await heard(scene);
    return { ...scene, hold };
  }

  test('does not come out where it is denied', async () => {
    const scene = await toldWhileWaiting();
    await scene.sidecar.ada.rule(scene.hold, { verdict: 'deny' });
    await waitFor(() => expect(scene.client.types()).toContain('response.done'));
    expect((await heard(scene)).join()).not.toContain('25000');
  });

  test('is in the record whatever becomes of it', async () => {
    const scene = await toldWhileWaiting();
    await scene.sidecar.ada.rule(scene.hold, { verdict: 'release' });
    await waitFor(() => expect(scene.client.types()).toContain('conversation.item.retrieved'));
    scene.client.ws.close(1000);
    await waitFor(async () => {
      const { id } = await scene.sidecar.ada.lastDecision();
      const sealed = JSON.stringify(await scene.sidecar.ada.bodies(id));
      expect(sealed).toMatch(/server text withheld \d+ -/);
      expect(sealed).toContain('conversation.item.retrieved');
    });
  });

  test('is held as a call of its own once its first arguments were amended', async () => {
    const scene = await toldWhileWaiting();
    const amendment = { toolCalls: [{ id: 'call_resp_1', arguments: { amount: 5, payee: 'ACME' } }] };
    await scene.sidecar.ada.rule(scene.hold, { verdict: 'amend', amendment });
    await waitFor(() => expect(scene.client.types()).toContain('response.done'));
    scene.provider.send(retrieved(callEvents('resp_1', 25_000)));
    const again = await scene.sidecar.ada.nextHold();
    expect(again.id).not.toBe(scene.hold.id);
    expect((await heard(scene)).join()).not.toContain('25000');
  });

  test('does not come out with its first arguments where it is amended', async () => {
    const scene = await toldWhileWaiting();
    const amendment = { toolCalls: [{ id: 'call_resp_1', arguments: { amount: 5, payee: 'ACME' } }] };
    const ruled = await scene.sidecar.ada.rule(scene.hold, { verdict: 'amend', amendment });
    expect(ruled).toMatchObject({ status: 201 });
    await waitFor(() => expect(scene.client.types()).toContain('response.done'));
    expect((await heard(scene)).join()).not.toContain('25000');
  });
});

test('what waits behind a released call stays in order, however slowly the workload takes it', async () => {
  const scene = await connectScene(holdTransfers);
  const { client, provider, sidecar } = scene;
  await asked(scene);
  const events = callEvents('resp_1', 25_000);
  sendAll(provider, events);
  const hold = await sidecar.ada.nextHold();
  const told = (place: number, bytes: number): WireEvent => ({
    ...retrieved(events),
    event_id: `event_${place}`,
    padding: 'x'.repeat(bytes),
  });
  const large = 12 * 1024 * 1024;
  sendAll(provider, [told(0, large), told(1, large), told(2, 0)]);
  const beat = new Promise((resolve) => provider.ws.once('pong', resolve));
  provider.ws.ping();
  await beat;
  client.ws.pause();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(async () => expect((await sidecar.ada.hold(hold.id)).state).toBe('released'));
  provider.send(told(3, 0));
  client.ws.resume();
  const places = (): readonly string[] =>
    textsOf(client).flatMap((text) => /"event_id":"event_(\d)"/.exec(text)?.[1] ?? []);
  await waitFor(() => expect(places()).toHaveLength(4), 10_000);
  expect(places()).toEqual(['0', '1', '2', '3']);
}, 30_000);

test('more than may be withheld does not gather behind a held call: it closes the connection', async () => {
  const { sidecar, client, provider } = await connectScene(holdTransfers, { responseBytesMax: 1024 * 1024 });
  client.send({ type: 'response.create' });
  await waitFor(() => expect(provider.heard).toHaveLength(1));
  const events = callEvents('resp_1', 25_000);
  sendAll(provider, events);
  const hold = await sidecar.ada.nextHold();
  const told = { ...retrieved(events), padding: 'x'.repeat(600 * 1024) };
  sendAll(provider, [told, told]);
  expect(await client.closed).toEqual({ code: 1009, reason: 'response_too_large' });
  expect(textsOf(client).join()).not.toContain('25000');
  expect(await sidecar.ada.hold(hold.id)).toMatchObject({ state: 'pending', caller: 'gone' });
});
