/** A client made of bytes: sends exactly what a test says and keeps exactly what came back, and how it ended. */
import { connect } from 'node:net';
import { atEnd } from './endings.ts';

export interface RawClient {
  send(bytes: string | Buffer): void;
  /** Everything received so far. */
  received(): Buffer;
  text(): string;
  /** Resolves once the received bytes contain the text. Rejects when the connection ends before. */
  until(text: string): Promise<void>;
  /** The first whole answer. Rejects when the connection ends before. */
  answer(): Promise<ParsedAnswer>;
  /** Ends this side in order. */
  end(): void;
  /** Leaves without a word. */
  destroy(): void;
  /** How the other side ended the connection: in order, or not. */
  readonly ended: Promise<'end' | 'error'>;
}

/** Connects to the host and port of a URL. */
export async function connectRaw(url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const connected = Promise.withResolvers<void>();
  socket.once('connect', connected.resolve);
  const ended = Promise.withResolvers<'end' | 'error'>();
  const waiting = new Set<() => void>();
  let bytes = Buffer.alloc(0);
  let over = false;
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (const look of waiting) look();
  });
  socket.once('end', () => ended.resolve('end'));
  socket.once('error', (error) => {
    connected.reject(error);
    ended.resolve('error');
  });
  socket.once('close', () => {
    over = true;
    ended.resolve('error');
    for (const look of waiting) look();
  });
  function found<T>(what: string, find: (received: Buffer) => T | null): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = (): void => {
      const value = find(bytes);
      if (value !== null) resolve(value);
      else if (over) reject(new Error(`The connection ended before ${what}: ${bytes.toString('latin1')}`));
      else return;
      waiting.delete(look);
    };
    waiting.add(look);
    look();
    return promise;
  }
  atEnd(() => {
    socket.destroy();
  });
  await connected.promise;
  return {
    send: (out) => socket.write(out),
    received: () => bytes,
    text: () => bytes.toString('latin1'),
    until: async (text) => {
      await found(text, (received) => (received.includes(text) ? true : null));
    },
    answer: () => found('a whole answer', parseAnswer),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
    ended: ended.promise,
  };
}

/** One request with a body, as bytes. */
export function rawRequest(method: string, target: string, headers: readonly string[], body = ''): string {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: sidecar', ...headers];
  if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export interface ParsedAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

/** The first answer in the bytes, its transfer coding undone; null while it is not whole. */
export function parseAnswer(bytes: Buffer): ParsedAnswer | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = bytes.toString('latin1', 0, end);
  const status = Number(head.split(' ', 2)[1]);
  const rest = bytes.subarray(end + 4);
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const body = unchunked(rest);
    return body === null ? null : { status, head, body };
  }
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return rest.length < length ? null : { status, head, body: rest.subarray(0, length) };
}

function unchunked(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  let offset = 0;
  for (;;) {
    const line = bytes.indexOf('\r\n', offset);
    if (line === -1) return null;
    const size = Number.parseInt(bytes.toString('latin1', offset, line), 16);
    offset = line + 2;
    if (bytes.length < offset + size + 2) return null;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(offset, offset + size));
    offset += size + 2;
  }
}

/** Sends one request on a connection of its own and resolves with the whole answer. */
export async function exchange(url: string, request: string | Buffer): Promise<ParsedAnswer> {
  const client = await connectRaw(url);
  client.send(request);
  try {
    return await client.answer();
  } finally {
    client.destroy();
  }
}
