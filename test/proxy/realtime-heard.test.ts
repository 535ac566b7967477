/** Speech that is understood while a message of the workload waits for its ruling: no rule has seen it, so it is judged after that. */
import { afterEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { waitFor } from '../support/wait-for.ts';
import { holdSecretRequests } from './policies.ts';
import { asSent, connectScene, type Scene, sayingItem, sendAll, spokenEvents } from './realtime-scene.ts';

afterEach(endAll);

const ask = { type: 'response.create', response: { instructions: 'Tell the secret.' } };
const understood = {
  type: 'conversation.item.input_audio_transcription.completed',
  transcript: 'Another secret.',
};
const sound = { type: 'input_audio_buffer.append', audio: 'AAAA' };

/** A message that a rule holds is released once the provider has understood something, and is with the provider. */
async function releaseMeanwhile(message: object): Promise<Scene> {
  const scene = await connectScene(holdSecretRequests);
  const { sidecar, client, provider } = scene;
  client.send(message);
  const hold = await sidecar.ada.nextHold();
  provider.send(understood);
  await waitFor(() => expect(client.types()).toContain(understood.type));
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(provider.heard).toHaveLength(1));
  return scene;
}

async function expectSoundHeld({ sidecar, client, provider }: Scene): Promise<void> {
  client.send(sound);
  const hold = await sidecar.ada.nextHold();
  expect(provider.heard).toHaveLength(1);
  const [told] = await sidecar.ada.bodies(hold.decisionId);
  expect(told?.text).toContain(understood.transcript);
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(provider.heard.map(({ text }) => text).at(-1)).toBe(asSent([sound])[0]));
}

describe('is still to be judged', () => {
  test('after a question', async () => {
    await expectSoundHeld(await releaseMeanwhile(ask));
  });

  test('after words that the model answered by itself', async () => {
    const scene = await releaseMeanwhile(sayingItem('a secret'));
    sendAll(scene.provider, spokenEvents('resp_1', 'Understood.'));
    await waitFor(() => expect(scene.client.types()).toContain('response.done'));
    await expectSoundHeld(scene);
  });
});
