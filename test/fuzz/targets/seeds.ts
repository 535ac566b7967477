/** What to begin with: every documented path, every transcript, and requests that hold a little of everything. */
import type { ProtocolName } from '../../../src/core/protocol-name.ts';
import type { Protocol } from '../../../src/provider/protocol.ts';
import { type Transcript, transcripts } from '../../support/transcripts.ts';
import { writeMessage } from './message.ts';

const paths = [
  ...['/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/messages', '/v1/complete'],
  ...['/v1/messages/batches', '/v1/files', '/v1/uploads/u/parts', '/v1/embeddings', '/v1/moderations'],
  ...['/v1/images/edits', '/v1/audio/speech', '/v1/audio/transcriptions', '/v1/videos', '/v1/threads'],
  ...['/v1/threads/t/messages', '/v1/threads/t/runs', '/v1/conversations', '/v1/realtime/client_secrets'],
  ...['/v1/agents/sessions', '/v1/fine_tuning/jobs', '/v1/vector_stores/vs/search', '/v1/assistants'],
  ...['/v1/ocr', '/v1/fim/completions', '/v1/agents/completions', '/v2/chat', '/v1/chat', '/v1/generate'],
  ...['/v2/rerank', '/v2/embed', '/v1/classify', '/api/chat', '/api/generate', '/api/embed'],
  ...['/v1beta/models/m:generateContent', '/v1beta/models/m:streamGenerateContent', '/v1beta/interactions'],
  ...['/v1beta/models/m:predict', '/v1beta/models/m:batchGenerateContent', '/v1beta/cachedContents'],
  ...['/model/m/converse', '/model/m/converse-stream', '/model/m/invoke', '/async-invoke'],
  ...['/model/m/invoke-with-response-stream', '/guardrail/g/version/1/apply', '/model/m/count-tokens'],
  ...['/v1/projects/p/locations/l/publishers/google/models/m:generateContent'],
  ...['/v1/projects/p/locations/l/publishers/anthropic/models/m:rawPredict'],
  ...[
    '/v1/projects/p/locations/l/endpoints/openapi/chat/completions',
    '/openai/deployments/d/chat/completions',
  ],
  ...['/v1/batches', '/v1/batches/b/requests', '/v1/evals/e/runs', '/v2/batches', '/v1/batch/jobs'],
  ...['/invocations', '/generate'],
  ...['/v1beta/batches/b:updateGenerateContentBatch', '/v1/projects/p/locations/l/batchPredictionJobs'],
  ...['/model-invocation-job', '/flows/f/aliases/a', '/knowledgebases/k/retrieve', '/runtimes/r/invocations'],
];
const readPaths = [
  ...['/v1/chat/completions', '/v1/responses/r', '/v1/responses/r/input_items', '/v1/files/f/content'],
  ...['/v1/messages/batches/b/results', '/v1/threads/t/messages', '/v1/threads/t/runs/r/steps'],
  ...[
    '/v1/conversations/c/items',
    '/v1beta/batches/b',
    '/v1/agents/sessions/s/events',
    '/v1beta/interactions/i',
  ],
  ...['/v1/batches/b', '/v1/batches/b/results', '/v1beta/batches', '/v1/batch/jobs/j'],
];

let read: readonly Transcript[] | undefined;
const allTranscripts = (): readonly Transcript[] => {
  read ??= transcripts();
  return read;
};

/** Calls whose meaning the family knows. */
export function knownCalls(
  protocol: Protocol,
): readonly { method: string; path: string; operation: string }[] {
  const all = [
    ...paths.map((path) => ({ method: 'POST', path })),
    ...readPaths.map((path) => ({ method: 'GET', path })),
  ];
  return all
    .map(({ method, path }) => ({ method, path, operation: protocol.operationOf(method, path) }))
    .filter(({ operation }) => operation !== 'unknown');
}

const call = {
  id: 'call_1',
  type: 'function',
  function: { name: 'transfer_funds', arguments: '{"amount":25000}' },
};

const wholes: readonly unknown[] = [
  { choices: [{ index: 0, message: { content: 'x', tool_calls: [call] }, finish_reason: 'tool_calls' }] },
  { choices: [{ index: 0, message: { content: null, function_call: call.function } }] },
  {
    output: [{ type: 'function_call', call_id: 'c', name: 'transfer_funds', arguments: '{}' }],
    status: 'completed',
  },
  {
    type: 'message',
    role: 'assistant',
    content: [{ type: 'tool_use', id: 't', name: 'transfer_funds', input: {} }],
  },
  {
    candidates: [
      { content: { parts: [{ functionCall: { name: 'transfer_funds', args: {} } }] }, finishReason: 'STOP' },
    ],
  },
  {
    data: [
      {
        id: 'm',
        content: [{ type: 'text', text: { value: 'x' } }],
        required_action: { submit_tool_outputs: { tool_calls: [call] } },
      },
    ],
  },
  {
    text: 'x',
    tool_calls: [{ name: 'transfer_funds', parameters: { amount: 1 } }],
    finish_reason: 'COMPLETE',
  },
  {
    message: {
      role: 'assistant',
      content: '',
      tool_calls: [{ function: { name: 'transfer_funds', arguments: {} } }],
    },
    done: true,
  },
];

const batchLine = (body: unknown) =>
  `${JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body })}\n`;
const batchPage = (body: unknown) =>
  JSON.stringify({
    results: [
      { batch_request_id: 'a', batch_result: { response: { chat_get_completion: body } } },
      { custom_id: 'b', response: { status_code: 200, body }, error: null },
    ],
    operations: [{ response: { inlinedResponses: { inlinedResponses: [{ response: body }] } } }],
  });
const batchResult = (body: unknown) =>
  `${JSON.stringify({ id: 'b', custom_id: 'a', response: { status_code: 200, body }, error: null, result: { type: 'succeeded', message: body } })}\n`;

const contentTypes = [
  'application/json',
  'text/event-stream',
  'application/x-ndjson',
  'application/vnd.amazon.eventstream',
];

/** Answers: each transcript to each call that the family knows, in its own form and in the others. */
export function* answerSeeds(name: ProtocolName, protocol: Protocol): Generator<Buffer> {
  const status = 200;
  const own = allTranscripts().filter(({ family }) => family === name);
  for (const { method, path, contentType, bytes } of own)
    yield writeMessage({ method, path, status, contentType, body: bytes });
  for (const { method, path } of knownCalls(protocol)) {
    for (const { contentType, bytes } of allTranscripts())
      yield writeMessage({ method, path, status, contentType, body: bytes });
    for (const value of wholes) {
      const text = JSON.stringify(value);
      const bodies = [
        text,
        `data: ${text}\n\ndata: [DONE]\n\n`,
        `${text}\n`,
        batchResult(value),
        batchPage(value),
      ];
      for (const [i, body] of bodies.entries())
        yield writeMessage({
          method,
          path,
          status,
          contentType: contentTypes[i] ?? 'application/json',
          body: Buffer.from(body),
        });
    }
    yield writeMessage({
      method,
      path,
      status: 429,
      contentType: 'application/json',
      body: Buffer.from('{"error":{}}'),
    });
  }
}

const tool = { name: 'transfer_funds', description: 'moves money', parameters: {}, input_schema: {} };
const requests: readonly unknown[] = [
  {
    name: 'b',
    endpoint: '/v1/chat/completions',
    input_file_id: 'f',
    batch_requests: [
      { batch_request_id: 'a', batch_request: { chat_get_completion: { model: 'm', messages: [] } } },
      { batch_request: { responses: { model: 'm', input: 'hello' } } },
    ],
    requests: [{ custom_id: 'a', body: { model: 'm', messages: [{ role: 'user', content: 'hello' }] } }],
    inputConfig: {
      gcsSource: { uris: ['gs://b/f'] },
      requests: { requests: [{ request: { contents: [] } }] },
    },
    inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://b/f' } },
  },
  {
    model: 'm',
    stream: true,
    temperature: 0,
    system: 'be brief',
    messages: [
      { role: 'system', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'hello' },
          { type: 'image_url', image_url: { url: 'x' } },
        ],
      },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'n', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'done' }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'done' },
    ],
    tools: [{ type: 'function', function: tool }, tool],
  },
  {
    model: 'm',
    instructions: 'be brief',
    input: [{ role: 'user', content: [{ type: 'input_text', text: 'hello' }] }],
    tools: [{ type: 'function', ...tool }],
  },
  {
    model: 'm',
    prompt: ['one', 'two'],
    suffix: 'three',
    input: 'four',
    message: 'five',
    query: 'six',
    preamble: 'p',
    chat_history: [{ role: 'USER', message: 'x' }],
  },
  {
    systemInstruction: { parts: [{ text: 'be brief' }] },
    contents: [
      { role: 'user', parts: [{ text: 'hello' }, { functionResponse: { name: 'n', response: {} } }] },
    ],
    tools: [{ functionDeclarations: [tool] }],
    generationConfig: { temperature: 0 },
  },
  {
    system: [{ text: 'be brief' }],
    messages: [{ role: 'user', content: [{ text: 'hello' }] }],
    toolConfig: { tools: [{ toolSpec: tool }] },
  },
  { requests: [{ custom_id: 'a', params: { model: 'm', messages: [{ role: 'user', content: 'x' }] } }] },
];

const form = (...parts: readonly string[]) => `--b\r\n${parts.join('\r\n--b\r\n')}\r\n--b--\r\n`;
const field = (name: string, value: string, file = '') =>
  `Content-Disposition: form-data; name="${name}"${file === '' ? '' : `; filename="${file}"`}\r\n\r\n${value}`;

/** Forms, one of them an upload of a batch. */
export const forms: readonly string[] = [
  form(field('model', 'm'), field('prompt', 'hello'), field('file', 'RIFF', 'a.wav')),
  form(field('purpose', 'batch'), field('file', batchLine(requests[0]), 'batch.jsonl')),
];

/** Requests: each of them to each call that the family knows. */
export function* requestSeeds(protocol: Protocol): Generator<Buffer> {
  for (const { method, path } of knownCalls(protocol)) {
    for (const value of requests)
      yield writeMessage({
        method,
        path,
        status: 200,
        contentType: 'application/json',
        body: Buffer.from(JSON.stringify(value)),
      });
    for (const text of forms)
      yield writeMessage({
        method,
        path,
        status: 200,
        contentType: 'multipart/form-data;boundary=b',
        body: Buffer.from(text),
      });
  }
}
