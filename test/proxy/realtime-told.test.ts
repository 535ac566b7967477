/** What a workload tells the model on the Realtime API after something that was let go: each message is judged by itself. */
import { writeFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../src/core/bytes.ts';
import { endAll } from '../support/endings.ts';
import { waitFor } from '../support/wait-for.ts';
import { policyOf } from './policies.ts';
import { connectScene, sayingItem, sendAll, spokenEvents } from './realtime-scene.ts';

afterEach(endAll);

const secrets = {
  phase: 'request',
  when: 'request.text.contains("secret")',
  match: '{ text: a secret }',
  noMatch: '{ text: nothing }',
} as const;

test.each([
  ['words that a rule denies', sayingItem('a secret'), 'denied_by_policy'],
  ['a message that cannot be read', '{"type":"response.create","type":"x"}', 'bad_request'],
  [
    'a wish that is said in two ways',
    '{"type":"response.create","event_id":"a","event_id":"b"}',
    'bad_request',
  ],
] as const)('%s: nothing of it goes out behind words that passed', async (_what, message, code) => {
  const { client, provider } = await connectScene(policyOf({ ...secrets, action: 'deny' }));
  client.send(sayingItem('hello'));
  await waitFor(() => expect(provider.heard).toHaveLength(1));
  client.send(message);
  await waitFor(() => expect(client.types().at(-1)).toBe('error'));
  expect(client.heard.at(-1)?.text).toContain(code);
  expect(provider.heard).toHaveLength(1);
});

test('of words that were released one after the other, the last have the answer', async () => {
  const { sidecar, client, provider } = await connectScene(policyOf({ ...secrets, action: 'hold' }));
  const { ada } = sidecar;
  async function release(words: string): Promise<string> {
    const before = provider.heard.length;
    client.send(sayingItem(words));
    const hold = await ada.nextHold();
    await ada.rule(hold, { verdict: 'release' });
    await waitFor(() => expect(provider.heard).toHaveLength(before + 1));
    return hold.decisionId;
  }
  const first = await release('a secret');
  const second = await release('another secret');
  expect(await ada.outcomeOf(first)).toBe('delivered');
  sendAll(provider, spokenEvents('resp_1', 'Understood.'));
  expect(await ada.outcomeOf(second)).toBe('delivered');
  const said = await Promise.all([first, second].map(async (id) => JSON.stringify(await ada.bodies(id))));
  expect(said.map((bodies) => bodies.includes('Understood.'))).toEqual([false, true]);
});

/** Words that a rule held have been released, and are with the provider. */
async function releasedSecret() {
  const scene = await connectScene(policyOf({ ...secrets, action: 'hold' }));
  const { client, provider, sidecar } = scene;
  client.send(sayingItem('a secret'));
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(provider.types()).toContain('conversation.item.create'));
  return { ...scene, hold };
}

test('released words are judged with what is told after them', async () => {
  const { client, provider, sidecar } = await releasedSecret();
  client.send(sayingItem('and more'));
  const { decisionId } = await sidecar.ada.nextHold();
  const [request] = await sidecar.ada.bodies(decisionId);
  expect(request?.text).toContain('and more');
  expect(provider.heard).toHaveLength(1);
});

test('the wish to have released words answered stands in their record, and their hold has lost its caller', async () => {
  const { client, provider, sidecar, hold } = await releasedSecret();
  expect(await sidecar.ada.hold(hold.id)).toMatchObject({ state: 'released', caller: 'gone' });
  client.send({ type: 'response.create', event_id: 'mine' });
  sendAll(provider, spokenEvents('resp_1', 'Understood.'));
  await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
  const sealed = JSON.stringify(await sidecar.ada.bodies(hold.decisionId));
  expect(sealed).toContain('mine');
  expect(sealed).toContain('Understood.');
});

test('a release covers no wish once the provider has refused the words', async () => {
  const scene = await connectScene(policyOf({ ...secrets, action: 'hold' }));
  const { client, provider, sidecar } = scene;
  client.send({ type: 'response.create', event_id: 'mine' });
  await waitFor(() => expect(provider.heard).toHaveLength(1));
  provider.send(spokenEvents('resp_1', 'Hello.')[0]);
  await waitFor(() => expect(client.types()).toContain('response.created'));
  client.send(sayingItem('a secret'));
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(provider.heard).toHaveLength(2));
  provider.send({ type: 'error', error: { type: 'invalid_request_error', message: 'no', event_id: 'mine' } });
  await waitFor(() => expect(client.types()).toContain('error'));
  client.send({ type: 'response.create' });
  const again = await sidecar.ada.nextHold();
  expect(again.id).not.toBe(hold.id);
  expect(provider.heard).toHaveLength(2);
});

test('the wish to have released words answered is a decision of its own under a policy that lets them pass', async () => {
  const { client, provider, sidecar, hold } = await releasedSecret();
  writeFileSync(
    sidecar.place.policyFile,
    policyOf({ ...secrets, when: 'request.text == "x"', match: '{ text: x }', action: 'hold' }),
  );
  await sidecar.sidecar.reloadPolicy();
  client.send({ type: 'response.create' });
  await waitFor(() => expect(provider.types()).toContain('response.create'));
  const wish = await sidecar.ada.lastDecision();
  expect(wish.id).not.toBe(hold.decisionId);
  expect(wish.verdict).toBe('pass');
  expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
});

test('what was refused stands in the record as refused, with what the workload was told', async () => {
  const { client, sidecar } = await connectScene(policyOf({ ...secrets, action: 'deny' }));
  client.send(sayingItem('a secret'));
  await waitFor(() => expect(client.types().at(-1)).toBe('error'));
  const { id } = await sidecar.ada.lastDecision();
  const [refused] = await sidecar.ada.bodies(id);
  expect(refused?.text).toMatch(/\n\d+ client text refused \d+ -\n/);
  client.ws.close(1000);
  const [told] = await waitFor(async () => {
    const newest = await sidecar.ada.lastDecision();
    expect(newest.id).not.toBe(id);
    return sidecar.ada.bodies(newest.id);
  });
  expect(told?.text).toMatch(/\n\d+ holdpoint text passed \d+ -\n/);
  expect(told?.text).toContain('denied_by_policy');
});

test('words that wait have lost their caller as soon as it leaves, however slowly the provider does', async () => {
  const { client, provider, sidecar } = await connectScene(policyOf({ ...secrets, action: 'hold' }));
  client.send(sayingItem('a secret'));
  const hold = await sidecar.ada.nextHold();
  provider.ws.pause();
  client.ws.terminate();
  await waitFor(async () => expect(await sidecar.ada.hold(hold.id)).toMatchObject({ caller: 'gone' }));
  provider.ws.resume();
  await provider.closed;
});

test('who leaves while its words wait is told nothing of them, and no record says that it was', async () => {
  const { client, provider, sidecar } = await connectScene(policyOf({ ...secrets, action: 'hold' }));
  const opening = await sidecar.ada.lastDecision();
  client.send(sayingItem('a secret'));
  const hold = await sidecar.ada.nextHold();
  client.ws.terminate();
  await provider.closed;
  await sidecar.ada.outcomeOf(opening.id);
  expect((await sidecar.ada.lastDecision()).id).toBe(hold.decisionId);
});

test('much sound is sealed by itself, before anything follows', async () => {
  const { client, provider, sidecar } = await connectScene();
  const opening = await sidecar.ada.lastDecision();
  const audio = 'A'.repeat(1024 * 1024);
  for (let piece = 0; piece < 5; piece += 1) client.send({ type: 'input_audio_buffer.append', audio });
  await waitFor(() => expect(provider.heard).toHaveLength(5), 8_000);
  await waitFor(async () => expect((await sidecar.ada.lastDecision()).id).not.toBe(opening.id));
});

test('a piece of sound larger than what is kept stands in the record by its length and hash', async () => {
  const { client, provider, sidecar } = await connectScene();
  const opening = await sidecar.ada.lastDecision();
  const sound = JSON.stringify({
    type: 'input_audio_buffer.append',
    audio: 'A'.repeat(9 * 1024 * 1024),
  });
  client.send(sound);
  await waitFor(() => expect(provider.heard).toHaveLength(1), 8_000);
  const { id, entries } = await waitFor(async () => {
    const newest = await sidecar.ada.lastDecision();
    expect(newest.id).not.toBe(opening.id);
    return newest;
  });
  expect(entries[0]?.data['omitted']).toBe(sound.length);
  const [told] = await sidecar.ada.bodies(id);
  expect(told?.text).toContain(`client text passed ${sound.length} ${sha256Hex(Buffer.from(sound))}\n`);
});

test('what led to an answer is no part of what is told for the next', async () => {
  const { sidecar, client, provider } = await connectScene();
  client.send(sayingItem('hello'));
  client.send({ type: 'response.create' });
  await waitFor(() => expect(provider.heard).toHaveLength(2));
  sendAll(provider, spokenEvents('resp_1', 'Good day.'));
  await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
  const first = await sidecar.ada.lastDecision();
  client.send({ type: 'response.create' });
  await waitFor(() => expect(provider.heard).toHaveLength(3));
  const second = await sidecar.ada.lastDecision();
  const requests = await Promise.all(
    [first, second].map(async ({ id }) => (await sidecar.ada.bodies(id))[0]),
  );
  expect(requests.map((request) => request?.text?.includes('hello'))).toEqual([true, false]);
});

test('sound does not go out while the ledger cannot be written', async () => {
  const { sidecar, client, provider } = await connectScene();
  vi.spyOn(sidecar.sidecar.ledger, 'isWritable').mockReturnValue(false);
  client.send({ type: 'input_audio_buffer.append', audio: 'AAAA' });
  expect(await client.closed).toEqual({ code: 1013, reason: 'ledger_unavailable' });
  expect(provider.heard).toEqual([]);
});
