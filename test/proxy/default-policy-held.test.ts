/**
 * The default policy over the APIs that only one kind of server has: a call that deletes waits for a person,
 * whole and streamed, and not a byte of it goes out before.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import {
  blockStop,
  callDelta,
  callStart,
  converseFrames,
  frame,
  messageStart,
  messageStop,
} from '../unit/provider/bedrock/written.ts';
import { events, typedEvents } from '../unit/provider/streams.ts';

/** With the agents that the cases ask by their ids on the list. */
const policy = readFileSync(new URL('../../config/policy.yaml', import.meta.url), 'utf8').replace(
  ') && !(',
  () => ") && !(\n        re2(request.model, r'^(agents/a|reasoningengines/\\d+)$') ||",
);
const mounts = {
  openai: '/openai',
  mistral: '/mistral',
  gemini: '/google',
  anthropic: '/anthropic',
  vertex: '/vertex',
  bedrock: '/bedrock',
} satisfies Partial<Record<ProtocolName, string>>;
const model = 'gpt-4o';
const tool = 'delete_customer';
const args = { id: 7 };

interface Case {
  readonly name: string;
  readonly family: keyof typeof mounts;
  readonly method?: string;
  readonly path: string;
  readonly asked: unknown;
  readonly type: string;
  readonly answer: string | Buffer;
}

const json = 'application/json';
const sse = 'text/event-stream';

const lmStudio = {
  model_instance_id: model,
  output: [
    { type: 'tool_call', tool, arguments: args, output: 'gone' },
    { type: 'message', content: 'Done.' },
  ],
  stats: { input_tokens: 1, total_output_tokens: 1 },
};

const mistralAnswer = {
  object: 'chat.completion',
  model,
  choices: [
    {
      index: 0,
      message: { role: 'assistant', tool_calls: [{ id: 'a', function: { name: tool, arguments: '{}' } }] },
    },
  ],
};
const mistralLine = { custom_id: '0', response: { status_code: 200, body: mistralAnswer }, error: null };
const geminiAnswer = {
  candidates: [{ content: { parts: [{ functionCall: { name: tool, args } }] }, index: 0 }],
};

const engine = '/v1/projects/p/locations/l/reasoningEngines/7';
const agentEvent = {
  author: 'agent',
  content: { parts: [{ function_call: { id: 'f1', name: tool, args } }] },
};

const handedBack = {
  invocationId: 'i1',
  invocationInputs: [
    {
      functionInvocationInput: {
        actionGroup: 'crm',
        function: tool,
        parameters: [{ name: 'id', type: 'integer', value: '7' }],
      },
    },
  ],
};

const chatCall = { index: 0, id: 'a', type: 'function', function: { name: tool, arguments: '{"id":7}' } };
const item = { type: 'function_call', id: 'i', call_id: 'a', name: tool, arguments: '{"id":7}' };
const response = { object: 'response', status: 'completed', model, output: [item] };
const container = '/v1/projects/p/locations/l/endpoints/7';

/** What is served beside the API that a server is set up as. */
const besides: readonly Case[] = [
  {
    name: 'OpenAI’s chat completions at Anthropic',
    family: 'anthropic',
    path: '/v1/chat/completions',
    asked: { model, messages: [{ role: 'user', content: 'Go.' }] },
    type: json,
    answer: JSON.stringify({ model, choices: [{ index: 0, message: { tool_calls: [chatCall] } }] }),
  },
  {
    name: 'OpenAI’s chat completions at Anthropic, streamed',
    family: 'anthropic',
    path: '/v1/chat/completions',
    asked: { model, messages: [{ role: 'user', content: 'Go.' }], stream: true },
    type: sse,
    answer: events(
      { model, choices: [{ index: 0, delta: { content: 'Hm.' } }] },
      { model, choices: [{ index: 0, delta: { tool_calls: [chatCall] }, finish_reason: 'tool_calls' }] },
      'data: [DONE]\n\n',
    ),
  },
  {
    name: 'Gemini at a gateway',
    family: 'openai',
    path: `/v1beta/models/${model}:generateContent`,
    asked: { contents: [{ parts: [{ text: 'Go.' }] }] },
    type: json,
    answer: JSON.stringify(geminiAnswer),
  },
  {
    name: 'what Gemini Code Assist wraps',
    family: 'gemini',
    path: '/v1internal:streamGenerateContent?alt=sse',
    asked: { model, request: { contents: [{ parts: [{ text: 'Go.' }] }] } },
    type: sse,
    answer: events(
      { response: { candidates: [{ content: { parts: [{ text: 'Hm.' }] } }] }, traceId: 't' },
      { response: { candidates: [{ ...geminiAnswer.candidates[0], finishReason: 'STOP' }] }, traceId: 't' },
    ),
  },
  {
    name: 'a container of Vertex AI’s behind invoke',
    family: 'vertex',
    path: `${container}/invoke/v1/responses`,
    asked: { model, input: 'Go.' },
    type: json,
    answer: JSON.stringify(response),
  },
  {
    name: 'a container of Vertex AI’s on a path of its own',
    family: 'vertex',
    path: `${container}/invoke/ask`,
    asked: { question: 'Go.' },
    type: json,
    answer: JSON.stringify({ said: [item] }),
  },
  {
    name: 'an agent by the Agent2Agent protocol',
    family: 'vertex',
    path: `${engine}/a2a/v1/message:send`,
    asked: { request: { content: [{ text: 'Go.' }] } },
    type: json,
    answer: JSON.stringify({
      task: {
        artifacts: [{ parts: [{ data: { name: tool, args }, metadata: { adk_type: 'function_call' } }] }],
      },
    }),
  },
  {
    name: 'what a harness leaves to the workload',
    family: 'bedrock',
    path: '/harnesses/invoke',
    asked: {
      model: { bedrockModelConfig: { modelId: model } },
      messages: [{ role: 'user', content: [{ text: 'Go.' }] }],
    },
    type: 'application/vnd.amazon.eventstream',
    answer: converseFrames(
      messageStart,
      callStart(0, 'a', tool),
      callDelta(0, '{"id":7}'),
      blockStop(0),
      messageStop('tool_use'),
    ),
  },
  {
    name: 'Perplexity’s own name for a response',
    family: 'openai',
    path: '/v1/agent',
    asked: { model, input: 'Go.' },
    type: json,
    answer: JSON.stringify(response),
  },
];

const cases: readonly Case[] = [
  ...besides,
  {
    name: 'what an agent of Bedrock’s hands back',
    family: 'bedrock',
    path: '/agents/A/agentAliases/B/sessions/s1/text',
    asked: { inputText: 'Go.' },
    type: 'application/vnd.amazon.eventstream',
    answer: Buffer.concat([
      frame('chunk', { bytes: Buffer.from('Hm.').toString('base64') }),
      frame('returnControl', handedBack),
    ]),
  },
  {
    name: 'an answer of a reasoning engine',
    family: 'vertex',
    path: `${engine}:query`,
    asked: { input: { message: 'Go.' } },
    type: json,
    answer: JSON.stringify({ output: agentEvent }),
  },
  {
    name: 'an answer of a reasoning engine, line by line',
    family: 'vertex',
    path: `${engine}:streamQuery`,
    asked: { input: { message: 'Go.' } },
    type: json,
    answer: `${JSON.stringify({ content: { parts: [{ text: 'Hm.' }] } })}\n${JSON.stringify(agentEvent)}\n`,
  },
  {
    name: 'an answer of a reasoning engine, as events',
    family: 'vertex',
    path: `${engine}:streamQuery`,
    asked: { input: { message: 'Go.' } },
    type: sse,
    answer: `data: ${JSON.stringify({ content: { parts: [{ text: 'Hm.' }] } })}\n\ndata: ${JSON.stringify(agentEvent)}\n\n`,
  },
  {
    name: 'the log of a session of Anthropic’s',
    family: 'anthropic',
    method: 'GET',
    path: '/v1/sessions/sesn_1/events',
    asked: null,
    type: json,
    answer: JSON.stringify({ data: [{ type: 'agent.custom_tool_use', id: 'e1', name: tool, input: args }] }),
  },
  {
    name: 'a file of Mistral’s answers',
    family: 'mistral',
    method: 'GET',
    path: '/v1/files/f_1/content',
    asked: null,
    type: 'application/octet-stream',
    answer: `${JSON.stringify(mistralLine)}\n`,
  },
  {
    name: 'a job of Mistral’s with its answers in it',
    family: 'mistral',
    method: 'GET',
    path: '/v1/batch/jobs/j_1',
    asked: null,
    type: json,
    answer: JSON.stringify({ id: 'j_1', status: 'SUCCESS', outputs: [mistralLine] }),
  },
  {
    name: 'a file of Gemini’s answers',
    family: 'gemini',
    method: 'GET',
    path: '/download/v1beta/files/abc:download',
    asked: null,
    type: 'application/jsonl',
    answer: `${JSON.stringify({ key: 'a', response: geminiAnswer })}\n`,
  },
  {
    name: 'LM Studio’s chat',
    family: 'openai',
    path: '/api/v1/chat',
    asked: { model, input: 'Go.' },
    type: json,
    answer: JSON.stringify(lmStudio),
  },
  {
    name: 'LM Studio’s chat, streamed',
    family: 'openai',
    path: '/api/v1/chat',
    asked: { model, input: 'Go.', stream: true },
    type: sse,
    answer: typedEvents(
      { type: 'chat.start', model_instance_id: model },
      { type: 'tool_call.start', tool },
      { type: 'tool_call.arguments', tool, arguments: args },
      { type: 'tool_call.result', tool, arguments: args, output: 'gone' },
      { type: 'message.delta', content: 'Done.' },
      { type: 'chat.end', result: lmStudio },
    ),
  },
];

let upstream: RawUpstream;
let sidecar: TestSidecar;

beforeAll(async () => {
  upstream = await startRawUpstream(() => undefined);
  const at = <Name extends keyof typeof mounts>(name: Name) => ({
    url: upstream.url,
    protocol: name,
    mount: mounts[name],
  });
  const upstreams = {
    openai: at('openai'),
    mistral: at('mistral'),
    gemini: at('gemini'),
    anthropic: at('anthropic'),
    vertex: at('vertex'),
    bedrock: at('bedrock'),
  };
  sidecar = await startTestSidecar({ policy, upstreams });
});
afterAll(endAll);

describe('a call that deletes', () => {
  test.each(cases)('is held, and released byte for byte: $name', async (one) => {
    const head = [`Content-Type: ${one.type}`];
    upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', head, one.answer)));
    const client = await connectRaw(sidecar.proxyUrl);
    const method = one.method ?? 'POST';
    const body = method === 'GET' ? '' : JSON.stringify(one.asked);
    client.send(rawRequest(method, mounts[one.family] + one.path, [], body));
    const hold = await sidecar.ada.nextHold();
    expect(client.text()).not.toContain(tool);
    expect(client.text()).not.toContain('gone');
    await sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await client.answer()).body).toEqual(Buffer.from(one.answer));
  });
});
