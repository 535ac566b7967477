/**
 * What providers document where the mock is silent or says it otherwise: refusals, errors within a stream,
 * and whole streams, each in the form of its family.
 */
import { type ReceivedRequest, wholeAnswer } from '../support/raw-upstream.ts';
import { amazonFrame } from './amazon-stream.ts';

interface Family {
  /** What the paths of its requests have in common. */
  readonly path: RegExp;
  /** What their bodies have, where the path alone does not tell. */
  readonly body?: RegExp;
  /** Body and further headers of a refusal. */
  refusal(status: number): { readonly body: unknown; readonly headers?: readonly string[] };
  /** The error that ends a stream which has begun with 200; null where the provider documents none. */
  readonly inBandError: string | Buffer | null;
}

const message = 'The provider’s own words.';
const sse = (data: unknown, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;

const openaiRefusal = (status: number) => ({
  body: {
    error: { message, type: status === 429 ? 'rate_limit_error' : 'server_error', param: null, code: null },
  },
  headers: ['x-request-id: req_1'],
});

const googleStatus = new Map([
  [400, 'INVALID_ARGUMENT'],
  [429, 'RESOURCE_EXHAUSTED'],
]);
const amazonException = new Map([
  [400, 'ValidationException'],
  [429, 'ThrottlingException'],
]);

/** Families whose documentation has no error within a stream. */
export const withoutInBandError: ReadonlySet<string> = new Set(['mistral']);

/** Families whose model announces its tool calls in words of their own. */
export const announcing: ReadonlySet<string> = new Set(['cohere']);

const families: readonly Family[] = [
  {
    path: /\/v1\/chat\/completions$/,
    body: /"model":"mistral/,
    refusal: (status) => ({
      body: { object: 'error', message, type: 'invalid_request_error', param: null, code: String(status) },
    }),
    inBandError: null,
  },
  {
    path: /\/chat\/completions$/,
    refusal: openaiRefusal,
    inBandError: sse({ error: { message, type: 'server_error', param: null, code: 'server_error' } }),
  },
  {
    path: /\/responses$/,
    refusal: openaiRefusal,
    inBandError: sse(
      { type: 'error', code: 'server_error', message, param: null, sequence_number: 9 },
      'error',
    ),
  },
  {
    path: /\/v1\/messages$/,
    refusal: (status) => ({
      body: { type: 'error', error: { type: status === 429 ? 'rate_limit_error' : 'api_error', message } },
      headers: ['request-id: req_1'],
    }),
    inBandError: sse({ type: 'error', error: { type: 'overloaded_error', message } }, 'error'),
  },
  {
    path: /\/models\/[^/]+:(stream)?generateContent$/i,
    refusal: (code) => ({
      body: { error: { code, message, status: googleStatus.get(code) ?? 'INTERNAL' } },
    }),
    inBandError: sse({ error: { code: 503, message, status: 'UNAVAILABLE' } }),
  },
  {
    path: /\/model\/[^/]+\/(converse(-stream)?|invoke(-with-response-stream)?)$/,
    refusal: (status) => ({
      body: { message },
      headers: [`x-amzn-ErrorType: ${amazonException.get(status) ?? 'InternalServerException'}`],
    }),
    inBandError: amazonFrame(
      {
        ':message-type': 'exception',
        ':exception-type': 'modelStreamErrorException',
        ':content-type': 'application/json',
      },
      JSON.stringify({ message, originalStatusCode: 500, originalMessage: message }),
    ),
  },
  {
    path: /\/api\/chat$/,
    refusal: () => ({ body: { error: message } }),
    inBandError: `${JSON.stringify({ error: message })}\n`,
  },
  {
    path: /\/v2\/chat$/,
    refusal: () => ({ body: { id: 'err-1', message } }),
    inBandError: sse(
      { type: 'message-end', delta: { finish_reason: 'ERROR', error: message } },
      'message-end',
    ),
  },
];

function familyOf({ target, body }: ReceivedRequest): Family {
  const path = target.split('?', 1)[0] ?? '';
  const text = body.toString();
  const family = families.find((each) => each.path.test(path) && (each.body?.test(text) ?? true));
  if (family === undefined) throw new Error(`No transcripts for ${path}`);
  return family;
}

const reasons = new Map([
  [400, 'Bad Request'],
  [429, 'Too Many Requests'],
  [500, 'Internal Server Error'],
]);

/** A whole refusal in the form of the family that was asked. */
export function refusalOf(request: ReceivedRequest, status: number): Buffer {
  const { body, headers = [] } = familyOf(request).refusal(status);
  const lines = ['Content-Type: application/json', ...headers];
  return wholeAnswer(`${status} ${reasons.get(status) ?? 'Error'}`, lines, JSON.stringify(body));
}

/** The event that ends a stream in an error; null where none is documented. */
export function inBandErrorOf(request: ReceivedRequest): string | Buffer | null {
  return familyOf(request).inBandError;
}

/** About half of a stream, cut between two of its events. */
export function cutOf(body: Buffer, contentType: string): Buffer {
  const half = Math.floor(body.length / 2);
  if (contentType.includes('vnd.amazon.eventstream')) {
    let end = 0;
    // A frame begins with its length.
    while (end < half) end += Math.max(1, body.readUInt32BE(end));
    return body.subarray(0, end);
  }
  const separator = contentType.includes('ndjson') ? '\n' : '\n\n';
  return body.subarray(0, body.lastIndexOf(separator, half) + separator.length);
}

export interface Said {
  readonly content: string;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
  };
}

const pieces = (text: string): readonly string[] => text.match(/.{1,7}/gsu) ?? [];

/** A stream of Mistral's chat: a tool call comes whole in one chunk, and the last chunk tells the usage. */
export function mistralStream({ content, toolCalls, usage }: Said): string {
  const frame = {
    id: 'cmpl-1',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'mistral-large-latest',
  };
  const chunkOf = (delta: unknown, finish_reason: string | null = null, more = {}) =>
    sse({ ...frame, choices: [{ index: 0, delta, finish_reason }], ...more });
  const calls = toolCalls.map((call, index) => ({
    id: call.id,
    function: { name: call.name, arguments: call.arguments },
    index,
  }));
  return [
    chunkOf({ role: 'assistant', content: '' }),
    ...pieces(content).map((piece) => chunkOf({ content: piece })),
    calls.length === 0
      ? chunkOf({ content: '' }, 'stop', { usage })
      : chunkOf({ content: '', tool_calls: calls }, 'tool_calls', { usage }),
    'data: [DONE]\n\n',
  ].join('');
}

/** A stream of Cohere's chat, version 2: tool calls come one after the other, behind a plan in words. */
export function cohereStream({ content, toolCalls, usage }: Said): string {
  const tokens = { input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens };
  const textOf = (text: string, more = {}) => ({ message: { content: { ...more, text } } });
  const callOf = (tool_calls: unknown) => ({ message: { tool_calls } });
  const opening = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] };
  const plan = toolCalls.length === 0 ? '' : content || 'I will transfer what was asked for.';
  const finish_reason = toolCalls.length === 0 ? 'COMPLETE' : 'TOOL_CALL';
  const said =
    toolCalls.length > 0
      ? []
      : [
          { type: 'content-start', index: 0, delta: textOf('', { type: 'text' }) },
          ...pieces(content).map((piece) => ({ type: 'content-delta', index: 0, delta: textOf(piece) })),
          { type: 'content-end', index: 0 },
        ];
  return [
    { type: 'message-start', id: 'msg-1', delta: { message: opening } },
    ...pieces(plan).map((tool_plan) => ({ type: 'tool-plan-delta', delta: { message: { tool_plan } } })),
    ...said,
    ...toolCalls.flatMap(({ id, name, arguments: args }, index) => [
      {
        type: 'tool-call-start',
        index,
        delta: callOf({ id, type: 'function', function: { name, arguments: '' } }),
      },
      ...pieces(args).map((piece) => ({
        type: 'tool-call-delta',
        index,
        delta: callOf({ function: { arguments: piece } }),
      })),
      { type: 'tool-call-end', index },
    ]),
    { type: 'message-end', delta: { finish_reason, usage: { billed_units: tokens, tokens } } },
  ]
    .map((event) => sse(event, event.type))
    .join('');
}
