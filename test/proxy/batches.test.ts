/** Batch files are decisions too: every line judged and sealed on its own, the body held by the strictest of them. */

import { gzipSync } from 'node:zlib';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { chatText, chatTransfer } from './answers.ts';

const policy = `
version: "1"
rules:
  - id: cheap-models
    title: Only the cheap model
    phase: request
    when: request.operation == "chat.completions" && request.model != "gpt-4.1" || request.operation == "messages" && request.model != "claude-haiku"
    action: hold
    hold: { expiresIn: 15m, approvals: 1, roles: [reviewer] }
    tests:
      - { name: other, expect: match, request: { operation: chat.completions, model: gpt-5 } }
      - { name: cheap, expect: no-match, request: { operation: chat.completions, model: gpt-4.1 } }
  - id: unjudged
    title: Nobody judged what it runs
    phase: request
    when: size(request.unjudgedFiles) > 0
    action: hold
    hold: { expiresIn: 15m, approvals: 1, roles: [reviewer] }
    tests:
      - { name: one, expect: match, request: { unjudgedFiles: [file-1] } }
      - { name: none, expect: no-match, request: { operation: batches } }
  - id: transfers
    title: Transfers need a reviewer
    phase: response
    when: response.toolCalls.exists(c, c.name == "transfer_funds")
    action: hold
    hold: { expiresIn: 15m, approvals: 1, roles: [reviewer] }
    tests:
      - { name: transfer, expect: match, response: { toolCalls: [{ name: transfer_funds, arguments: {} }] } }
      - { name: none, expect: no-match, response: { toolCalls: [] } }
`;

let upstream: RawUpstream;
let sidecar: TestSidecar;
let openai: OpenAI;
let anthropic: Anthropic;
let results = '';
let coding: string | null = null;
let status = '200 OK';

beforeAll(async () => {
  upstream = await startRawUpstream((request, answer) => {
    const body = request.method === 'GET' ? results : '{"id":"file-1","object":"file","purpose":"batch"}';
    const headers = ['Content-Type: application/json'];
    if (coding !== null) headers.push(`Content-Encoding: ${coding}`);
    answer.send(wholeAnswer(status, headers, coding === null ? body : gzipSync(body)));
  });
  sidecar = await startTestSidecar({
    policy,
    upstreams: {
      openai: { url: upstream.url, protocol: 'openai', mount: '/' },
      anthropic: { url: upstream.url, protocol: 'anthropic', mount: '/anthropic' },
    },
  });
  openai = new OpenAI({ baseURL: `${sidecar.proxyUrl}/v1`, apiKey: 'sk-1', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: `${sidecar.proxyUrl}/anthropic`, apiKey: 'sk-1', maxRetries: 0 });
});
afterAll(endAll);

let sent = 0;
beforeEach(() => {
  sent = upstream.requests.length;
  coding = null;
  status = '200 OK';
});
const forwarded = (): number => upstream.requests.length - sent;

const line = (id: string, model: string, words = ''): string =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, messages: [{ role: 'user', content: `Question ${id} ${words}` }] },
  });
const resultLine = (id: string, body: string): string =>
  JSON.stringify({
    id: `r-${id}`,
    custom_id: id,
    response: { status_code: 200, body: JSON.parse(body) },
    error: null,
  });

async function upload(lines: readonly string[]): Promise<Response> {
  const file = await toFile(Buffer.from(`${lines.join('\n')}\n`), 'batch.jsonl');
  return openai.files.create({ file, purpose: 'batch' }).asResponse();
}

/** The decisions whose requests name `carrier` as their batch, by line. */
async function carriedBy(carrier: number) {
  const ids = await sidecar.ada.newestIds(20);
  const views = await Promise.all(ids.map((id) => sidecar.ada.decision(id)));
  return views
    .map((view) => ({ view, data: view.entries[0]?.data ?? {} }))
    .filter(({ data }) => data['batch'] === carrier)
    .sort((a, b) => Number(a.data['line']) - Number(b.data['line']));
}

async function carrierOf(answer: Response) {
  const view = await sidecar.ada.decision(answer.headers.get('holdpoint-decision') ?? '');
  return view.entries[0]?.seq ?? -1;
}

test('every line of an uploaded batch is a decision of its own, judged as if it had come alone', async () => {
  const answer = await upload([line('a', 'gpt-4.1'), line('b', 'gpt-4.1')]);
  expect(answer.status).toBe(200);
  const lines = await carriedBy(await carrierOf(answer));
  expect(lines.map(({ data }) => [data['line'], data['operation'], data['model'], data['verdict']])).toEqual([
    [1, 'chat.completions', 'gpt-4.1', 'pass'],
    [2, 'chat.completions', 'gpt-4.1', 'pass'],
  ]);
  const outcomes = await Promise.all(lines.map(({ view }) => sidecar.ada.outcomeOf(view.id)));
  expect(outcomes).toEqual(['carried', 'carried']);
});

test('the words of a line stand in its own record', async () => {
  const answer = await upload([line('first', 'gpt-4.1')]);
  const [only] = await carriedBy(await carrierOf(answer));
  const bodies = await sidecar.as('grace', 'auditor').bodies(only?.view.id ?? '');
  expect(bodies[0]?.text).toContain('Question first');
  expect(bodies[0]?.headers).toEqual(['holdpoint-custom-id', 'first']);
});

test('a batch with one line that must be held never reaches the provider before it is released', async () => {
  const uploading = upload([line('a', 'gpt-4.1'), line('b', 'gpt-5'), line('c', 'gpt-4.1')]);
  const hold = await sidecar.ada.nextHold();
  expect(forwarded()).toBe(0);
  await sidecar.ada.rule(hold, { verdict: 'release', reason: 'once' });
  const answer = await uploading;
  expect(forwarded()).toBe(1);
  const lines = await carriedBy(await carrierOf(answer));
  expect(lines.map(({ data }) => data['verdict'])).toEqual(['pass', 'hold', 'pass']);
});

test('a batch whose upload is denied is not created', async () => {
  const uploading = upload([line('b', 'gpt-5')]).catch((error: unknown) => error);
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'no' });
  expect(await uploading).toBeInstanceOf(OpenAI.PermissionDeniedError);
  expect(forwarded()).toBe(0);
});

test.each([
  ['is no JSON', 'not json', /line 2: a line of the batch/],
  [
    'names its model twice',
    '{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4.1","model":"gpt-5","messages":[]}}',
    /line 2/,
  ],
  ['repeats an id', line('a', 'gpt-4.1'), /same custom_id/],
  [
    'is a batch itself',
    JSON.stringify({
      ...{ custom_id: 'b', method: 'POST', url: '/v1/batches' },
      body: { requests: [JSON.parse(line('c', 'gpt-4.1'))] },
    }),
    /a line is a batch itself/,
  ],
])('a batch with a line that %s is refused and goes nowhere', async (_what, bad, message) => {
  await expect(upload([line('a', 'gpt-4.1'), bad])).rejects.toThrow(message);
  expect(forwarded()).toBe(0);
});

test('a line that runs a file is held, because nobody looks up whether that was judged', async () => {
  const running = JSON.stringify({
    ...{ custom_id: 'b', method: 'POST', url: '/v1/batches' },
    body: { input_file_id: 'file-7', endpoint: '/v1/chat/completions', completion_window: '24h' },
  });
  const uploading = upload([line('a', 'gpt-4.1'), running]).catch((error: unknown) => error);
  const hold = await sidecar.ada.nextHold();
  expect(forwarded()).toBe(0);
  await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'no' });
  expect(await uploading).toBeInstanceOf(OpenAI.PermissionDeniedError);
});

test('a line far into a large batch file is judged too', async () => {
  // Larger than what is kept in memory of a body that passes, so that it waits on disk.
  const words = 'words '.repeat(2_000);
  const filler = Array.from({ length: 400 }, (_, i) => line(`f${i}`, 'gpt-4.1', words));
  const uploading = upload([...filler, line('last', 'gpt-5')]).catch((error: unknown) => error);
  const hold = await sidecar.ada.nextHold();
  expect(forwarded()).toBe(0);
  await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'no' });
  expect(await uploading).toBeInstanceOf(OpenAI.PermissionDeniedError);
});

describe('a batch file too large for memory', () => {
  const words = 'words '.repeat(2_000);
  const lines = (last: string, count = 200): string[] => [
    ...Array.from({ length: count }, (_, i) => line(`f${i}`, 'gpt-4.1', words)),
    line('last', last),
  ];
  const limits = { requestBytesMax: 1024 * 1024, storedBytesMax: 64 * 1024, batchBytesMax: 4 * 1024 * 1024 };
  let small: TestSidecar;
  beforeAll(async () => {
    const openaiAlone = { url: upstream.url, protocol: 'openai', mount: '/' } as const;
    small = await startTestSidecar({ policy, limits, upstreams: { openai: openaiAlone } });
  });
  const send = async (all: readonly string[]) => {
    const client = new OpenAI({ baseURL: `${small.proxyUrl}/v1`, apiKey: 'sk-1', maxRetries: 0 });
    const file = await toFile(Buffer.from(`${all.join('\n')}\n`), 'batch.jsonl');
    return client.files.create({ file, purpose: 'batch' }).asResponse();
  };

  test('is judged to its last line, and goes out as it was sent once that is released', async () => {
    const all = lines('gpt-5');
    const uploading = send(all);
    const hold = await small.ada.nextHold();
    expect(forwarded()).toBe(0);
    await small.ada.rule(hold, { verdict: 'release', reason: 'once' });
    expect((await uploading).status).toBe(200);
    expect(upstream.requests.at(-1)?.body.toString()).toContain(`\r\n\r\n${all.join('\n')}\n\r\n--`);
    const views = await Promise.all((await small.ada.newestIds(3)).map((id) => small.ada.decision(id)));
    const sealed = views.map(({ entries }) => entries[0]?.data ?? {});
    expect(sealed.map((data) => [data['line'], data['model'], data['verdict']])).toEqual([
      [201, 'gpt-5', 'hold'],
      [200, 'gpt-4.1', 'pass'],
      [199, 'gpt-4.1', 'pass'],
    ]);
  });

  test('with a line that is no JSON is refused, and its line is named', async () => {
    const all = lines('gpt-4.1');
    await expect(send([...all, 'not json'])).rejects.toThrow(/line 202: a line of the batch is not JSON/);
    expect(forwarded()).toBe(0);
  });

  test('and larger than is allowed is refused, and the limit is named', async () => {
    await expect(send(lines('gpt-4.1', 400))).rejects.toThrow(
      /more than 4194304 bytes \(limits\.batchBytesMax\)/,
    );
    expect(forwarded()).toBe(0);
  });
});

test('a batch file that memory holds is refused all the same where it is larger than is allowed', async () => {
  const narrow = await startTestSidecar({
    policy,
    limits: { batchBytesMax: 2048 },
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
  const client = new OpenAI({ baseURL: `${narrow.proxyUrl}/v1`, apiKey: 'sk-1', maxRetries: 0 });
  const file = await toFile(Buffer.from(`${line('a', 'gpt-4.1', 'words '.repeat(500))}\n`), 'batch.jsonl');
  await expect(client.files.create({ file, purpose: 'batch' })).rejects.toThrow(/more than 2048 bytes/);
  expect(forwarded()).toBe(0);
});

test('a batch file that comes in parts is refused, because nobody could judge its lines', async () => {
  const creating = openai.uploads.create({
    bytes: 10,
    filename: 'b.jsonl',
    mime_type: 'application/jsonl',
    purpose: 'batch',
  });
  await expect(creating).rejects.toThrow(/send it whole/);
  expect(forwarded()).toBe(0);
});

test('every line of a batch’s output is a decision of its own', async () => {
  results = `${resultLine('a', chatText('Fine.'))}\n${resultLine('b', chatText('Also.'))}\n`;
  const answer = await openai.files.content('file-out');
  expect(await answer.text()).toBe(results);
  const lines = await carriedBy(await carrierOf(answer));
  expect(lines.map(({ data, view }) => [data['line'], view.entries[1]?.data['verdict']])).toEqual([
    [1, 'pass'],
    [2, 'pass'],
  ]);
  const outcomes = await Promise.all(lines.map(({ view }) => sidecar.ada.outcomeOf(view.id)));
  expect(outcomes).toEqual(['carried', 'carried']);
});

test('a batch’s output with one tool call that must be held is withheld until it is released', async () => {
  results = `${resultLine('a', chatText('Fine.'))}\n${resultLine('b', chatTransfer(9))}\n`;
  let arrived = false;
  const reading = openai.files.content('file-out').then(async (answer) => {
    arrived = true;
    return answer.text();
  });
  const hold = await sidecar.ada.nextHold();
  expect(arrived).toBe(false);
  await sidecar.ada.rule(hold, { verdict: 'release', reason: 'known payee' });
  expect(await reading).toBe(results);
});

test('a batch’s output that comes compressed is judged all the same', async () => {
  results = `${resultLine('a', chatTransfer(9))}\n`;
  coding = 'gzip';
  const reading = openai.files.content('file-out').then((answer) => answer.text());
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release', reason: 'known payee' });
  expect(await reading).toBe(results);
});

test('a part of a file is held, because it does not show what it is a part of', async () => {
  results = resultLine('a', chatTransfer(9)).slice(1);
  status = '206 Partial Content';
  const reading = openai.files
    .content('file-out', { headers: { range: 'bytes=1-' } })
    .catch((error: unknown) => error);
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'ask for all of it' });
  expect(await reading).toBeInstanceOf(OpenAI.PermissionDeniedError);
});

test('a file that is no batch’s output passes as it is', async () => {
  results = '{"prompt":"a","completion":"b"}\n';
  const answer = await openai.files.content('file-tuning');
  expect(await answer.text()).toBe(results);
  expect(await carriedBy(await carrierOf(answer))).toEqual([]);
});

test('a held message batch is not amended: no rule would judge the requests in its place', async () => {
  const request = (model: string) => ({
    custom_id: 'a',
    params: { model, max_tokens: 9, messages: [{ role: 'user' as const, content: 'Hi' }] },
  });
  const refused = expect(
    anthropic.messages.batches.create({ requests: [request('claude-opus')] }),
  ).rejects.toBeInstanceOf(Anthropic.PermissionDeniedError);
  const hold = await sidecar.ada.nextHold();
  const amendment = { body: { requests: [request('claude-haiku')] } };
  const amended = await sidecar.ada.rule(hold, { verdict: 'amend', reason: 'cheaper', amendment });
  expect(amended).toEqual({ status: 409, code: 'not_amendable' });
  await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'no' });
  await refused;
  expect(forwarded()).toBe(0);
});

test('a held request is not amended into a batch, whose requests no rule would judge', async () => {
  const creating = expect(
    openai.post('/batches', { body: { input_file_id: 'file-9', endpoint: '/v1/chat/completions' } }),
  ).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
  const hold = await sidecar.ada.nextHold();
  const body = { requests: [{ custom_id: 'a', body: { model: 'gpt-5', messages: [] } }] };
  const amended = await sidecar.ada.rule(hold, { verdict: 'amend', reason: 'inline', amendment: { body } });
  expect(amended).toEqual({ status: 400, code: 'invalid_argument' });
  await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'no' });
  await creating;
  expect(forwarded()).toBe(0);
});

test('a message batch is held as a whole when one of its requests must be, and each is recorded', async () => {
  const request = (id: string, model: string) => ({
    custom_id: id,
    params: { model, max_tokens: 9, messages: [{ role: 'user' as const, content: 'Hi' }] },
  });
  const creating = anthropic.messages.batches
    .create({ requests: [request('a', 'claude-haiku'), request('b', 'claude-opus')] })
    .asResponse();
  const hold = await sidecar.ada.nextHold();
  expect(forwarded()).toBe(0);
  await sidecar.ada.rule(hold, { verdict: 'release', reason: 'fine' });
  const lines = await carriedBy(await carrierOf(await creating));
  expect(lines.map(({ data }) => [data['model'], data['verdict']])).toEqual([
    ['claude-haiku', 'pass'],
    ['claude-opus', 'hold'],
  ]);
});
