/** HTTP/2 without TLS before a provider that speaks HTTP/1.1 only: for SDKs that are asked directly over HTTP/2. */
import { request } from 'node:http';
import { constants, createServer, type ServerHttp2Session } from 'node:http2';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { atEnd } from '../support/endings.ts';

/** Starts on a free port and resolves with its address. */
export async function startHttp2Front(origin: string): Promise<string> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, { ':method': method = 'GET', ':path': path = '/', 'content-type': type }) => {
    const fail = (): void => {
      if (!stream.closed) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    };
    const forward = (body: Buffer): void => {
      const headers = { 'content-type': type ?? 'application/json', 'content-length': body.length };
      const call = request(new URL(path, origin), { method, headers }, (answer) => {
        const { connection, 'keep-alive': _, 'transfer-encoding': __, ...kept } = answer.headers;
        stream.respond({ ':status': answer.statusCode, ...kept });
        pipeline(answer, stream, (error) => {
          if (error) fail();
        });
      });
      call.on('error', fail);
      stream.once('close', () => call.destroy());
      call.end(body);
    };
    stream.on('error', () => stream.destroy());
    buffer(stream).then(forward, fail);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  atEnd(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}
