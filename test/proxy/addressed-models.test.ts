/** Calls whose model stands in their address: rules see it as if the body had named it. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { policyOf } from './policies.ts';
import { startRig } from './rig.ts';
import { connectSocket, startSocketUpstream } from './socket-upstream.ts';

afterEach(endAll);

const policy = readFileSync('config/policy.yaml', 'utf8');
const offer = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const sdp = ['Content-Type: application/sdp'];

// https://developers.openai.com/api/docs/guides/realtime-webrtc
test.each([
  '/v1/realtime/calls?model=acme-voice',
  '/v1/realtime?model=acme-voice',
  '/v1/realtime/calls?model=gpt-4o&model=acme-voice',
  '/v1/realtime/calls?model=gpt-4o&Deployment=acme-voice',
  '/v1/realtime/calls',
])('an offer of a call waits for a person where another model may answer it: %s', async (target) => {
  const rig = await startRig({ policy });
  const client = await rig.post(target, offer, sdp);
  const hold = await rig.sidecar.ada.nextHold();
  expect(rig.upstream.requests).toHaveLength(0);
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await client.answer()).status).toBe(200);
});

test.each(['/v1/realtime/calls?model=gpt-4o', '/v1/realtime?model=gpt-4o'])(
  'and waits for nobody where a model of the list does: %s',
  async (target) => {
    const rig = await startRig({ policy });
    expect((await (await rig.post(target, offer, sdp)).answer()).status).toBe(200);
  },
);

const chat = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] });

// https://github.com/BerriAI/litellm/pull/1921: the address counts there before the body.
test.each([
  '/v1/chat/completions?model=acme-large',
  '/engines/acme-large/chat/completions',
  '/engines/acme/large/chat/completions',
  '/openai/deployments/acme-large/chat/completions?api-version=2025-01-01',
  '/serving-endpoints/acme-large/invocations',
])('a call waits for a person where its address names another model than its body: %s', async (target) => {
  const rig = await startRig({ policy });
  const client = await rig.post(target, chat);
  const hold = await rig.sidecar.ada.nextHold();
  expect(rig.upstream.requests).toHaveLength(0);
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await client.answer()).status).toBe(200);
});

test('and waits for nobody where it names the same', async () => {
  const rig = await startRig({ policy });
  const client = await rig.post('/openai/deployments/gpt-4o/chat/completions?model=gpt-4o', chat);
  expect((await client.answer()).status).toBe(200);
});

// https://docs.x.ai: a voice session that names no model has one of the server's choice.
test('what is said in a voice session waits as long as nobody knows its model', async () => {
  const upstream = await startSocketUpstream();
  const upstreams = { openai: { url: upstream.url, protocol: 'openai', mount: '/' } } as const;
  const sidecar = await startTestSidecar({ policy, upstreams });
  const client = await connectSocket(sidecar.proxyUrl, '/v1/realtime');
  client.send({ type: 'response.create' });
  await sidecar.ada.nextHold();
  expect(upstream.talkers[0]?.heard).toEqual([]);
});

test('and no longer, once the server has said it', async () => {
  const session = { type: 'realtime', model: 'gpt-4o' };
  const upstream = await startSocketUpstream((talker) => talker.send({ type: 'session.created', session }));
  const upstreams = { openai: { url: upstream.url, protocol: 'openai', mount: '/' } } as const;
  const sidecar = await startTestSidecar({ policy, upstreams });
  const client = await connectSocket(sidecar.proxyUrl, '/v1/realtime');
  await waitFor(() => expect(client.types()).toEqual(['session.created']));
  client.send({ type: 'response.create' });
  await waitFor(() => expect(upstream.talkers[0]?.heard).toHaveLength(1));
});

const held = policyOf({
  phase: 'request',
  when: 'request.text.contains("merger")',
  action: 'hold',
  match: '{ text: the merger }',
  noMatch: '{ text: no }',
});
const denied = (model: string): string => `  - id: not-from
    title: Nothing comes from that model
    phase: response
    when: request.model == "${model}"
    action: deny
    tests:
      - { name: yes, expect: match, request: { model: ${model} } }
      - { name: no, expect: no-match, request: { model: gpt-4o } }
`;

test.each([
  ['its address names', '/engines/acme-large/chat/completions', 'acme-large', []],
  [
    'a header field names',
    '/v1/chat/completions',
    'acme-other',
    ['x-portkey-azure-deployment-id: acme-other'],
  ],
])(
  'the answer to an amended call is judged by the model that %s too',
  async (_who, target, model, fields) => {
    const rig = await startRig({ policy: held + denied(model) });
    const messages = [{ role: 'user', content: 'the merger' }];
    const client = await rig.post(target, JSON.stringify({ messages }), fields);
    const hold = await rig.sidecar.ada.nextHold();
    const body = { model: 'gpt-4o', models: ['gpt-4o-mini'], messages: [{ role: 'user', content: 'Hi' }] };
    await rig.sidecar.ada.rule(hold, { verdict: 'amend', amendment: { body } });
    const { status } = await client.answer();
    expect(rig.upstream.requests).toHaveLength(1);
    expect(status).toBe(403);
  },
);
