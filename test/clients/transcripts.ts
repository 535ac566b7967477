/**
 * What providers document where the mock is silent or says it otherwise: refusals, errors within a stream,
 * and whole streams, each in the form of its family.
 */
import { type ReceivedRequest, wholeAnswer } from '../support/raw-upstream.ts';
import { amazonFrame } from './amazon-stream.ts';
import { cohereV1Failure } from './cohere-streams.ts';
import { pieces, type Said, sse } from './said.ts';

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
    path: /\/v1\/chat$/,
    refusal: () => ({ body: { message } }),
    inBandError: `${JSON.stringify(cohereV1Failure(message))}\n`,
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
  const separator = /ndjson|stream\+json/.test(contentType) ? '\n' : '\n\n';
  return body.subarray(0, body.lastIndexOf(separator, half) + separator.length);
}

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
