/** What a workload tells the model on the Realtime API after something that was let go: each message is judged by itself. */
import { afterEach, expect, test, vi } from 'vitest';
import { endAll } from '../support/endings.ts';
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
] as const)('%s: nothing of it goes out behind words that passed', async (_what, message, code) => {
  const { client, provider } = await connectScene(policyOf({ ...secrets, action: 'deny' }));
  client.send(sayingItem('hello'));
  await vi.waitFor(() => expect(provider.heard).toHaveLength(1));
  client.send(message);
  await vi.waitFor(() => expect(client.types().at(-1)).toBe('error'));
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
    await vi.waitFor(() => expect(provider.heard).toHaveLength(before + 1));
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

test('what led to an answer is no part of what is told for the next', async () => {
  const { sidecar, client, provider } = await connectScene();
  client.send(sayingItem('hello'));
  client.send({ type: 'response.create' });
  await vi.waitFor(() => expect(provider.heard).toHaveLength(2));
  sendAll(provider, spokenEvents('resp_1', 'Good day.'));
  await vi.waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
  const first = await sidecar.ada.lastDecision();
  client.send({ type: 'response.create' });
  await vi.waitFor(() => expect(provider.heard).toHaveLength(3));
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
