/** The `ollama` SDK through the sidecar. */
import { LLMock } from '@copilotkit/aimock';
import { Ollama } from 'ollama';
import { afterEach, describe, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { chunk, startRawUpstream } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { createManualTime } from '../support/time.ts';
import { type AskOptions, type Family, provesFamily, type Said } from './families.ts';
import { holdTransfers } from './policies.ts';

const at = { model: 'qwen3', created_at: '2026-11-22T10:00:00Z' };
const line = (message: object, more: object = { done: false }): string =>
  `${JSON.stringify({ ...at, message: { role: 'assistant', content: '', ...message }, ...more })}\n`;
const end = { done: true, done_reason: 'stop', prompt_eval_count: 7, eval_count: 5 };
const calling = (amount: number) => ({
  tool_calls: [{ function: { name: 'transfer_funds', arguments: { amount, to: 'DE89' } } }],
});
const parameters = { type: 'object', properties: { amount: { type: 'number' } } };
const tools = [
  { type: 'function', function: { name: 'transfer_funds', description: 'Moves money.', parameters } },
];
const question = { model: 'qwen3', messages: [{ role: 'user', content: 'Please.' }], tools };

async function ask(host: string, { stream, prompt: content, shown }: AskOptions): Promise<Said> {
  const client = new Ollama({ host });
  const request = { ...question, messages: [{ role: 'user', content }] };
  const parts = stream ? await client.chat({ ...request, stream: true }) : [await client.chat(request)];
  let text = '';
  const calls: { name: string; args: unknown }[] = [];
  for await (const { message } of parts) {
    text += message.content;
    shown?.(message.content);
    for (const call of message.tool_calls ?? []) {
      calls.push({ name: call.function.name, args: call.function.arguments });
    }
  }
  return { text, calls };
}

const family: Family = {
  protocol: 'ollama',
  ask,
  wholeText: line({ content: 'One moment.' }, end),
  wholeTransfer: (amount) => line(calling(amount), end),
  streamType: 'application/x-ndjson',
  text: [line({ thinking: 'Hm.' }), line({ content: 'One ' }), line({ content: 'moment.' })],
  transfer: (amount) => [line(calling(amount))],
  end: [line({}, end)],
  expectDenied(error) {
    expect(error).toMatchObject({
      name: 'ResponseError',
      status_code: 403,
      message: expect.stringContaining('denie'),
    });
  },
  expectDeniedInBand(outcome) {
    expect(outcome).toMatchObject({ error: { message: 'A reviewer denied this call.' } });
  },
  embed: (host, input) => new Ollama({ host }).embed({ model: 'nomic', input }),
};

describe('the ollama SDK', () => provesFamily(family));

describe('an Ollama that somebody else wrote', () => {
  afterEach(endAll);

  test.each([
    ['plain text', 'Tell me about photosynthesis', false],
    ['streamed text', 'Tell me about photosynthesis', true],
    ['a plain call', 'Please transfer 250', false],
    ['a streamed call', 'Please transfer 250', true],
  ])('says the same of %s as without the sidecar', async (_what, prompt, stream) => {
    const mock = new LLMock({ port: 0, chunkSize: 7 });
    mock.onMessage(/photosynthesis/, { content: 'Plants turn light into sugar — ☀️ → 🌱.' });
    mock.onMessage(/transfer/, { toolCalls: [{ name: 'transfer_funds', arguments: '{"amount":250}' }] });
    await mock.start();
    atEnd(() => mock.stop());
    const upstreams = { ollama: { url: mock.url, protocol: 'ollama' as const, mount: '/' } };
    const { proxyUrl, ada } = await startTestSidecar({ policy: holdTransfers, upstreams });
    const expected = await ask(mock.url, { stream, prompt });
    expect(expected.text + JSON.stringify(expected.calls)).not.toBe('[]');
    expect(await ask(proxyUrl, { stream, prompt })).toEqual(expected);
    expect((await ada.lastDecision()).operation).toBe('chat');
  });
});

test('a stream that waits is kept alive by lines that say nothing', async () => {
  const time = createManualTime();
  const whole = line(calling(25_000)) + line({}, end);
  const upstream = await startRawUpstream((_request, answer) => {
    answer.send(
      'HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    answer.send(chunk(whole));
    answer.send('0\r\n\r\n');
  });
  const { proxyUrl, ada } = await startTestSidecar({
    policy: holdTransfers,
    upstreams: { ollama: { url: upstream.url, protocol: 'ollama', mount: '/' } },
    machine: { clock: time.clock, schedule: time.schedule },
  });
  const client = await connectRaw(proxyUrl);
  client.send(rawRequest('POST', '/api/chat', [], JSON.stringify(question)));
  const hold = await ada.nextHold();
  time.advance(9_999);
  expect(client.received()).toHaveLength(0);
  time.advance(1);
  await client.until('"done":false');
  await ada.rule(hold, { verdict: 'release' });
  const { body } = await client.answer();
  const [waiting = '', ...rest] = body.toString().split(/(?<=\n)/);
  expect(JSON.parse(waiting)).toMatchObject({ model: 'qwen3', message: { content: '' }, done: false });
  expect(rest.join('')).toBe(whole);
  await endAll();
});
