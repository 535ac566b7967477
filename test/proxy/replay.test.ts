/** What was judged on the way comes back from the record: batches by their lines, sessions by their segments, connections by their answers. */
import OpenAI, { toFile } from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import type { RuleTally } from '../../src/replay/tally.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import type { TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatText } from './answers.ts';
import { denyUnlistedModels, holdTransfers, policyOf } from './policies.ts';
import { callEvents, connectScene, sendAll } from './realtime-scene.ts';
import { replay } from './replayed.ts';
import { startRig } from './rig.ts';
import { idle, message, openSession, transfer } from './session-scene.ts';

afterEach(endAll);

const smallTransfers = policyOf({
  phase: 'response',
  when: 'response.toolCalls.exists(c, c.name == "transfer_funds")',
  action: 'hold',
  match: '{ toolCalls: [{ name: transfer_funds }] }',
  noMatch: '{ text: none }',
});
const sessions = policyOf({
  phase: 'request',
  when: 'request.operation == "sessions.stream"',
  action: 'hold',
  match: '{ operation: sessions.stream }',
  noMatch: '{ operation: messages }',
});

const countsOf = ({ now, before, newly, unknown }: RuleTally) => ({
  now,
  before,
  newly: newly.decisions,
  unknown: unknown.decisions,
});

/** Of the rule of these policies. */
async function theRule(sidecar: TestSidecar, policy: string) {
  const { tally } = await replay(sidecar, policy);
  expect(tally.obstacles()).toEqual([]);
  return tally
    .rules()
    .filter(({ rule }) => rule === 'the-rule')
    .map(countsOf);
}

describe('a batch file', () => {
  async function uploaded(policy: string): Promise<TestSidecar> {
    const { sidecar } = await startRig({ policy });
    const openai = new OpenAI({ baseURL: `${sidecar.proxyUrl}/v1`, apiKey: 'sk-1', maxRetries: 0 });
    const lines = ['gpt-4.1', 'gpt-5'].map((model, i) =>
      JSON.stringify({
        custom_id: `q${i}`,
        method: 'POST',
        url: '/v1/chat/completions',
        body: { model, messages: [{ role: 'user', content: 'Hello?' }] },
      }),
    );
    const file = await toFile(Buffer.from(`${lines.join('\n')}\n`), 'batch.jsonl');
    await openai.files
      .create({ file, purpose: 'batch' })
      .asResponse()
      .catch(() => undefined);
    return sidecar;
  }

  test('matches by its lines, itself and each line that does', async () => {
    const newly = await theRule(await uploaded('version: "1"\nrules: []\n'), denyUnlistedModels);
    expect(newly).toEqual([{ now: 2, before: 0, newly: 2, unknown: 0 }]);
  });

  test('says again under the same policy what was said then', async () => {
    const sidecar = await uploaded(denyUnlistedModels);
    expect(await theRule(sidecar, denyUnlistedModels)).toEqual([{ now: 2, before: 2, newly: 0, unknown: 0 }]);
  });
});

describe('a stream without end', () => {
  async function streamed(): Promise<TestSidecar> {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('One moment.'), idle(), transfer(20), idle('requires_action'));
    await waitFor(() => expect(scene.heard()).toContain('requires_action'));
    scene.finish();
    const { ada } = scene.rig.sidecar;
    for (const id of await ada.newestIds(10)) await ada.outcomeOf(id);
    return scene.rig.sidecar;
  }

  test('is judged by its segments, each once', async () => {
    expect(await theRule(await streamed(), smallTransfers)).toEqual([
      { now: 1, before: 0, newly: 1, unknown: 0 },
    ]);
  });

  test('was asked for once, however many segments it had', async () => {
    expect(await theRule(await streamed(), sessions)).toEqual([{ now: 1, before: 0, newly: 1, unknown: 0 }]);
  });
});

describe('a connection', () => {
  async function spoken(): Promise<TestSidecar> {
    const { sidecar, client, provider } = await connectScene(holdTransfers);
    client.send({ type: 'response.create' });
    sendAll(provider, callEvents('resp_1', 20));
    await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
    return sidecar;
  }

  test('is judged by its answers', async () => {
    const sidecar = await spoken();
    expect(await theRule(sidecar, smallTransfers)).toEqual([{ now: 1, before: 0, newly: 1, unknown: 0 }]);
  });

  test('is asked for with the model of its handshake, which nothing holds and whose own answer nobody judges', async () => {
    const ofTheModel = policyOf({
      phase: 'request',
      when: 'request.model == "gpt-realtime"',
      action: 'hold',
      match: '{ model: gpt-realtime }',
      noMatch: '{ model: gpt-4.1 }',
    });
    const { tally } = await replay(await spoken(), ofTheModel);
    // The handshake, the provider's greeting, and what the caller said.
    expect(tally.replayed()).toEqual({ request: 3, response: 1 });
    expect(tally.rules().map(countsOf)).toEqual([{ now: 3, before: 0, newly: 3, unknown: 0 }]);
    expect(tally.verdicts()).toEqual([
      { before: 'pass', now: 'hold', decisions: 2 },
      { before: 'pass', now: 'flag', decisions: 1 },
    ]);
  });

  test('says nothing of a rule that reads what only its handshake had', async () => {
    const agents = policyOf({
      phase: 'request',
      when: 'request.model == "none" || "user-agent" in request.headers',
      action: 'hold',
      match: '{ headers: { user-agent: a } }',
      noMatch: '{ headers: {} }',
    });
    // The provider's greeting is an exchange too.
    const counts = await theRule(await spoken(), agents);
    expect(counts).toEqual([{ now: 0, before: 0, newly: 0, unknown: 2 }]);
  });
});

test.each([
  ['gpt-4.1', 0],
  ['gpt-5', 1],
])('a call is judged by the model that its address named: %s', async (model, now) => {
  const { post, sidecar } = await startRig();
  const target = `/v1/realtime/calls?model=${model}`;
  expect((await (await post(target, 'v=0', ['Content-Type: application/sdp'])).answer()).status).toBe(200);
  expect(await theRule(sidecar, denyUnlistedModels)).toEqual([{ now, before: 0, newly: now, unknown: 0 }]);
});

describe('a call that could mean something else by what stands around its body', () => {
  const question = '{"model":"gpt-4.1","messages":[]}';
  const twice = ['Content-Type: application/json', 'Content-Type: text/plain'];
  const kept = ['Content-Type: application/json', 'Connection: content-type'];
  interface Around {
    readonly target?: string;
    readonly fields?: readonly string[];
    readonly answered?: readonly string[];
  }

  test.each<[string, Around]>([
    ['its path', { target: '/v1//../chat/completions' }],
    ['its path, of an operation that nobody knows', { target: '/v1//../nothing' }],
    ['gRPC', { target: '/x.Service/Call', fields: ['Content-Type: application/grpc'] }],
    ['what stands below $rpc', { target: '/%24rpc/x.Service/Call' }],
    ['another method', { fields: ['X-HTTP-Method-Override: DELETE'] }],
    ['two types of its own', { fields: twice }],
    ['two types of its answer', { answered: twice }],
    ['a type of its answer that stays on the way', { answered: kept }],
  ])('is as unreadable as it was then: %s', async (_what, { target, fields, answered }) => {
    const { sidecar, upstream } = await startRig();
    upstream.script((_request, answer) =>
      answer.send(wholeAnswer('200 OK', answered ?? [], chatText('Yes.'))),
    );
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('POST', target ?? '/v1/chat/completions', fields ?? [], question));
    await waitFor(() => sidecar.ada.lastDecision());
    if (answered === undefined) await client.answer();
    else await sidecar.ada.nextHold();
    const { tally } = await replay(sidecar, 'version: "1"\nrules: []\n');
    const unreadable = tally.rules().filter(({ rule }) => rule === 'holdpoint:unreadable');
    expect(unreadable.map(countsOf)).toEqual([{ now: 1, before: 1, newly: 0, unknown: 0 }]);
    const verdict = answered === undefined ? 'deny' : 'hold';
    expect(tally.verdicts()).toEqual([{ before: verdict, now: verdict, decisions: 1 }]);
  });
});

test.each([
  ['HTTP/2, as that of Java does', ['h2c', 'HTTP2-Settings: AAEAAEAAAAIAAAAB']],
  ['messages, which takes another method', ['websocket', 'Sec-WebSocket-Version: 13']],
] as const)('a call that offers to go on in %s, is a call', async (_what, [form, field]) => {
  const { sidecar } = await startRig();
  const client = await connectRaw(sidecar.proxyUrl);
  const offer = ['Connection: Upgrade, HTTP2-Settings', `Upgrade: ${form}`, field];
  client.send(rawRequest('POST', '/v1/chat/completions', offer, chatRequest()));
  await client.answer();
  const anyText = policyOf({
    phase: 'request',
    when: 'request.text != ""',
    action: 'hold',
    match: '{ text: a }',
    noMatch: '{ text: "" }',
  });
  expect(await theRule(sidecar, anyText)).toEqual([{ now: 1, before: 0, newly: 1, unknown: 0 }]);
});

describe('a replay', () => {
  async function asked(count: number): Promise<TestSidecar> {
    const rig = await startRig();
    for (let i = 0; i < count; i++) {
      const client = await rig.chat('{"model":"gpt-4.1","messages":[]}');
      await client.until('Hello.');
    }
    return rig.sidecar;
  }

  /** Of a page of two decisions, each of which takes so long to be read. */
  async function restsOf(readingMs: number): Promise<readonly number[]> {
    const { sidecar } = await asked(2);
    const { ledger } = sidecar;
    const rests: number[] = [];
    let us = 0;
    await replay({ sidecar }, smallTransfers, {
      callsInFlight: () => 1,
      clock: { nowMs: () => 0, monoUs: () => us },
      ledger: {
        newest: (before) => ledger.newest(before),
        entry: (seq) => ledger.entry(seq),
        part: (seq, name) => ledger.part(seq, name),
        decision: (seq) => {
          us += readingMs * 1_000;
          return ledger.decision(seq);
        },
      },
      rest: async (ms) => {
        rests.push(ms);
      },
    });
    return rests;
  }

  test('rests after each decision three times as long as it took while calls are in flight', async () => {
    expect(await restsOf(4)).toEqual([12, 12]);
  });

  test('rests within a decision that takes longer than a turn', async () => {
    // Reading it took a turn; what is tried afterwards takes none.
    expect(await restsOf(20)).toEqual([60, 1, 60, 1]);
  });

  test('ends its page after ten seconds, and says where the next one goes on', async () => {
    const sidecar = await asked(3);
    let us = 0;
    const clock = { nowMs: () => 0, monoUs: () => (us += 2_500_000) };
    const first = await replay(sidecar, smallTransfers, { clock });
    expect(first.tally.decisions()).toBeLessThan(3);
    const rest = await replay(sidecar, smallTransfers, { before: first.next ?? 0 });
    expect([first.tally.decisions() + rest.tally.decisions(), rest.next]).toEqual([3, null]);
  });

  test('ends when nobody waits for it any more', async () => {
    const page = await replay(await asked(1), smallTransfers, { isAbandoned: () => true });
    expect(page.tally.decisions()).toBe(0);
  });
});
