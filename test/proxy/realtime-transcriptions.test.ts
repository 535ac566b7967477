/** Speech that a server writes down on a connection as the Realtime API's: live where no rule minds, judged where one does. */
import { afterEach, expect, test, vi } from 'vitest';
import { endAll } from '../support/endings.ts';
import { denyTransfers, policyOf } from './policies.ts';
import { connectScene, sendAll, textsOf } from './realtime-scene.ts';

afterEach(endAll);

const holdSecrets = policyOf({
  phase: 'response',
  when: 'response.text.contains("SECRET")',
  match: '{ text: a SECRET }',
  noMatch: '{ text: nothing }',
  action: 'hold',
});
const pieces = ['a SEC', 'RET'].map((delta) => ({ type: 'transcription.delta', delta }));
const done = { type: 'transcription.done', text: 'a SECRET' };

test('what is heard is told as it is heard, where rules look at calls alone, and sealed as one answer', async () => {
  const { sidecar, client, provider } = await connectScene(denyTransfers);
  sendAll(provider, pieces);
  await vi.waitFor(() => expect(client.types()).toHaveLength(3));
  provider.send(done);
  await vi.waitFor(() => expect(client.types().at(-1)).toBe('transcription.done'));
  const { id } = await sidecar.ada.lastDecision();
  expect(await sidecar.ada.outcomeOf(id)).toBe('delivered');
  const { entries } = await sidecar.ada.decision(id);
  expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({ result: 'ok' });
});

test('words that a rule holds reach nobody before they are released', async () => {
  const { sidecar, client, provider } = await connectScene(holdSecrets);
  sendAll(provider, [...pieces, done]);
  const hold = await sidecar.ada.nextHold();
  expect(textsOf(client).join()).not.toContain('SEC');
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await vi.waitFor(() => expect(client.types().slice(1)).toEqual([...pieces, done].map(({ type }) => type)));
});

test('words that a rule holds and a person denies are an error to who waits for them', async () => {
  const { sidecar, client, provider } = await connectScene(holdSecrets);
  sendAll(provider, [...pieces, done]);
  await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny', reason: 'No.' });
  await vi.waitFor(() => expect(client.types().at(-1)).toBe('error'));
  expect(textsOf(client).join()).not.toContain('SEC');
});
