/**
 * Servers that speak OpenAI's API in dialects of their own, through the `openai` family: what each is known to
 * send, in the form its users have reported it, is judged for what it means and passed on byte for byte.
 */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { holdTransfers } from './policies.ts';

type Json = Readonly<Record<string, unknown>>;

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const done = 'data: [DONE]\n\n';
const args = (amount: number): string => JSON.stringify({ amount, to: 'DE89' });

/** vLLM: no usage where it is null, `stop_reason` beside the finish reason, pieces without an id. */
function vllm(delta: Json, finish: string | null = null, more: Json = {}): string {
  const frame = { id: 'chatcmpl-cb1e', object: 'chat.completion.chunk', created: 1, model: 'granite' };
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish, token_ids: null }];
  return data({ ...frame, choices, ...more });
}
const vllmCall = (piece: Json, fn: Json) => vllm({ tool_calls: [{ index: 0, ...piece, function: fn }] });
const vllmUsage = (total: number) => ({
  prompt_tokens: 7,
  total_tokens: total,
  completion_tokens: total - 7,
});

/** llama.cpp: members in alphabetical order, timings in every chunk, content null. */
function llama(delta: Json, finish: string | null = null): string {
  const choices = [{ finish_reason: finish, index: 0, delta }];
  const timings = { prompt_n: 10, predicted_n: 28, predicted_per_second: 68.69547296833139 };
  const frame = {
    created: 1,
    id: 'chatcmpl-qC6l',
    model: 'gemma.gguf',
    system_fingerprint: 'b9554-d403f00ec',
  };
  return data({ choices, ...frame, object: 'chat.completion.chunk', timings });
}

/** LM Studio: the model for a fingerprint, and a name in every piece of a call, empty after the first. */
function lmStudio(delta: Json, finish: string | null = null): string {
  const frame = { id: 'chatcmpl-x1', object: 'chat.completion.chunk', created: 1, model: 'qwen3' };
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return data({ ...frame, system_fingerprint: 'qwen3', choices });
}

interface Dialect {
  readonly name: string;
  readonly body: string;
  readonly text: string;
  readonly calls: number;
  /** How the answer ended, as it is sealed. */
  readonly result: 'ok' | 'error' | 'upstream_truncated';
}

const named = { name: 'transfer_funds' };

function dialects(amount: number): readonly Dialect[] {
  const text = args(amount);
  const halves = [text.slice(0, 6), text.slice(6)] as const;
  return [
    {
      name: 'vLLM with a call in pieces whose id is empty, reasoning, and usage in every chunk',
      body:
        vllm({ role: 'assistant', content: '', reasoning_content: null }, null, { usage: vllmUsage(7) }) +
        vllm({ reasoning: 'Hm.', reasoning_content: 'Hm.' }, null, { usage: vllmUsage(8) }) +
        vllm({ content: 'Paying.' }) +
        vllmCall({ id: 'chatcmpl-tool-1', type: 'function' }, { ...named, arguments: '' }) +
        vllmCall({ id: '' }, { name: null, arguments: halves[0] }) +
        vllm({ tool_calls: [{ index: 0, function: { arguments: halves[1] } }] }, 'tool_calls', {
          usage: vllmUsage(12),
        }) +
        data({ id: 'chatcmpl-cb1e', object: 'chat.completion.chunk', choices: [], usage: vllmUsage(12) }) +
        done,
      text: 'Paying.',
      calls: 1,
      result: 'ok',
    },
    {
      name: 'vLLM with parallel calls that are all numbered 0, told apart by their ids',
      body:
        vllmCall({ id: 'a', type: 'function' }, { name: 'look_up', arguments: '{}' }) +
        vllmCall({ id: 'b', type: 'function' }, { ...named, arguments: '' }) +
        vllmCall({ id: null }, { arguments: text }) +
        vllm({}, 'tool_calls', { stop_reason: 128_008 }) +
        done,
      text: '',
      calls: 2,
      result: 'ok',
    },
    {
      name: 'llama.cpp with timings, a null content, and usage at the end',
      body:
        llama({ role: 'assistant', content: null }) +
        llama({ reasoning_content: 'Hm.' }) +
        llama({ content: 'Paying.' }) +
        llama({
          tool_calls: [{ index: 0, id: 'q1', type: 'function', function: { ...named, arguments: '{' } }],
        }) +
        llama({ tool_calls: [{ index: 0, function: { arguments: text.slice(1) } }] }) +
        llama({}, 'tool_calls') +
        data({ choices: [], object: 'chat.completion.chunk', usage: vllmUsage(12), timings: {} }) +
        done,
      text: 'Paying.',
      calls: 1,
      result: 'ok',
    },
    {
      name: 'llama.cpp kept alive by comments',
      body: `: ping\n\n${llama({ role: 'assistant', content: 'Paying.' })}:\n\n${llama({ tool_calls: [{ index: 0, function: { ...named, arguments: text } }] })}${llama({}, 'tool_calls')}${done}`,
      text: 'Paying.',
      calls: 1,
      result: 'ok',
    },
    {
      name: 'a fork of llama.cpp that never sends [DONE]',
      body:
        llama({ tool_calls: [{ index: 0, id: 'q1', function: { ...named, arguments: text } }] }) +
        llama({}, 'tool_calls'),
      text: '',
      calls: 1,
      result: 'ok',
    },
    {
      name: 'LM Studio with pieces whose name is empty',
      body:
        lmStudio({ role: 'assistant', content: 'Paying.' }) +
        lmStudio({
          tool_calls: [{ index: 0, id: '36', type: 'function', function: { ...named, arguments: '' } }],
        }) +
        halves
          .map((half) =>
            lmStudio({
              tool_calls: [{ index: 0, type: 'function', function: { name: '', arguments: half } }],
            }),
          )
          .join('') +
        lmStudio({}, 'tool_calls') +
        done,
      text: 'Paying.',
      calls: 1,
      result: 'ok',
    },
    {
      name: 'LM Studio with a whole call in one piece, and blank lines after the end',
      body: `${lmStudio({ tool_calls: [{ index: 0, id: '36', function: { ...named, arguments: text } }] })}${lmStudio({}, 'tool_calls')}${done}\n\n\r\n`,
      text: '',
      calls: 1,
      result: 'ok',
    },
    {
      name: 'a server that writes arguments as the object they are, without index and id',
      body:
        data({
          choices: [{ index: 0, delta: { tool_calls: [{ function: { ...named, arguments: { amount } } }] } }],
        }) +
        data({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) +
        'data: [DONE]',
      text: '',
      calls: 1,
      result: 'ok',
    },
  ];
}

const failures: readonly Dialect[] = [
  {
    name: 'vLLM, with the members of its error at the top',
    body: `${vllm({ content: 'Pay' })}${data({ object: 'error', message: 'CUDA', type: 'BadRequestError', param: null, code: 400 })}${done}`,
    text: 'Pay',
    calls: 0,
    result: 'error',
  },
  {
    name: 'llama.cpp until 2025, in a field that is no field',
    body: `error: {"code":400,"message":"the request exceeds the available context size"}\n\n${done}`,
    text: '',
    calls: 0,
    result: 'error',
  },
  {
    name: 'llama.cpp and LM Studio, in an event',
    body: `${llama({ content: 'Pay' })}event: error\n${data({ error: { code: 500, message: 'x' } })}`,
    text: 'Pay',
    calls: 0,
    result: 'error',
  },
];

const cut: Dialect = {
  name: 'cut off in the middle',
  body: vllm({ content: 'Pay' }),
  text: 'Pay',
  calls: 0,
  result: 'upstream_truncated',
};

let upstream: RawUpstream;
let sidecar: TestSidecar;

beforeAll(async () => {
  upstream = await startRawUpstream(() => undefined);
  const upstreams = { local: { url: upstream.url, protocol: 'openai' as const, mount: '/' } };
  sidecar = await startTestSidecar({ policy: holdTransfers, upstreams });
});
afterAll(endAll);

function answerWith(body: string): void {
  const head = ['Content-Type: text/event-stream; charset=utf-8'];
  upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', head, body)));
}

async function asked(): Promise<Awaited<ReturnType<typeof connectRaw>>> {
  const client = await connectRaw(sidecar.proxyUrl);
  const body = JSON.stringify({
    model: 'local',
    stream: true,
    messages: [{ role: 'user', content: 'Pay.' }],
  });
  client.send(rawRequest('POST', '/v1/chat/completions', [], body));
  return client;
}

/** What was sealed of the last answer. */
async function sealed(): Promise<unknown> {
  const { entries } = await sidecar.ada.lastDecision();
  return entries.find(({ type }) => type === 'response')?.data;
}

describe('an answer that no rule stops', () => {
  test.each(dialects(20))('reaches the caller byte for byte: $name', async ({ body, calls, result }) => {
    answerWith(body);
    const client = await asked();
    expect((await client.answer()).body.toString()).toBe(body);
    expect(await sealed()).toMatchObject({ result, toolCalls: calls, verdict: 'pass' });
  });
});

describe('a call that a rule holds', () => {
  test.each(dialects(25_000))('is held, and released byte for byte: $name', async ({ body, text, calls }) => {
    answerWith(body);
    const client = await asked();
    const hold = await sidecar.ada.nextHold();
    expect(client.text()).not.toContain('transfer_funds');
    expect(client.text()).not.toContain('25000');
    await sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await client.answer()).body.toString()).toBe(body);
    expect(await sealed()).toMatchObject({ toolCalls: calls, verdict: 'hold' });
    expect(body).toContain(text);
  });

  test.each(dialects(25_000))('is amended in a form that the SDK reads: $name', async ({ body, text }) => {
    answerWith(body);
    const client = new OpenAI({ baseURL: `${sidecar.proxyUrl}/v1`, apiKey: 'none', maxRetries: 0 });
    const stream = client.chat.completions.stream({
      model: 'local',
      messages: [{ role: 'user', content: 'Pay.' }],
    });
    const final = stream.finalChatCompletion();
    const hold = await sidecar.ada.nextHold();
    const ids = await sidecar.ada.callIdsOf(hold);
    const amendment = { toolCalls: [{ id: ids.at(-1), arguments: { amount: 9 } }] };
    expect(await sidecar.ada.rule(hold, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
    const message = (await final).choices[0]?.message;
    expect(message?.content ?? '').toBe(text);
    expect(message?.tool_calls?.at(-1)).toMatchObject({ function: { ...named, arguments: '{"amount":9}' } });
  });
});

test.each(failures)('a failure under status 200 is no success: $name', async ({ body, result }) => {
  answerWith(body);
  const client = await asked();
  expect((await client.answer()).body.toString()).toBe(body);
  expect(await sealed()).toMatchObject({ result });
});

test('a stream that ends without a finish reason and without [DONE] was cut off', async () => {
  answerWith(cut.body);
  const client = await asked();
  await client.ended;
  expect(await sealed()).toMatchObject({ result: cut.result });
});
