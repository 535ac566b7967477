/** The rest of OpenAI's API through the sidecar, asked by its real SDK: what carries words is judged, the rest passes. */
import { LLMock } from '@copilotkit/aimock';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import {
  chunk,
  type RawUpstream,
  startRawUpstream,
  streamHead,
  wholeAnswer,
} from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { holdTransfers } from './policies.ts';

const flagSecrets = `  - id: secrets
    title: Something looks like a credential
    phase: request
    when: request.text.contains("sk-proj-")
    action: flag
    severity: high
    tests:
      - { name: yes, expect: match, request: { text: sk-proj-1 } }
      - { name: no, expect: no-match, request: { text: nothing } }
`;

let upstream: RawUpstream;
let sidecar: TestSidecar;
let client: OpenAI;
let mocked: OpenAI;

beforeAll(async () => {
  upstream = await startRawUpstream(() => undefined);
  const mock = new LLMock({ port: 0 });
  mock.onTranscription({ transcription: { text: 'Good day.' } });
  await mock.start();
  atEnd(() => mock.stop());
  sidecar = await startTestSidecar({
    policy: holdTransfers + flagSecrets,
    upstreams: {
      openai: { url: upstream.url, protocol: 'openai', mount: '/' },
      mock: { url: mock.url, protocol: 'openai', mount: '/mock' },
    },
  });
  client = new OpenAI({ baseURL: `${sidecar.proxyUrl}/v1`, apiKey: 'sk-1', maxRetries: 0 });
  mocked = new OpenAI({ baseURL: `${sidecar.proxyUrl}/mock/v1`, apiKey: 'sk-1', maxRetries: 0 });
});
afterAll(endAll);
beforeEach(() => {
  upstream.script((_request, answer) => answer.send(json({})));
});

const json = (body: unknown): Buffer =>
  wholeAnswer('200 OK', ['Content-Type: application/json'], JSON.stringify(body));
const functionCall = (amount: number) => ({
  id: 'call_1',
  type: 'function',
  function: { name: 'transfer_funds', arguments: JSON.stringify({ amount }) },
});
const run = (status: string, amount?: number) => ({
  id: 'run_1',
  object: 'thread.run',
  thread_id: 'thread_1',
  model: 'gpt-4.1',
  status,
  required_action:
    amount === undefined
      ? null
      : { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: [functionCall(amount)] } },
});
const requestData = async (): Promise<Readonly<Record<string, unknown>>> =>
  (await sidecar.ada.lastDecision()).entries.find(({ type }) => type === 'request')?.data ?? {};

describe('words that are no conversation', () => {
  test('to be embedded are flagged where they hold a secret', async () => {
    await mocked.embeddings.create({ model: 'text-embedding-3-small', input: ['hello', 'key sk-proj-000'] });
    const decision = await sidecar.ada.lastDecision();
    expect(decision).toMatchObject({ operation: 'embeddings', verdict: 'flag', status: 200 });
    expect(await requestData()).toMatchObject({ model: 'text-embedding-3-small' });
  });

  test('without a secret pass unflagged', async () => {
    await mocked.moderations.create({ model: 'omni-moderation-latest', input: 'hello' });
    expect(await sidecar.ada.lastDecision()).toMatchObject({ operation: 'moderations', verdict: 'pass' });
  });

  test('in the prompt of a picture are flagged, and the picture comes', async () => {
    upstream.script((_request, answer) => answer.send(json({ created: 1, data: [{ b64_json: 'aGk=' }] })));
    const images = await client.images.generate({ model: 'gpt-image-1', prompt: 'a poster of sk-proj-000' });
    expect(images.data?.[0]?.b64_json).toBe('aGk=');
    expect(await sidecar.ada.lastDecision()).toMatchObject({ verdict: 'flag' });
  });
});

describe('a form', () => {
  const boundary = 'multipart/form-data; boundary=b';
  const field = (name: string, value: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 255]);
  const edit = Buffer.concat([
    Buffer.from(field('model', 'gpt-image-1') + field('prompt', 'a cat')),
    Buffer.from('--b\r\nContent-Disposition: form-data; name="image[]"; filename="a.png"\r\n\r\n'),
    picture,
    Buffer.from('\r\n--b--\r\n'),
  ]);
  const send = (body: string | Uint8Array<ArrayBuffer>) => {
    const headers = { 'content-type': boundary };
    return fetch(`${sidecar.proxyUrl}/v1/images/edits`, { method: 'POST', headers, body });
  };

  test('passes byte for byte and is recorded with its model', async () => {
    expect((await send(new Uint8Array(edit))).status).toBe(200);
    expect(upstream.requests.at(-1)?.body).toEqual(edit);
    expect(await requestData()).toMatchObject({ operation: 'images.edits', model: 'gpt-image-1' });
  });

  test('of the SDK is read', async () => {
    await client.images.edit({
      model: 'gpt-image-1',
      prompt: 'draw sk-proj-000',
      image: [await toFile(picture, 'a.png'), await toFile(picture, 'b.png')],
    });
    expect(await sidecar.ada.lastDecision()).toMatchObject({ operation: 'images.edits', verdict: 'flag' });
  });

  test('that another parser may read otherwise goes nowhere', async () => {
    const sent = upstream.requests.length;
    const answer = await send(`${field('model', 'gpt-image-1')}${field('model', 'other')}--b--\r\n`);
    expect(answer.status).toBe(400);
    expect(upstream.requests).toHaveLength(sent);
  });

  test('with a recording is answered with its transcript', async () => {
    const file = await toFile(Buffer.from('RIFF'), 'speech.wav');
    const transcript = await mocked.audio.transcriptions.create({ model: 'whisper-1', file });
    expect(transcript.text).toBe('Good day.');
    const decision = await sidecar.ada.lastDecision();
    expect(decision).toMatchObject({ operation: 'audio.transcriptions', verdict: 'pass' });
    expect(await sidecar.ada.outcomeOf(decision.id)).toBe('delivered');
    expect(await requestData()).toMatchObject({ model: 'whisper-1' });
  });
});

test('sound passes while it comes', async () => {
  upstream.script(async (_request, answer) => {
    answer.send('HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n');
    answer.send(chunk('first-sound'));
    await goOn.promise;
    answer.send(chunk('last-sound'));
    answer.send('0\r\n\r\n');
  });
  const goOn = Promise.withResolvers<void>();
  const body = JSON.stringify({ model: 'tts-1', voice: 'alloy', input: 'Good day' });
  const caller = await connectRaw(sidecar.proxyUrl);
  caller.send(rawRequest('POST', '/v1/audio/speech', ['Content-Type: application/json'], body));
  await caller.until('first-sound');
  goOn.resolve();
  expect((await caller.answer()).body.toString()).toBe('first-soundlast-sound');
});

test('a completion streams its text, and is recorded as that', async () => {
  const piece = (text: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm', choices: [{ index: 0, text, logprobs: null, finish_reason: finish }] })}\n\n`;
  upstream.script((_request, answer) => {
    answer.send(streamHead);
    answer.send(chunk(piece('Once') + piece(' more')));
    answer.send(chunk(`${piece('', 'stop')}data: [DONE]\n\n`));
    answer.send('0\r\n\r\n');
  });
  let text = '';
  for await (const one of await client.completions.create({ model: 'm', prompt: 'Say', stream: true })) {
    text += one.choices[0]?.text ?? '';
  }
  expect(text).toBe('Once more');
  const decision = await sidecar.ada.lastDecision();
  expect(decision.operation).toBe('completions');
  expect(decision.entries.find(({ type }) => type === 'response')?.data).toMatchObject({ finish: 'stop' });
});

describe('a run of an assistant', () => {
  const ask = () => client.beta.threads.runs.create('thread_1', { assistant_id: 'asst_1' });

  test('that works passes, and one that requires a large transfer is held until a person has looked', async () => {
    upstream.script((_request, answer) => answer.send(json(run('queued'))));
    expect((await ask()).status).toBe('queued');
    upstream.script((_request, answer) => answer.send(json(run('requires_action', 25_000))));
    const polled = client.beta.threads.runs.retrieve('run_1', { thread_id: 'thread_1' });
    const hold = await sidecar.ada.nextHold();
    expect(hold.headline).toContain('transfer_funds');
    await sidecar.ada.rule(hold, { verdict: 'release' });
    const [call] = (await polled).required_action?.submit_tool_outputs.tool_calls ?? [];
    expect(call?.function.arguments).toBe('{"amount":25000}');
  });

  test('is delivered with the arguments a reviewer gave it', async () => {
    upstream.script((_request, answer) => answer.send(json(run('requires_action', 25_000))));
    const asked = ask();
    const hold = await sidecar.ada.nextHold();
    const toolCalls = [{ id: 'call_1', arguments: { amount: 20 } }];
    await sidecar.ada.rule(hold, { verdict: 'amend', amendment: { toolCalls } });
    const [call] = (await asked).required_action?.submit_tool_outputs.tool_calls ?? [];
    expect(call?.function.arguments).toBe('{"amount":20}');
  });

  const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const said = { content: [{ index: 0, type: 'text', text: { value: 'One moment' } }] };
  const opened = { ...functionCall(0), index: 0, function: { name: 'transfer_funds', arguments: '' } };
  const piece = { index: 0, type: 'function', function: { arguments: '{"amount":25000}' } };
  const step = (call: unknown) => ({
    id: 'step_1',
    object: 'thread.run.step.delta',
    delta: { step_details: { type: 'tool_calls', tool_calls: [call] } },
  });
  const message = { id: 'msg_1', object: 'thread.message', role: 'assistant', content: [] };
  const details = { type: 'tool_calls', tool_calls: [] };
  const newStep = { id: 'step_1', object: 'thread.run.step', type: 'tool_calls', step_details: details };
  const before =
    event('thread.run.created', run('queued')) +
    event('thread.message.created', message) +
    event('thread.message.delta', { id: 'msg_1', object: 'thread.message.delta', delta: said });
  const held =
    event('thread.run.step.created', newStep) +
    event('thread.run.step.delta', step(opened)) +
    event('thread.run.step.delta', step(piece)) +
    event('thread.run.requires_action', run('requires_action', 25_000)) +
    'event: done\ndata: [DONE]\n\n';

  test('streams its text, and no piece of the call before it was ruled on', async () => {
    upstream.script((_request, answer) => {
      answer.send(streamHead);
      answer.send(chunk(before));
      answer.send(chunk(held));
      answer.send('0\r\n\r\n');
    });
    const seen: string[] = [];
    const stream = client.beta.threads.runs.stream('thread_1', { assistant_id: 'asst_1' });
    stream.on('event', ({ event: name }) => seen.push(name));
    const hold = await sidecar.ada.nextHold();
    expect(seen.filter((name) => name.includes('step.delta'))).toEqual([]);
    await sidecar.ada.rule(hold, { verdict: 'release' });
    const final = await stream.finalRun();
    expect(final.status).toBe('requires_action');
    expect(seen).toContain('thread.message.delta');
  });

  test('that a reviewer denies ends in the error that the SDK raises', async () => {
    upstream.script((_request, answer) => {
      answer.send(streamHead);
      answer.send(chunk(before));
      answer.send(chunk(held));
      answer.send('0\r\n\r\n');
    });
    const stream = client.beta.threads.runs.stream('thread_1', { assistant_id: 'asst_1' });
    const ended = stream.done().then(
      () => null,
      (error: unknown) => error,
    );
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny', reason: 'No.' });
    expect(await ended).toMatchObject({ code: 'denied_by_reviewer' });
  });
});

describe('a response in the background', () => {
  const call = {
    type: 'function_call',
    id: 'fc_1',
    call_id: 'call_1',
    name: 'transfer_funds',
    arguments: '{"amount":25000}',
    status: 'completed',
  };
  const response = (status: string, output: readonly unknown[]) => ({
    id: 'resp_1',
    object: 'response',
    status,
    output,
  });

  test('is queued at once, and judged when it is polled', async () => {
    upstream.script((_request, answer) => answer.send(json(response('queued', []))));
    expect((await client.responses.create({ model: 'gpt-4.1', input: 'Pay', background: true })).status).toBe(
      'queued',
    );
    upstream.script((_request, answer) => answer.send(json(response('completed', [call]))));
    const polled = client.responses.retrieve('resp_1').then(
      () => null,
      (error: unknown) => error,
    );
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny', reason: 'No.' });
    expect(await polled).toBeInstanceOf(OpenAI.PermissionDeniedError);
  });

  test('does not show in the conversation what is held', async () => {
    upstream.script((_request, answer) =>
      answer.send(json({ object: 'list', data: [call], has_more: false })),
    );
    const listed = client.conversations.items.list('conv_1').then((page) => page.data.length);
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    expect(await listed).toBe(1);
  });
});
