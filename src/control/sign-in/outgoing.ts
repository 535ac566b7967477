/**
 * How the control port asks others: an OpenID provider, the cluster's API. One request on a connection of its own, one
 * JSON answer, bounded in time and bytes; no redirect is followed and nothing is kept between two.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { HoldpointError, messageOf } from '../../core/errors.ts';

const answerMsMax = 10_000;
const answerBytesMax = 512 * 1024;

export interface Outgoing {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The authorities of the other end in PEM, where they are others than Node's. */
  readonly ca?: string | undefined;
}

export interface OutgoingAnswer {
  readonly status: number;
  /** Not looked at yet; null where it is no JSON. */
  readonly json: unknown;
}

/** Rejects with `sign_in_unavailable` when there is no answer within the bounds. */
export async function ask({ method, url, headers, body, ca }: Outgoing): Promise<OutgoingAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<OutgoingAnswer>();
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(
    url,
    {
      method,
      agent: false,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        connection: 'close',
        'user-agent': 'holdpoint',
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
        ...headers,
      },
      signal: AbortSignal.timeout(answerMsMax),
      ...(ca === undefined ? {} : { ca }),
    },
    (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > answerBytesMax)
          request.destroy(new Error(`its answer is longer than ${answerBytesMax} bytes`));
        else chunks.push(chunk);
      });
      answer.once('end', () => {
        resolve({ status: answer.statusCode ?? 0, json: jsonIn(Buffer.concat(chunks).toString('utf8')) });
      });
      answer.once('error', reject);
      answer.once('close', () => reject(new Error('its answer was cut off')));
    },
  );
  request.once('error', reject);
  request.end(body);
  try {
    return await promise;
  } catch (error) {
    throw unavailable(`${url.host} gave no answer: ${messageOf(error)}.`, error);
  }
}

/** Nobody is let in on what could not be asked. */
export function unavailable(message: string, cause?: unknown): HoldpointError {
  return new HoldpointError('sign_in_unavailable', message, 'Try again later, or use a token.', cause);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
