/**
 * One request to another server, on a connection of its own and by the way out that is configured. No redirect is followed
 * and nothing is kept between two.
 */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Egress } from './egress.ts';
import { request as httpRequest } from './node-http.ts';

export interface Question {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** The authorities of the other end in PEM, where they are others than Node's. */
  readonly ca?: string | undefined;
  /** Ends it, whatever has come by then. */
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly status: number;
  /** A field's value, its values joined where there are several; '' for none. `name` in lower case. */
  header(name: string): string;
  /** The body. Rejects when it is cut off, or longer than `bytesMax`. */
  read(bytesMax: number): Promise<Buffer>;
  /** Ends the connection without reading the body. */
  drop(): void;
}

/** Resolves with the head of the answer; rejects with what Node says when there is none. */
export function ask({ method, url, headers, body, ca, signal }: Question, egress: Egress): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const asking = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    method,
    agent: egress.agentFor(url.href) ?? false,
    headers: {
      'accept-encoding': 'identity',
      'user-agent': 'holdpoint',
      ...length,
      ...headers,
      connection: 'close',
    },
    signal,
    ...(ca === undefined ? {} : { ca }),
  });
  asking.once('response', (answer) => resolve(replyOf(answer)));
  asking.on('error', reject);
  // One that changes to another protocol unasked is dropped by Node without a word, and no signal ends it then.
  asking.once('close', () => reject(new Error('the connection was dropped')));
  asking.end(body);
  return promise;
}

function replyOf(answer: IncomingMessage): Reply {
  return {
    status: answer.statusCode ?? 0,
    header: (name) => [answer.headers[name] ?? []].flat().join(', '),
    read: async (bytesMax) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of answer) {
        const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
        bytes += piece.length;
        if (bytes > bytesMax) throw new Error(`its answer is longer than ${bytesMax} bytes`);
        chunks.push(piece);
      }
      return Buffer.concat(chunks);
    },
    drop: () => answer.destroy(),
  };
}
