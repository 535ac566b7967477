/** Speech that a server writes down on a connection as the Realtime API's: live where no rule minds, judged where one does. */
import { RealtimeTranscription } from '@mistralai/mistralai/extra/realtime';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { denyTransfers, policyOf } from './policies.ts';
import { asSent, connectScene, sendAll, textsOf } from './realtime-scene.ts';
import { startSocketUpstream } from './socket-upstream.ts';

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
  await waitFor(() => expect(client.types()).toHaveLength(3));
  provider.send(done);
  await waitFor(() => expect(client.types().at(-1)).toBe('transcription.done'));
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
  await waitFor(() => expect(client.types().slice(1)).toEqual([...pieces, done].map(({ type }) => type)));
});

test('words that a rule holds and a person denies are an error to who waits for them', async () => {
  const { sidecar, client, provider } = await connectScene(holdSecrets);
  sendAll(provider, [...pieces, done]);
  await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny', reason: 'No.' });
  await waitFor(() => expect(client.types().at(-1)).toBe('error'));
  expect(textsOf(client).join()).not.toContain('SEC');
});

test('a sentence of an interpreter that a rule holds waits alone, and the next one goes on', async () => {
  const { sidecar, client, provider } = await connectScene(holdSecrets);
  const said = ['a SEC', 'RET. ', 'Nothing.'].map((delta) => ({
    type: 'session.output_transcript.delta',
    delta,
  }));
  sendAll(provider, said);
  const hold = await sidecar.ada.nextHold();
  await waitFor(() => expect(client.heard).toHaveLength(2));
  expect(textsOf(client)[1]).toBe(asSent(said)[2]);
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(textsOf(client).slice(2)).toEqual(asSent(said.slice(0, 2))));
});

test('Mistral’s SDK has what its sound says, and the record names the model', async () => {
  const audioFormat = { encoding: 'pcm_s16le', sample_rate: 16_000 };
  const session = { request_id: 'r', model: 'voxtral', audio_format: audioFormat };
  const ending = [
    { type: 'transcription.text.delta', text: 'a SECRET' },
    { type: 'transcription.done', model: 'voxtral', text: 'a SECRET', language: 'en', usage: {} },
  ];
  const upstream = await startSocketUpstream((talker) => {
    talker.send({ type: 'session.created', session });
    talker.ws.on('message', (data) => {
      if (String(data).includes('input_audio.end')) sendAll(talker, ending);
    });
  });
  const sidecar = await startTestSidecar({
    policy: denyTransfers,
    upstreams: { mistral: { url: upstream.url, protocol: 'mistral', mount: '/' } },
  });
  async function* sound(): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < 200; sent += 1) yield new Uint8Array(320);
  }
  const client = new RealtimeTranscription({ apiKey: 'none', serverURL: sidecar.proxyUrl });
  const heard: string[] = [];
  for await (const event of client.transcribeStream(sound(), 'voxtral')) heard.push(String(event.type));
  expect(heard).toEqual(['session.created', 'transcription.text.delta', 'transcription.done']);
  const { entries } = await waitFor(() => sidecar.ada.lastDecision());
  expect(entries[0]?.data).toMatchObject({ model: 'voxtral', operation: 'realtime' });
});
