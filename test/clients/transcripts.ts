/**
 * What providers document for the moments that the mock does not play: refusals and errors within a stream,
 * in each family's own form.
 */
import { wholeAnswer } from '../support/raw-upstream.ts';

interface Family {
  /** What the paths of its requests have in common. */
  readonly path: RegExp;
  /** Body and further headers of a refusal. */
  refusal(status: number): { readonly body: unknown; readonly headers?: readonly string[] };
  /** The error that ends a stream which has begun with 200. */
  readonly inBandError: string | Buffer;
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

const families: readonly Family[] = [
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
    path: /\/messages$/,
    refusal: (status) => ({
      body: { type: 'error', error: { type: status === 429 ? 'rate_limit_error' : 'api_error', message } },
      headers: ['request-id: req_1'],
    }),
    inBandError: sse({ type: 'error', error: { type: 'overloaded_error', message } }, 'error'),
  },
];

function familyOf(target: string): Family {
  const path = target.split('?', 1)[0] ?? '';
  const family = families.find((candidate) => candidate.path.test(path));
  if (family === undefined) throw new Error(`No transcripts for ${path}`);
  return family;
}

const reasons = new Map([
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [429, 'Too Many Requests'],
  [500, 'Internal Server Error'],
]);

/** A whole refusal in the form of the family that this path belongs to. */
export function refusalOf(target: string, status: number): Buffer {
  const { body, headers = [] } = familyOf(target).refusal(status);
  const lines = ['Content-Type: application/json', ...headers];
  return wholeAnswer(`${status} ${reasons.get(status) ?? 'Error'}`, lines, JSON.stringify(body));
}

/** The event that ends a stream in an error. */
export function inBandErrorOf(target: string): string | Buffer {
  return familyOf(target).inBandError;
}

/** About half of a stream, cut between two of its events. */
export function cutOf(body: Buffer, contentType: string): Buffer {
  const half = Math.floor(body.length / 2);
  if (contentType.includes('vnd.amazon.eventstream')) {
    let end = 0;
    while (end < half) end += body.readUInt32BE(end);
    return body.subarray(0, end);
  }
  const separator = contentType.includes('ndjson') ? '\n' : '\n\n';
  return body.subarray(0, body.lastIndexOf(separator, half) + separator.length);
}
