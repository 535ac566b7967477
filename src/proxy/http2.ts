/**
 * HTTP/2 on the data plane's port, for SDKs that begin with it unasked (prior knowledge, RFC 9113 section 3.3),
 * as Amazon's do. Each stream becomes an HTTP/1.1 call over a connection in memory, so that every call takes the
 * same way; what follows here translates headers and endings and decides nothing.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { type Duplex, duplexPair, pipeline } from 'node:stream';
import { request } from '../core/node-http.ts';

export interface Http2Door {
  /**
   * Takes a connection at which node:http's parser gave up with this error, if that was for HTTP/2's preface,
   * and hands each of its streams to `serve` as a connection. False: it was for something else.
   */
  enter(socket: Duplex, error: Error, serve: (connection: Duplex) => void): boolean;
  /** Takes a connection that agreed on HTTP/2 in its TLS handshake, likewise. False: it agreed on something else. */
  enterAgreed(socket: Duplex, serve: (connection: Duplex) => void): boolean;
  /** Lets running streams end and takes no further ones. */
  close(): void;
  /** Cuts what is left. */
  destroy(): void;
}

/** What a client sends first (RFC 9113 section 3.4), and the code with which node:http's parser stops behind it. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const prefaceCode = 'HPE_PAUSED_H2_UPGRADE';

const concurrentStreamsMax = 128;
/** Mean something to one HTTP/1.1 connection and are errors in HTTP/2 (RFC 9113 section 8.2.2). */
const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** A door at which no connection may be idle for longer than `idleMsMax`. */
export function createHttp2Door(idleMsMax: number): Http2Door {
  const sessions = new Set<ServerHttp2Session>();
  function begin(socket: Duplex, serve: (connection: Duplex) => void): void {
    const settings = { maxConcurrentStreams: concurrentStreamsMax };
    // The provider's fields pass as it sent them, those that it repeats against its standard too.
    const session = performServerHandshake(socket, { settings, strictSingleValueFields: false });
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // A broken connection ends its streams, and each of them tells its call.
    session.on('error', () => session.destroy());
    session.setTimeout(idleMsMax, () => session.destroy());
    session.on('stream', (stream, headers, flags, rawHeaders) => {
      const hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
      carry(stream, headers, rawHeadersOf(headers, rawHeaders, hasBody), serve);
    });
  }
  return {
    enter: (socket, error, serve) => {
      const head = readBehindPreface(error);
      if (head === null) return false;
      release(socket);
      socket.unshift(Buffer.concat([preface, head]));
      begin(socket, serve);
      return true;
    },
    enterAgreed: (socket, serve) => {
      if (!('alpnProtocol' in socket) || socket.alpnProtocol !== 'h2') return false;
      // HTTP/2 has no half-open connections: the streams of one that ends have lost their caller.
      socket.once('end', () => socket.destroy());
      begin(socket, serve);
      return true;
    },
    close: () => {
      for (const session of sessions) session.close();
    },
    destroy: () => {
      for (const session of sessions) session.destroy();
    },
  };
}

/** Makes node:http strike a connection off its books: as if it were closed, so that no timeout of its own hits it. */
function release(socket: Duplex): void {
  socket.emit('close');
  for (const event of ['close', 'data', 'end', 'drain', 'timeout', 'pause', 'resume'])
    socket.removeAllListeners(event);
  socket.pause();
  // HTTP/2 has no half-open connections: the streams of one that ends have lost their caller.
  socket.once('end', () => socket.destroy());
}

/** The bytes that were read after the preface; null when the parser stopped for another reason. */
function readBehindPreface(error: Error): Buffer | null {
  if (!('code' in error) || error.code !== prefaceCode) return null;
  if (!('rawPacket' in error) || !Buffer.isBuffer(error.rawPacket)) return null;
  if (!('bytesParsed' in error) || typeof error.bytesParsed !== 'number') return null;
  return error.rawPacket.subarray(error.bytesParsed);
}

/** Takes one stream as a call of its own. */
function carry(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: string[],
  serve: (connection: Duplex) => void,
): void {
  const [near, far] = duplexPair();
  const { ':method': method = '', ':path': path = '' } = headers;
  let call: ClientRequest;
  try {
    if (!path.startsWith('/')) throw new RangeError('A call has a path.');
    const createConnection = (): Duplex => near;
    call = request({ method, path, headers: rawHeaders, createConnection, setDefaultHeaders: false });
  } catch {
    // Not a request that HTTP/1.1 could say: nobody here has a use for it.
    stream.respond({ ':status': 400 }, { endStream: true });
    return;
  }
  serve(far);
  const left = new Error('The caller left.');
  stream.on('error', () => call.destroy(left));
  // Before its end is read, which comes all the same and would be that of the body.
  stream.once('aborted', () => call.destroy(left));
  stream.once('close', () => {
    call.destroy(left);
    near.destroy();
    far.destroy();
  });
  near.on('error', () => fail(stream));
  call.on('error', () => fail(stream));
  call.once('continue', () => orFail(stream, () => stream.additionalHeaders({ ':status': 100 })));
  call.once('response', (answer) => giveBack(answer, stream));
  stream.pipe(call);
}

function giveBack(answer: IncomingMessage, stream: ServerHttp2Stream): void {
  const fields = { ':status': answer.statusCode ?? 502, ...fieldsOf(answer.rawHeaders) };
  stream.once('wantTrailers', () => orFail(stream, () => stream.sendTrailers(fieldsOf(answer.rawTrailers))));
  orFail(stream, () => {
    stream.respond(fields, { waitForTrailers: true });
    pipeline(answer, stream, (error) => {
      if (error) fail(stream);
    });
  });
}

/** Fields that Node does not send in HTTP/2 end this stream alone: thrown on, they would end the process. */
function orFail(stream: ServerHttp2Stream, send: () => void): void {
  try {
    send();
  } catch {
    fail(stream);
  }
}

/** An answer that broke off must not look as if it had ended. */
function fail(stream: ServerHttp2Stream): void {
  stream.close(constants.NGHTTP2_INTERNAL_ERROR);
}

/** The headers of the stream as HTTP/1.1 says them, in their order (RFC 9113 section 8.3.1). */
function rawHeadersOf(
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  hasBody: boolean,
): string[] {
  const { ':authority': authority } = headers;
  const kept = authority === undefined ? [] : ['host', authority];
  const cookies: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const isHost = name === 'host' && authority !== undefined;
    if (name === 'cookie') cookies.push(value);
    else if (!name.startsWith(':') && !connectionHeaders.has(name) && !isHost) kept.push(name, value);
  }
  // Cut into pieces that compress better; to HTTP/1.1 they are one field (RFC 9113 section 8.2.3).
  if (cookies.length > 0) kept.push('cookie', cookies.join('; '));
  if (hasBody && headers['content-length'] === undefined) kept.push('transfer-encoding', 'chunked');
  return kept;
}

/** Header or trailer fields as HTTP/2 takes them: names in lower case, repeated ones as a list. */
function fieldsOf(raw: readonly string[]): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    if (connectionHeaders.has(name)) continue;
    const known = fields[name];
    fields[name] = known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value];
  }
  return fields;
}
