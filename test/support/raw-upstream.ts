/**
 * An upstream made of bytes: answers exactly what a test scripts, when the test says so, and keeps exactly
 * what it received. Knows just enough of HTTP/1.1 to tell where a request ends.
 */
import { createServer, type Socket } from 'node:net';
import { atEnd } from './endings.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  /** Request line and header lines as they came, without the empty line. */
  readonly head: string;
  readonly body: Buffer;
}

export interface RawAnswer {
  /** Writes exactly these bytes. */
  send(bytes: string | Buffer): void;
  /** Closes in order, after what was sent. */
  end(): void;
  /** Breaks the connection off. */
  reset(): void;
  /** Resolves when the other side closes the connection. */
  readonly closed: Promise<void>;
}

export interface RawUpstream {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly ReceivedRequest[];
  /** Replaces what answers from now on. */
  script(answer: (request: ReceivedRequest, answer: RawAnswer) => Promise<void> | void): void;
  close(): Promise<void>;
}

/** Starts on a free port of loopback. */
export async function startRawUpstream(
  first: (request: ReceivedRequest, answer: RawAnswer) => Promise<void> | void,
): Promise<RawUpstream> {
  let script = first;
  const requests: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const closed = Promise.withResolvers<void>();
    socket.once('close', () => {
      sockets.delete(socket);
      closed.resolve();
    });
    // A reset by the other side is what some tests provoke; `closed` tells them.
    socket.on('error', () => socket.destroy());
    let unread = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      for (let taken = takeRequest(unread); taken !== null; taken = takeRequest(unread)) {
        unread = unread.subarray(taken.bytes);
        requests.push(taken.request);
        const answer: RawAnswer = {
          send: (bytes) => socket.write(bytes),
          end: () => socket.end(),
          reset: () => socket.resetAndDestroy(),
          closed: closed.promise,
        };
        Promise.resolve(script(taken.request, answer)).catch(() => socket.destroy());
      }
    });
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
    return promise;
  };
  atEnd(close);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    script: (next) => {
      script = next;
    },
    close,
  };
}

/** The first whole request in `bytes`, or null while it is not whole. */
function takeRequest(bytes: Buffer): { request: ReceivedRequest; bytes: number } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = bytes.toString('latin1', 0, end);
  const [method = '', target = ''] = head.split('\r\n', 1)[0]?.split(' ') ?? [];
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  if (bytes.length < end + 4 + length) return null;
  const body = Buffer.from(bytes.subarray(end + 4, end + 4 + length));
  return { request: { method, target, head, body }, bytes: end + 4 + length };
}

/** A whole answer with its length. */
export function wholeAnswer(status: string, headers: readonly string[], body: string | Buffer): Buffer {
  const lines = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${Buffer.byteLength(body)}`];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
}

/** The head of a chunked event stream. */
export const streamHead =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

/** One chunk of a chunked body; '' ends it. */
export function chunk(bytes: string | Buffer): Buffer {
  const body = Buffer.from(bytes);
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]);
}
