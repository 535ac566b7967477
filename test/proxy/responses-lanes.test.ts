/** The responses API over a WebSocket, with answers in several lanes that overtake each other, and events nobody knows. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { holdTransfers, policyOf } from './policies.ts';
import { asSent, sendAll, textsOf, type WireEvent } from './realtime-scene.ts';
import { connectSocket, startSocketUpstream, type Talker } from './socket-upstream.ts';

afterEach(endAll);

/** Judges an answer by what was asked, so that it matters which question it is taken for. */
const holdAnswersOfBig = policyOf({
  phase: 'response',
  when: 'request.model == "big"',
  action: 'hold',
  match: '{ text: x }, request: { model: big }',
  noMatch: '{ text: x }, request: { model: small }',
});

interface Scene {
  readonly sidecar: TestSidecar;
  readonly client: Talker;
  readonly provider: Talker;
}

async function connect(policy: string): Promise<Scene> {
  const upstream = await startSocketUpstream();
  const sidecar = await startTestSidecar({
    policy,
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
  const client = await connectSocket(sidecar.proxyUrl, '/v1/responses');
  const [provider] = upstream.talkers;
  if (provider === undefined) throw new Error('The provider heard of no connection.');
  return { sidecar, client, provider };
}

const question = (lane: string, model: string): WireEvent => ({
  type: 'response.create',
  stream_id: lane,
  model,
  input: `For ${lane}.`,
});

function answer(lane: string, text: string): readonly WireEvent[] {
  const about = { stream_id: lane, output_index: 0, item_id: `msg_${lane}` };
  const item = { type: 'message', id: `msg_${lane}`, role: 'assistant' };
  const done = { ...item, content: [{ type: 'output_text', text }] };
  return [
    { type: 'response.created', stream_id: lane, response: { id: lane, output: [] } },
    { type: 'response.output_item.added', ...about, item: { ...item, content: [] } },
    { type: 'response.output_text.delta', ...about, content_index: 0, delta: text },
    { type: 'response.output_item.done', ...about, item: done },
    {
      type: 'response.completed',
      stream_id: lane,
      response: { id: lane, status: 'completed', output: [done] },
    },
  ];
}

async function ask({ client, provider }: Scene, ...questions: readonly WireEvent[]): Promise<void> {
  sendAll(client, questions);
  await waitFor(() => expect(provider.heard).toHaveLength(questions.length));
}

test('an answer is judged by the question of its own lane, though another one’s comes first', async () => {
  const scene = await connect(holdAnswersOfBig);
  await ask(scene, question('a', 'big'), question('b', 'small'));
  const quick = answer('b', 'Quick.');
  sendAll(scene.provider, quick);
  await waitFor(() => expect(textsOf(scene.client)).toEqual(asSent(quick)));
  const slow = answer('a', 'Slow.');
  sendAll(scene.provider, slow);
  const hold = await scene.sidecar.ada.nextHold();
  expect(textsOf(scene.client)).toEqual(asSent(quick));
  await scene.sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(textsOf(scene.client)).toEqual(asSent([...quick, ...slow])));
});

test('what one lane is refused ends no question of another', async () => {
  const scene = await connect(holdAnswersOfBig);
  await ask(scene, question('a', 'big'), question('b', 'small'));
  const refusal = { type: 'error', stream_id: 'b', status: 400, error: { message: 'No.' } };
  scene.provider.send(refusal);
  await waitFor(() => expect(textsOf(scene.client)).toEqual(asSent([refusal])));
  sendAll(scene.provider, answer('a', 'Slow.'));
  await scene.sidecar.ada.nextHold();
  expect(textsOf(scene.client)).toEqual(asSent([refusal]));
});

test('a call in an event that is part of no answer is held', async () => {
  const scene = await connect(holdTransfers);
  const item = {
    type: 'function_call',
    call_id: 'call_1',
    name: 'transfer_funds',
    arguments: '{"amount":25000}',
  };
  scene.provider.send({ type: 'conversation.item.added', item });
  await scene.sidecar.ada.nextHold();
  expect(scene.client.heard).toEqual([]);
});
