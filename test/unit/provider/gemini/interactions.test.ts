import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HoldpointError } from '../../../../src/core/errors.ts';
import { amendAnswer } from '../../../../src/provider/amending/amend-answer.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import type { Amendment } from '../../../../src/provider/protocol.ts';
import { type Served, serve } from '../served.ts';
import { answering, headOf, readStream } from '../streams.ts';

const gemini = protocolOf('gemini');
const operation = 'interactions';
let served: Served;

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

const client = () => new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: served.url } });

interface Event {
  readonly event_type: string;
  readonly [member: string]: unknown;
}
const written = (...all: readonly Event[]) =>
  all.map((event) => `event: ${event.event_type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
const created = {
  event_type: 'interaction.created',
  interaction: { id: 'v1', status: 'in_progress', model: 'm' },
};
const start = (index: number, step: object) => ({ event_type: 'step.start', index, step });
const delta = (index: number, of: object) => ({ event_type: 'step.delta', index, delta: of });
const stop = (index: number) => ({ event_type: 'step.stop', index });
const completed = {
  event_type: 'interaction.completed',
  interaction: {
    id: 'v1',
    status: 'requires_action',
    model: 'm',
    usage: { total_input_tokens: 3, total_tokens: 5 },
  },
};
const call = { type: 'function_call', id: 'c1', name: 'pay', arguments: {} };
const said = [
  created,
  start(0, { type: 'model_output' }),
  delta(0, { type: 'text', text: 'sec' }),
  delta(0, { type: 'text', text: 'ret' }),
  delta(0, { type: 'text_annotation_delta', annotations: [{ start_index: 0, end_index: 6 }] }),
  stop(0),
];
const asked = [
  start(1, call),
  delta(1, { type: 'arguments_delta', arguments: '{"n":' }),
  delta(1, { type: 'arguments_delta', arguments: '25000}' }),
  stop(1),
];
const whole = written(...said, ...asked, completed);

test.each([
  ['POST', '/v1beta/interactions', operation],
  ['GET', '/v1beta/interactions/v1_abc', operation],
  ['POST', '/v1beta/interactions/v1_abc/cancel', operation],
  ['GET', '/v1beta1/projects/p/locations/global/interactions/v1:stream', operation],
  ['GET', '/v1beta/interactions', 'unknown'],
  ['DELETE', '/v1beta/interactions/v1_abc', 'unknown'],
])('%s %s is %s', (method, path, name) => {
  expect(gemini.operationOf(method, path)).toBe(name);
});

describe('a request', () => {
  const read = (body: unknown) =>
    gemini.readRequest(operation, Buffer.from(JSON.stringify(body)), headOf('/v1beta/interactions'));

  test('says what is asked, of whom, and how', () => {
    const { facts, defects } = read({
      model: 'gemini-3-flash',
      input: 'Pay Ada',
      system_instruction: 'Be brief.',
      stream: true,
      store: false,
      generation_config: { temperature: 0.5, thinking_level: 'low' },
      tools: [{ type: 'function', name: 'pay', description: 'Pays.' }, { type: 'google_search' }],
    });
    expect(defects).toEqual([]);
    expect(facts).toEqual({
      model: 'gemini-3-flash',
      stream: true,
      params: { store: false, temperature: 0.5, thinking_level: 'low' },
      system: 'Be brief.',
      messages: [{ role: 'user', text: 'Pay Ada', toolCalls: [] }],
      text: 'Be brief.\nPay Ada',
      tools: [
        { name: 'pay', description: 'Pays.' },
        { name: 'google_search', description: '' },
      ],
    });
  });

  test('offers a server, and the tools of it that are allowed by name', () => {
    const server = { type: 'mcp_server', name: 'git', url: 'https://git.example/mcp' };
    const tools = [{ ...server, allowed_tools: [{ mode: 'auto', tools: ['delete_repo'] }] }];
    const { facts, defects } = read({ model: 'm', input: 'x', tools });
    expect(defects).toEqual([]);
    expect(facts.tools).toEqual([
      { name: 'git', description: 'https://git.example/mcp' },
      { name: 'delete_repo', description: 'git' },
    ]);
  });

  test('may give steps, contents or turns', () => {
    const steps = [
      { type: 'user_input', content: [{ type: 'text', text: 'Pay Ada' }] },
      { type: 'function_call', id: 'c', name: 'pay', arguments: { n: 1 } },
      { type: 'function_result', call_id: 'c', result: [{ type: 'text', text: 'paid' }] },
    ];
    expect(read({ input: steps }).facts.messages).toEqual([
      { role: 'user', text: 'Pay Ada', toolCalls: [] },
      {
        role: 'model',
        text: '',
        toolCalls: [{ id: 'c', name: 'pay', arguments: { n: 1 }, argumentsText: '{"n":1}' }],
      },
      { role: 'user', text: 'paid', toolCalls: [] },
    ]);
    const data = Buffer.from('a file').toString('base64');
    const contents = [
      { type: 'text', text: 'Read' },
      { type: 'document', data, mime_type: 'text/plain' },
    ];
    expect(read({ input: contents }).facts.text).toBe('Read\na file');
    const turns = [{ role: 'model', content: [{ type: 'text', text: 'Hello' }] }];
    expect(read({ input: turns }).facts.messages).toEqual([{ role: 'model', text: 'Hello', toolCalls: [] }]);
  });

  // https://ai.google.dev/gemini-api/docs/custom-agents
  test('to an agent has the model that it thinks with besides, in either spelling', () => {
    for (const member of ['agent_config', 'agentConfig'])
      expect(
        read({ agent: 'antigravity', input: 'Hi', [member]: { model: 'gemini-3-pro' } }).facts,
      ).toMatchObject({
        model: 'antigravity',
        insteads: [{ model: 'gemini-3-pro' }],
      });
  });

  test('to an agent has the files that are put before it', () => {
    const sources = [
      { type: 'inline', target: '.agents/AGENTS.md', content: 'Be loud.' },
      { type: 'inline', content: Buffer.from('Be slow.').toString('base64'), encoding: 'base64' },
      { type: 'repository', source: 'https://example.com/a' },
    ];
    const body = {
      agent: 'antigravity',
      system_instruction: 'Be kind.',
      input: 'Hi',
      environment: { sources },
    };
    expect(read(body).facts).toMatchObject({
      system: 'Be kind.\nBe loud.\nBe slow.',
      text: 'Be kind.\nBe loud.\nBe slow.\nHi',
    });
    expect(read({ ...body, environment: 'remote' }).facts.system).toBe('Be kind.');
  });

  test('to an agent names it as the model', () => {
    expect(read({ agent: 'deep-research', input: '' }).facts.model).toBe('deep-research');
  });

  test('that is no object is refused', () => {
    expect(read([]).defects).toEqual(['the request body is not a JSON object']);
  });
});

describe('a whole answer', () => {
  const read = (body: unknown) => gemini.readResponse(operation, 200, Buffer.from(JSON.stringify(body)));

  test('has a call for every step that is none of the known kinds', () => {
    const steps = [
      { type: 'teleport', id: 't', to: 'Mars' },
      { type: 'model_output', content: [{ type: 'beam' }] },
    ];
    expect(read({ steps }).facts.toolCalls).toMatchObject([
      { id: 't', name: 'teleport', arguments: { to: 'Mars' } },
      { name: 'beam', arguments: {} },
    ]);
  });

  test('has the words of a text file in it', () => {
    const data = Buffer.from('a secret').toString('base64');
    const block = (type: string, mime_type: string) => ({ type, mime_type, data });
    const steps = [
      { type: 'model_output', content: [block('document', 'text/plain'), block('image', 'image/png')] },
      block('document', 'text/csv'),
    ];
    expect(read({ steps }).facts.text).toBe('a secret\na secret');
  });

  test('that still runs has nothing to say', () => {
    expect(read({ id: 'v1', status: 'queued' })).toMatchObject({
      defects: [],
      facts: { finishReason: 'queued' },
    });
  });

  test.each([
    [{}, 'the answer has no `steps`'],
    [{ steps: {} }, '`steps` is not a list'],
    [{ steps: [5] }, 'an entry of `steps` is not an object'],
    [{ steps: [], outputs: [] }, 'the answer has both `steps` and `outputs`'],
    [{ steps: [{ type: 'model_output', content: 'x' }] }, 'the content of a step is not a list'],
    [
      { steps: [{ type: 'function_call', name: 'f', arguments: 'x' }] },
      'the arguments of a tool call are not an object',
    ],
    [{ steps: [{ type: 'function_call', arguments: {} }] }, 'a tool call has no name'],
  ])('%j is held', (body, defect) => {
    expect(read(body).defects).toEqual([defect]);
  });
});

describe('a stream', () => {
  const read = (...all: readonly Event[]) => readStream(gemini, operation, written(...all));

  test('with a step in an event that nobody knows has a defect', () => {
    const { kinds, defects } = read(created, { event_type: 'step.replaced', index: 0, step: call });
    expect(kinds.at(-1)).toBe('tool');
    expect(defects).toEqual(['an event of the stream has an unknown type']);
  });

  test.each(['interaction.in_progress', 'interaction.requires_action', 'interaction.status_update'])(
    'is told how it goes by %s, with the interaction or without',
    (event_type) => {
      const bare = { event_type, interaction_id: 'v1' };
      const whole = { event_type, interaction: { id: 'v1', status: 'in_progress' } };
      const { kinds, defects, complete } = read(created, bare, whole, ...said.slice(1), completed);
      expect(kinds.slice(0, 5)).toEqual(['other', 'other', 'other', 'other', 'text']);
      expect({ defects, complete }).toEqual({ defects: [], complete: true });
    },
  );

  test('of which the interaction has other calls while it goes on than at its end has a defect', () => {
    const told = (event_type: string, step: object) => ({
      event_type,
      interaction: { id: 'v1', status: 'requires_action', steps: [step] },
    });
    const during = told('interaction.requires_action', { ...call, arguments: { n: 1 } });
    const { kinds, defects } = read(created, during, told('interaction.completed', call));
    expect(kinds).toEqual(['other', 'tool', 'tool']);
    expect(defects).toEqual(['the stream ends with other tool calls than it had']);
    expect(read(created, during, { ...during, event_type: 'interaction.completed' }).defects).toEqual([]);
  });

  test('passes texts, and not what could be part of a call', () => {
    expect(read(...said, ...asked, completed)).toMatchObject({
      kinds: ['other', 'other', 'text', 'text', 'other', 'other', 'tool', 'tool', 'tool', 'other', 'end'],
      defects: [],
      complete: true,
      facts: {
        text: 'secret',
        toolCalls: [{ id: 'c1', name: 'pay', arguments: { n: 25000 }, argumentsText: '{"n":25000}' }],
        finishReason: 'requires_action',
        usage: { inputTokens: 3, totalTokens: 5 },
      },
    });
  });

  test('has a defect where a piece of a call stands behind its last event', () => {
    const { defects } = read(...said, ...asked.slice(0, 2), completed, ...asked.slice(2));
    expect(defects).toEqual(['some clients pass over a piece of a tool call']);
  });

  test('has a call for every delta that is none of the known kinds', () => {
    const { kinds, facts } = read(...said.slice(0, 2), delta(0, { type: 'beam', to: 'Mars' }), completed);
    expect(kinds.at(-2)).toBe('tool');
    expect(facts.toolCalls).toMatchObject([{ name: 'beam', arguments: { to: 'Mars' } }]);
  });

  test('is cut off without its last event', () => {
    expect(read(...said).complete).toBe(false);
    expect(readStream(gemini, operation, `${written(...said)}data: [DONE]\n\n`).complete).toBe(true);
  });

  test('may have its steps in its last event alone', () => {
    const steps = [{ ...call, arguments: { n: 1 } }];
    const last = { ...completed, interaction: { ...completed.interaction, steps } };
    expect(read(created, last)).toMatchObject({
      kinds: ['other', 'tool'],
      defects: [],
      facts: { toolCalls: [{ arguments: { n: 1 } }] },
    });
  });

  const ending = (text: string) => ({
    ...completed,
    interaction: { steps: [{ type: 'model_output', content: [{ type: 'text', text }] }] },
  });

  test('has what its last event alone says, and once what that repeats', () => {
    expect(read(...said, ending('other')).facts.text).toBe('secret\nother');
    expect(read(...said, ending('secret')).facts.text).toBe('secret');
  });

  test('that repeats its words in its last event has none of its texts amended', () => {
    const spoken = Buffer.from(written(...said, ending('secret')));
    expect(() => amendAnswer(gemini, operation, spoken, 'sse', { text: 'x' })).toThrow(HoldpointError);
  });

  test('has the words of a file in pieces, and what stands in a step that is a call', () => {
    const data = Buffer.from('a file').toString('base64');
    const { facts } = read(
      ...[...said, delta(0, { type: 'document', mime_type: 'text/plain', data })],
      ...[start(1, call), delta(1, { type: 'text', text: 'beside' }), completed],
    );
    expect(facts.text).toBe('secret\na file\nbeside');
  });

  test.each([
    ['ends with other calls', [...said, { ...completed, interaction: { steps: [call] } }]],
    ['has a delta without a step', [delta(3, { type: 'text', text: 'x' })]],
    ['begins two steps at one place', [start(0, call), start(0, call)]],
    ['gives arguments to a text', [...said, delta(0, { type: 'arguments_delta', arguments: '{}' })]],
    ['gives a call whole and in pieces', [start(1, { ...call, arguments: { n: 1 } }), ...asked.slice(1)]],
    [
      'has arguments that are no JSON',
      [start(1, call), delta(1, { type: 'arguments_delta', arguments: '{' })],
    ],
  ])('that %s is held', (_what, all) => {
    expect(read(...all, completed).defects).not.toEqual([]);
  });
});

describe('a call in pieces, of which the AI SDK passes over one', () => {
  const args = (text: string) => delta(1, { type: 'arguments_delta', arguments: text });
  const around = (event: Event): string =>
    written(created, start(1, call), args('{"amount":5'), event, args('0000}'), stop(1), completed);

  async function byAiSdk(stream: string): Promise<readonly string[]> {
    const model = createGoogleGenerativeAI({ apiKey: 'none', fetch: answering(stream) }).interactions(
      'gemini',
    );
    const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'x' }] }];
    const inputs: string[] = [];
    for await (const part of (await model.doStream({ prompt })).stream)
      if (part.type === 'tool-call') inputs.push(part.input);
    return inputs;
  }

  test('is the same to it where it passes over none', async () => {
    const stream = around(args(',"note":5'));
    expect(await byAiSdk(stream)).toEqual(['{"amount":5,"note":50000}']);
    expect(readStream(gemini, operation, stream).defects).toEqual([]);
  });

  test.each([
    [
      'under the name of the first revision',
      delta(1, { type: 'arguments_delta', partial_arguments: ',"note":5' }),
    ],
    ['in an event of the first revision', { ...args(',"note":5'), event_type: 'content.delta' }],
  ])('has a defect: %s', async (_what, event) => {
    const stream = around(event);
    expect(await byAiSdk(stream)).toEqual(['{"amount":50000}']);
    expect(readStream(gemini, operation, stream).defects).toEqual([
      'some clients pass over a piece of a tool call',
    ]);
  });

  test('has a defect where that comes after its end', async () => {
    const stream = written(created, start(1, call), stop(1), args('{"amount":50000}'), completed);
    expect(await byAiSdk(stream)).toEqual(['{}']);
    expect(readStream(gemini, operation, stream).defects).toEqual(['a step goes on after its end']);
  });
});

describe('the SDK', () => {
  async function eventsOf(body: string) {
    served.answerWith(200, 'text/event-stream', body);
    const seen: { readonly event_type: string; readonly error?: unknown }[] = [];
    const stream = await client().interactions.create({
      model: 'gemini-2.5-flash',
      input: 'Hi',
      stream: true,
    });
    for await (const event of stream) seen.push(event);
    return seen;
  }

  test('reads on behind a comment', async () => {
    const filler = gemini.filler?.(operation, 'sse') ?? '';
    const seen = await eventsOf(written(...said) + filler + written(...asked, completed));
    expect(seen.map((event) => event.event_type)).toEqual(
      [...said, ...asked, completed].map((event) => event.event_type),
    );
  });

  test('hands an in-band error on, and nothing after it', async () => {
    const error = gemini.errorEvent(operation, 'sse', 'denied_by_reviewer', 'No.');
    const seen = await eventsOf(written(...said) + error);
    expect(seen.at(-1)).toMatchObject({ event_type: 'error', error: { code: 'denied_by_reviewer' } });
  });

  test('raises a refusal with its status', async () => {
    served.answerWith(
      403,
      'application/json',
      gemini.errorBody('interactions', 'denied_by_policy', 403, 'No.'),
    );
    const asked403 = client().interactions.create({ model: 'gemini-2.5-flash', input: 'Hi' });
    await expect(asked403).rejects.toMatchObject({ status: 403 });
  });
});

describe('an amendment', () => {
  const amend = (original: string, streaming: boolean, amendment: Amendment) =>
    amendAnswer(gemini, operation, Buffer.from(original), streaming ? 'sse' : null, amendment).toString();
  const both = { text: 'fine', toolCalls: [{ id: 'c1', arguments: { n: 10 } }] };

  test('of a stream is read back with nothing of the old', () => {
    const amended = amend(whole, true, both);
    expect(readStream(gemini, operation, amended).facts).toMatchObject({
      text: 'fine',
      toolCalls: [{ id: 'c1', name: 'pay', arguments: { n: 10 } }],
    });
    expect(amended).not.toMatch(/25000|"sec"|annotations/);
  });

  test('of a stream leaves the events it does not mean as they were', () => {
    const amended = amend(whole, true, { toolCalls: both.toolCalls });
    expect(amended.startsWith(written(...said.slice(0, 2)))).toBe(true);
    expect(amended).toContain(written(asked[0] ?? created));
  });

  test('of a call without any arguments gives it some', () => {
    const bare = written(...said, start(1, call), stop(1), completed);
    const { facts } = readStream(gemini, operation, amend(bare, true, both));
    expect(facts.toolCalls).toMatchObject([{ arguments: { n: 10 } }]);
  });

  test('of a whole answer changes what it means alone', () => {
    const body = JSON.stringify({
      id: 'v1',
      steps: [
        { type: 'thought', signature: 's' },
        {
          type: 'model_output',
          content: [
            { type: 'text', text: 'sec' },
            { type: 'text', text: 'ret' },
          ],
        },
        { ...call, arguments: { n: 25000 } },
      ],
    });
    expect(amend(body, false, both)).toBe(
      body.replace('"sec"', '"fine"').replace('"ret"', '""').replace('25000', '10'),
    );
  });

  test('does not reach what Google’s own tools did', () => {
    const body = JSON.stringify({
      steps: [{ type: 'code_execution_call', id: 'x', arguments: { code: '1' } }],
    });
    const amendment = { toolCalls: [{ id: 'x', arguments: { code: '2' } }] };
    expect(() => amend(body, false, amendment)).toThrow(HoldpointError);
  });
});
