/** Gemini through the sidecar: Google's SDK before a provider nobody here wrote, and answers made of bytes. */
import { writeFileSync } from 'node:fs';
import { LLMock } from '@copilotkit/aimock';
import { type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, type RawClient, rawRequest } from '../support/raw-client.ts';
import { chunk, type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { createManualTime, type ManualTime } from '../support/time.ts';
import { waitFor } from '../support/wait-for.ts';
import { denyTransfers, holdTransfers } from './policies.ts';

const model = 'gemini-2.5-pro';
const key = 'AIza-secret';
const upstreamsAt = (url: string) =>
  ({
    google: { url, protocol: 'gemini', mount: '/google' },
    vertex: { url, protocol: 'vertex', mount: '/vertex' },
  }) as const;
// The SDK's own default is `v1`, which the provider of these tests does not have.
const clientAt = (baseUrl: string) =>
  new GoogleGenAI({ apiKey: key, apiVersion: 'v1beta', httpOptions: { baseUrl } });
const clientOf = (sidecar: TestSidecar) => clientAt(`${sidecar.proxyUrl}/google`);

interface Said {
  readonly text: string;
  readonly calls: readonly unknown[];
}

function saidBy(chunks: readonly GenerateContentResponse[]): Said {
  const parts = chunks.flatMap((one) => one.candidates?.[0]?.content?.parts ?? []);
  return {
    text: parts.map(({ text = '' }) => text).join(''),
    calls: chunks.flatMap((one) => one.functionCalls ?? []),
  };
}

describe('Google’s SDK', () => {
  const args = { amount: 25_000, currency: 'EUR' };
  let direct: GoogleGenAI;
  let sidecar: TestSidecar;
  let denying: TestSidecar;

  beforeAll(async () => {
    const mock = new LLMock({ port: 0, chunkSize: 7 });
    mock.onMessage(/photosynthesis/, { content: 'Plants turn light into sugar — ☀️ → 🌱.' });
    const toolCalls = [{ id: 'c1', name: 'transfer_funds', arguments: JSON.stringify(args) }];
    mock.onMessage(/transfer/, { content: 'One moment.', toolCalls });
    await mock.start();
    atEnd(() => mock.stop());
    direct = clientAt(mock.url);
    sidecar = await startTestSidecar({ policy: holdTransfers, upstreams: upstreamsAt(mock.url) });
    denying = await startTestSidecar({ policy: denyTransfers, upstreams: upstreamsAt(mock.url) });
  });
  afterAll(endAll);

  const ask = async (client: GoogleGenAI, contents: string) =>
    saidBy([await client.models.generateContent({ model, contents })]);
  const askStreaming = async (client: GoogleGenAI, contents: string) => {
    const chunks: GenerateContentResponse[] = [];
    for await (const one of await client.models.generateContentStream({ model, contents })) chunks.push(one);
    return saidBy(chunks);
  };
  const forms = [
    { form: 'plain', through: ask },
    { form: 'streaming', through: askStreaming },
  ];

  describe.each(forms)('$form', ({ form, through }) => {
    test('gets the same text as without the sidecar', async () => {
      const expected = await through(direct, 'photosynthesis');
      expect(expected.text).toContain('🌱');
      expect(await through(clientOf(sidecar), 'photosynthesis')).toEqual(expected);
      const operation = form === 'plain' ? 'generate_content' : 'stream_generate_content';
      expect((await sidecar.ada.lastDecision()).operation).toBe(operation);
    });

    test('gets a held call once it is released', async () => {
      const answer = through(clientOf(sidecar), 'transfer, to be released');
      await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
      expect(await answer).toEqual(await through(direct, 'transfer'));
    });

    test('gets a held call as it was amended', async () => {
      const answer = through(clientOf(sidecar), 'transfer, to be amended');
      const hold = await sidecar.ada.nextHold();
      const toolCalls = [{ id: 'c1', arguments: { amount: 20 } }];
      expect(await sidecar.ada.rule(hold, { verdict: 'amend', amendment: { toolCalls } })).toMatchObject({
        status: 201,
      });
      expect((await answer).calls).toEqual([{ id: 'c1', name: 'transfer_funds', args: { amount: 20 } }]);
    });

    const refusal = (code: string) => ({
      name: 'ApiError',
      status: 403,
      message: expect.stringContaining(`"code":"${code}"`),
    });

    test('raises its ApiError with 403 where a rule denies', async () => {
      await expect(through(clientOf(denying), 'transfer')).rejects.toMatchObject(refusal('denied_by_policy'));
    });

    test('raises its ApiError with 403 where a reviewer denies', async () => {
      const answer = through(clientOf(sidecar), 'transfer, to be denied');
      const raised = expect(answer).rejects.toMatchObject(refusal('denied_by_reviewer'));
      await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
      await raised;
    });
  });

  test('makes interactions, judged like any answer', async () => {
    const { interactions } = clientOf(sidecar);
    const asked = interactions.create({ model, input: 'transfer', stream: false });
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    expect((await asked).steps).toContainEqual(
      expect.objectContaining({ name: 'transfer_funds', arguments: args }),
    );
    expect((await sidecar.ada.lastDecision()).operation).toBe('interactions');
  });

  test('finds the same answers at Vertex AI’s routes', async () => {
    const at = `/v1/projects/p/locations/europe-west4/publishers/google/models/${model}`;
    const post = async (verb: string, text: string) => {
      const body = JSON.stringify({ contents: [{ role: 'user', parts: [{ text }] }] });
      return (await fetch(`${sidecar.proxyUrl}/vertex${at}:${verb}`, { method: 'POST', body })).text();
    };
    expect(await post('generateContent', 'photosynthesis')).toContain('🌱');
    const [request] = (await sidecar.ada.lastDecision()).entries;
    expect(request?.data).toMatchObject({ operation: 'generate_content', model });
    const held = post('streamGenerateContent?alt=sse', 'transfer, at Vertex AI');
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    expect(await held).toContain('"transfer_funds"');
  });

  test('uses a key that is stored nowhere', async () => {
    await ask(clientOf(sidecar), 'photosynthesis');
    const inHeader = await sidecar.ada.lastDecision();
    const target = `/google/v1beta/models/${model}:generateContent?key=${key}`;
    const body = JSON.stringify({ contents: [{ parts: [{ text: 'photosynthesis' }] }] });
    const raw = await connectRaw(sidecar.proxyUrl);
    raw.send(rawRequest('POST', target, ['Content-Type: application/json'], body));
    expect((await raw.answer()).status).toBe(200);
    const inQuery = await sidecar.ada.lastDecision();
    for (const decision of [inHeader, inQuery]) {
      const stored = JSON.stringify([decision, await sidecar.ada.bodies(decision.id)]);
      expect(stored).toContain('photosynthesis');
      expect(stored).not.toContain(key);
    }
  });
});

describe('an answer made of bytes', () => {
  const request = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Pay' }] }] });
  const part = (...parts: readonly object[]) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0 }],
  });
  const text = part({ text: 'One moment.' });
  const call = part({ functionCall: { name: 'transfer_funds', args: { amount: 25_000 } } });
  const end = {
    candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP', index: 0 }],
  };
  const sse = (...chunks: readonly object[]) =>
    chunks.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`).join('');
  const arrayBefore = `[${JSON.stringify(text, null, 2)}`;
  const arrayHeld = `\n,\r\n${JSON.stringify(call, null, 2)}\n,\r\n${JSON.stringify(end, null, 2)}\n]\n`;
  const forms = {
    sse: { type: 'text/event-stream', query: '?alt=sse', before: sse(text), held: sse(call, end) },
    array: { type: 'application/json; charset=UTF-8', query: '', before: arrayBefore, held: arrayHeld },
  };
  let time: ManualTime;
  let upstream: RawUpstream;
  let sidecar: TestSidecar;

  beforeEach(async () => {
    time = createManualTime();
    upstream = await startRawUpstream(() => undefined);
    const machine = { clock: time.clock, schedule: time.schedule };
    sidecar = await startTestSidecar({
      policy: holdTransfers,
      upstreams: upstreamsAt(upstream.url),
      machine,
    });
  });
  afterEach(endAll);

  async function post(query: string): Promise<RawClient> {
    const client = await connectRaw(sidecar.proxyUrl);
    const target = `/google/v1beta/models/${model}:streamGenerateContent${query}`;
    client.send(rawRequest('POST', target, ['Content-Type: application/json'], request));
    return client;
  }
  const headOf = (type: string) =>
    `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const bodyOf = async (client: RawClient) => (await client.answer()).body.toString();

  /** The upstream sends text, waits until the test lets it go on, then sends the call. */
  function sendInTwo({ type, before, held }: (typeof forms)['sse']): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    upstream.script(async (_request, answer) => {
      answer.send(headOf(type));
      answer.send(chunk(before));
      await promise;
      answer.send(chunk(held));
      answer.send('0\r\n\r\n');
    });
    return resolve;
  }

  describe.each(Object.entries(forms))('streamed as %s', (name, form) => {
    test('passes its text while it streams, holds the call, and is released byte for byte', async () => {
      const goOn = sendInTwo(form);
      const client = await post(form.query);
      await client.until('One moment');
      goOn();
      const hold = await sidecar.ada.nextHold();
      expect(client.text()).not.toContain('transfer_funds');
      await sidecar.ada.rule(hold, { verdict: 'release' });
      expect(await bodyOf(client)).toBe(form.before + form.held);
    });

    test.each(['a reviewer', 'a rule'])('is denied by %s in its own form behind its text', async (who) => {
      if (who === 'a rule') {
        writeFileSync(sidecar.place.policyFile, denyTransfers);
        await sidecar.sidecar.reloadPolicy();
      }
      const goOn = sendInTwo(form);
      const client = await post(form.query);
      await client.until('One moment');
      goOn();
      if (who === 'a reviewer') await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
      const body = await bodyOf(client);
      expect(body.startsWith(form.before)).toBe(true);
      expect(body).not.toContain('transfer_funds');
      const last: unknown =
        name === 'sse' ? JSON.parse(body.slice(form.before.length + 'data: '.length)) : JSON.parse(body)[1];
      expect(last).toMatchObject({ error: { code: 403, status: 'PERMISSION_DENIED' } });
    });

    test('goes on behind its text with the call as it was amended', async () => {
      const goOn = sendInTwo(form);
      const client = await post(form.query);
      await client.until('One moment');
      goOn();
      const hold = await sidecar.ada.nextHold();
      const toolCalls = [{ id: '#1', arguments: { amount: 20 } }];
      await sidecar.ada.rule(hold, { verdict: 'amend', amendment: { toolCalls } });
      const body = await bodyOf(client);
      expect(body.match(/One moment/g)).toHaveLength(1);
      expect(body).toContain('"args":{"amount":20}');
      if (name === 'array') expect(JSON.parse(body)).toHaveLength(3);
    });

    test('that ends before its last event is broken off', async () => {
      upstream.script((_request, answer) => {
        answer.send(headOf(form.type));
        answer.send(chunk(form.before));
        answer.send('0\r\n\r\n');
      });
      const client = await post(form.query);
      await client.until('One moment');
      await expect(client.answer()).rejects.toThrow('ended before');
      await waitFor(async () =>
        expect((await sidecar.ada.lastDecision()).outcome).toBe('upstream_truncated'),
      );
    });
  });

  async function holdFromTheStart(form: (typeof forms)['sse'], held: string): Promise<RawClient> {
    const head = [`Content-Type: ${form.type}`];
    upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', head, held)));
    const client = await post(form.query);
    await sidecar.ada.nextHold();
    return client;
  }

  test('held from its beginning is kept alive by events that say nothing, and by no comment', async () => {
    const client = await holdFromTheStart(forms.sse, forms.sse.held);
    time.advance(9_999);
    expect(client.received()).toHaveLength(0);
    time.advance(15_001);
    const silence = `data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"index":0}]}\n\n`;
    await client.until(silence);
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    expect(await bodyOf(client)).toBe(silence + silence + forms.sse.held);
  });

  test('held from its beginning as an array is kept alive by white space, and denied as an array of one', async () => {
    const client = await holdFromTheStart(forms.array, `[${JSON.stringify(call)},${JSON.stringify(end)}]`);
    time.advance(25_000);
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
    const body = await bodyOf(client);
    expect(body.startsWith('  [')).toBe(true);
    expect(JSON.parse(body)).toMatchObject([{ error: { status: 'PERMISSION_DENIED' } }]);
  });

  test('whose arguments stream is held until all of them are there', async () => {
    const pieces = [
      part({ functionCall: { name: 'transfer_funds', willContinue: true } }),
      part({
        functionCall: { partialArgs: [{ jsonPath: '$.amount', numberValue: 25_000 }], willContinue: true },
      }),
      part({ functionCall: {} }),
    ];
    const client = await holdFromTheStart(forms.sse, sse(...pieces, end));
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    expect(await bodyOf(client)).toBe(sse(...pieces, end));
  });

  test('that cannot be read is held', async () => {
    const client = await holdFromTheStart(forms.array, '{"candidates":[]}');
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
    expect((await client.answer()).status).toBe(403);
  });
});
