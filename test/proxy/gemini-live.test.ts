/** The Gemini Live API through the sidecar, with Google's own SDK and with a provider that does as it is told. */

import { LLMock } from '@copilotkit/aimock';
import { GoogleGenAI, type LiveServerMessage, Modality, type Session } from '@google/genai';
import { afterEach, describe, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { denyTransfers, holdTransfers, policyOf } from './policies.ts';
import { asSent, sendAll, textsOf } from './realtime-scene.ts';
import { connectSocket, startSocketUpstream, type Talker } from './socket-upstream.ts';

afterEach(endAll);

const liveTarget =
  '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=sk-secret';
const setup = {
  setup: { model: 'models/gemini-live', systemInstruction: { parts: [{ text: 'Be brief.' }] } },
};
const said = (text: string) => ({ serverContent: { modelTurn: { parts: [{ text }] } } });
const turnComplete = { serverContent: { turnComplete: true } };
const toolCall = (amount: number, id = 'call_1') => ({
  toolCall: { functionCalls: [{ id, name: 'transfer_funds', args: { amount, payee: 'ACME' } }] },
});

async function start(policy: string | undefined, url: string, mount = '/'): Promise<TestSidecar> {
  return startTestSidecar({
    ...(policy === undefined ? {} : { policy }),
    upstreams: { gemini: { url, protocol: 'gemini', mount } },
  });
}

async function connect(policy?: string) {
  const upstream = await startSocketUpstream();
  const sidecar = await start(policy, upstream.url);
  const client = await connectSocket(sidecar.proxyUrl, liveTarget);
  const [provider] = upstream.talkers;
  if (provider === undefined) throw new Error('The provider heard of no connection.');
  client.send(setup);
  await waitFor(() => expect(provider.heard).toHaveLength(1));
  provider.send({ setupComplete: {} });
  await waitFor(() => expect(client.heard).toHaveLength(1));
  return { sidecar, upstream, client, provider };
}

test('a held call waits while the model speaks on, and the end of its turn behind it', async () => {
  const { sidecar, client, provider } = await connect(holdTransfers);
  client.send({
    clientContent: { turns: [{ role: 'user', parts: [{ text: 'Pay.' }] }], turnComplete: true },
  });
  await waitFor(() => expect(provider.heard).toHaveLength(2));
  sendAll(provider, [said('One moment.'), toolCall(25_000), turnComplete]);
  const hold = await sidecar.ada.nextHold();
  expect(hold.headline).toBe('transfer_funds amount=25000 payee=ACME');
  provider.send(said('Still waiting.'));
  await waitFor(() => expect(client.heard).toHaveLength(3));
  expect(textsOf(client).slice(1)).toEqual(asSent([said('One moment.'), said('Still waiting.')]));
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(client.heard).toHaveLength(5));
  expect(textsOf(client).slice(3)).toEqual(asSent([toolCall(25_000), turnComplete]));
  expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
});

test('the end of a turn that waited behind a held call comes out where that is denied, too', async () => {
  const { sidecar, client, provider } = await connect(holdTransfers);
  sendAll(provider, [toolCall(25_000), turnComplete]);
  await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
  await waitFor(() => expect(client.heard).toHaveLength(3));
  expect(textsOf(client).at(-1)).toBe(asSent([turnComplete])[0]);
  expect(textsOf(client).join('')).not.toContain('ACME');
});

test('a denied call is cancelled in the provider’s own words, and the turn goes on', async () => {
  const { client, provider } = await connect(denyTransfers);
  sendAll(provider, [toolCall(25_000), said('Well then.')]);
  await waitFor(() => expect(client.heard).toHaveLength(3));
  const [denial] = textsOf(client)
    .slice(1)
    .map((text) => JSON.parse(text));
  expect(denial).toMatchObject({
    toolCallCancellation: { ids: ['call_1'] },
    error: { status: 'PERMISSION_DENIED', details: [{ reason: 'denied_by_policy' }] },
  });
  expect(textsOf(client).join('')).not.toContain('ACME');
});

test('a cancellation by the provider never overtakes the call it is about', async () => {
  const { sidecar, client, provider } = await connect(holdTransfers);
  sendAll(provider, [toolCall(25_000), { toolCallCancellation: { ids: ['call_1'] } }]);
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(client.heard).toHaveLength(3));
  expect(textsOf(client).slice(1)).toEqual(
    asSent([toolCall(25_000), { toolCallCancellation: { ids: ['call_1'] } }]),
  );
});

test('nor says anything of a call in a turn that is still under way', async () => {
  const { sidecar, client, provider } = await connect(holdTransfers);
  const [functionCall] = toolCall(25_000).toolCall.functionCalls;
  const begun = { serverContent: { modelTurn: { parts: [{ functionCall }] } } };
  const cancellation = { toolCallCancellation: { ids: ['call_1'] } };
  sendAll(provider, [begun, cancellation, { toolCallCancellation: { ids: ['call_0'] } }]);
  await waitFor(() => expect(client.heard).toHaveLength(2));
  expect(textsOf(client).join('')).not.toContain('call_1');
  provider.send(turnComplete);
  await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
  await waitFor(() => expect(client.heard).toHaveLength(5));
  expect(textsOf(client).slice(2)).toEqual(asSent([begun, cancellation, turnComplete]));
});

describe('of two calls that are held', () => {
  const cancellation = (...ids: readonly string[]) => ({ toolCallCancellation: { ids } });
  const last = ({ heard }: Talker): string => heard.at(-1)?.text ?? '';

  /** The model calls twice; a person has ruled on neither call. */
  async function callTwice() {
    const { sidecar, client, provider } = await connect(holdTransfers);
    provider.send(toolCall(25_000));
    const first = await sidecar.ada.nextHold();
    provider.send(toolCall(26_000, 'call_2'));
    const second = (await sidecar.ada.pending(2)).find(({ id }) => id !== first.id);
    if (second === undefined) throw new Error('The second call is not held.');
    const release = (hold: typeof first) => sidecar.ada.rule(hold, { verdict: 'release' });
    const releaseSecond = async (): Promise<void> => {
      await release(second);
      await waitFor(() => expect(textsOf(client)).toContain(JSON.stringify(toolCall(26_000, 'call_2'))));
    };
    return { client, provider, releaseFirst: () => release(first), releaseSecond };
  }

  test.each([
    ['held', false],
    ['delivered', true],
  ])('the cancellation of the first comes behind it while the second is %s', async (_what, isDelivered) => {
    const { client, provider, releaseFirst, releaseSecond } = await callTwice();
    if (isDelivered) await releaseSecond();
    sendAll(provider, [cancellation('call_1'), said('Well then.')]);
    await waitFor(() => expect(last(client)).toBe(JSON.stringify(said('Well then.'))));
    expect(textsOf(client).join('')).not.toContain('toolCallCancellation');
    await releaseFirst();
    const both = asSent([toolCall(25_000), cancellation('call_1')]);
    await waitFor(() => expect(textsOf(client).slice(-2)).toEqual(both));
  });

  test('the cancellation of both comes at once for the one delivered, and behind the one held', async () => {
    const { client, provider, releaseFirst, releaseSecond } = await callTwice();
    await releaseSecond();
    const ofBoth = cancellation('call_1', 'call_2');
    provider.send(ofBoth);
    await waitFor(() => expect(last(client)).toBe(JSON.stringify(ofBoth)));
    await releaseFirst();
    await waitFor(() => expect(textsOf(client).slice(-2)).toEqual(asSent([toolCall(25_000), ofBoth])));
  });
});

test('no more than 4096 messages gather behind a held call: one more closes the connection', async () => {
  const { sidecar, client, provider } = await connect(holdTransfers);
  provider.send(toolCall(25_000));
  const hold = await sidecar.ada.nextHold();
  const behind = { serverContent: { generationComplete: true } };
  const beside = { usageMetadata: { totalTokenCount: 1 } };
  sendAll(provider, [...Array.from({ length: 4_096 }, () => behind), beside]);
  await waitFor(() => expect(textsOf(client).slice(1)).toEqual(asSent([beside])), 10_000);
  provider.send(behind);
  expect(await client.closed).toEqual({ code: 1013, reason: 'overloaded' });
  expect(textsOf(client).slice(1)).toEqual(asSent([beside]));
  expect(await sidecar.ada.hold(hold.id)).toMatchObject({ state: 'pending', caller: 'gone' });
});

test('JSON in binary messages is read, and goes on as binary', async () => {
  const { sidecar, client, provider } = await connect(holdTransfers);
  provider.ws.send(Buffer.from(JSON.stringify(toolCall(25_000))));
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(client.heard).toHaveLength(2));
  expect(client.heard[1]).toEqual({ text: JSON.stringify(toolCall(25_000)), binary: true });
});

test('a reviewer’s arguments go on as binary where the call came so', async () => {
  const { sidecar, client, provider } = await connect(holdTransfers);
  provider.ws.send(Buffer.from(JSON.stringify(toolCall(25_000))));
  const hold = await sidecar.ada.nextHold();
  const amendment = { toolCalls: [{ id: 'call_1', arguments: { amount: 20, payee: 'ACME' } }] };
  expect(await sidecar.ada.rule(hold, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
  await waitFor(() => expect(client.heard).toHaveLength(2));
  expect(client.heard[1]).toEqual({ text: JSON.stringify(toolCall(20)), binary: true });
});

test('a setup that a rule denies ends the connection, because clients wait for nothing else', async () => {
  const policy = policyOf({
    phase: 'request',
    when: 'request.system.contains("brief")',
    action: 'deny',
    match: '{ system: be brief }',
    noMatch: '{ system: be kind }',
  });
  const upstream = await startSocketUpstream();
  const sidecar = await start(policy, upstream.url);
  const client = await connectSocket(sidecar.proxyUrl, liveTarget);
  client.send(setup);
  expect(await client.closed).toEqual({ code: 1008, reason: 'denied_by_policy' });
  expect(upstream.talkers[0]?.heard).toEqual([]);
});

test('what tools and people say is judged before it goes on; sound flows; the key is nowhere', async () => {
  const policy = policyOf({
    phase: 'request',
    when: 'request.text.contains("secret")',
    action: 'deny',
    match: '{ text: a secret }',
    noMatch: '{ text: nothing }',
  });
  const { sidecar, upstream, client, provider } = await connect(policy);
  client.send({ realtimeInput: { audio: { data: 'AAAA', mimeType: 'audio/pcm' } } });
  client.send({ toolResponse: { functionResponses: [{ id: 'a', response: { output: 'a secret' } }] } });
  client.send({ realtime_input: { text: 'my secret' } });
  client.send({ client_content: { turns: [{ parts: [{ text: 'hello' }] }], turn_complete: true } });
  await waitFor(() => expect(provider.heard).toHaveLength(3));
  expect(textsOf(provider).slice(1).join('')).not.toContain('secret');
  await waitFor(() => expect(client.heard).toHaveLength(3));
  sendAll(provider, [said('Hello.'), turnComplete]);
  await waitFor(() => expect(client.heard).toHaveLength(5));
  expect(upstream.requests[0]?.url).toBe(liveTarget);
  const { id } = await sidecar.ada.lastDecision();
  const everything = JSON.stringify([await sidecar.ada.decision(id), await sidecar.ada.bodies(id)]);
  expect(everything).toContain('hello');
  expect(everything).not.toContain('sk-secret');
});

test('Google’s SDK gets a held call once it is released', async () => {
  const mock = new LLMock({ port: 0 });
  const { url } = await mock.start().then(() => mock);
  atEnd(() => mock.stop());
  mock.onMessage('Pay ACME.', {
    toolCalls: [{ name: 'transfer_funds', arguments: '{"amount":25000,"payee":"ACME"}' }],
  });
  const sidecar = await start(holdTransfers, url, '/gemini');
  // With a path in it: the SDK writes an empty one as two slashes.
  const google = new GoogleGenAI({
    apiKey: 'sk-secret',
    httpOptions: { baseUrl: `${sidecar.proxyUrl}/gemini`, apiVersion: 'v1beta' },
  });
  const messages: LiveServerMessage[] = [];
  const session: Session = await google.live.connect({
    model: 'gemini-2.0-flash',
    config: { responseModalities: [Modality.TEXT] },
    callbacks: { onmessage: (message) => messages.push(message) },
  });
  atEnd(() => session.close());
  session.sendClientContent({ turns: 'Pay ACME.', turnComplete: true });
  const hold = await sidecar.ada.nextHold();
  expect(messages.filter(({ toolCall }) => toolCall !== undefined)).toEqual([]);
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() =>
    expect(messages.flatMap(({ toolCall }) => toolCall?.functionCalls ?? [])).toMatchObject([
      { name: 'transfer_funds', args: { amount: 25_000, payee: 'ACME' } },
    ]),
  );
});

test('one answer to the results of two calls is the newer one’s, and the next answer that of the next question', async () => {
  const { sidecar, client, provider } = await connect();
  const result = (id: string) => ({
    toolResponse: { functionResponses: [{ id, response: { output: id } }] },
  });
  client.send(result('call_1'));
  client.send(result('call_2'));
  await waitFor(() => expect(provider.heard).toHaveLength(3));
  sendAll(provider, [said('Both are paid.'), turnComplete]);
  await waitFor(() => expect(client.heard).toHaveLength(3));
  client.send({
    clientContent: { turns: [{ role: 'user', parts: [{ text: 'Thanks.' }] }], turnComplete: true },
  });
  await waitFor(() => expect(provider.heard).toHaveLength(4));
  sendAll(provider, [said('With pleasure.'), turnComplete]);
  await waitFor(() => expect(client.heard).toHaveLength(5));
  const ids = (await sidecar.ada.newestIds(3)).toReversed();
  for (const id of ids) expect(await sidecar.ada.outcomeOf(id)).toBe('delivered');
  const bodies = await Promise.all(
    ids.map(async (id) => (await sidecar.ada.bodies(id)).map(({ text }) => text)),
  );
  const answered = bodies.map(([, answer]) =>
    ['Both are paid', 'With pleasure'].filter((text) => answer?.includes(text)),
  );
  expect(answered).toEqual([[], ['Both are paid'], ['With pleasure']]);
});
