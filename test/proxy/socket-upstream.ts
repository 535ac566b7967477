/** A provider that speaks over WebSockets as a test tells it to, and clients of it. */
import { createServer, type IncomingMessage } from 'node:http';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { atEnd } from '../support/endings.ts';

export interface Heard {
  readonly text: string;
  readonly binary: boolean;
}

export interface Talker {
  readonly ws: WebSocket;
  /** What arrived, in order. */
  readonly heard: Heard[];
  /** How it closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(message: unknown): void;
  /** The `type` of each JSON message. */
  types(): string[];
}

export interface SocketUpstream {
  readonly url: string;
  readonly talkers: Talker[];
  readonly requests: IncomingMessage[];
}

function talkerOf(ws: WebSocket): Talker {
  const heard: Heard[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  ws.on('message', (data: RawData, binary) => heard.push({ text: String(data), binary }));
  ws.on('error', () => undefined);
  return {
    ws,
    heard,
    closed,
    send: (message) => ws.send(typeof message === 'string' ? message : JSON.stringify(message)),
    types: () => heard.map(({ text }) => String(Object(JSON.parse(text)).type)),
  };
}

/** Accepts every connection; refuses those whose path contains `refuse`. */
export async function startSocketUpstream(
  onConnection: (talker: Talker, request: IncomingMessage) => void = () => undefined,
): Promise<SocketUpstream> {
  const talkers: Talker[] = [];
  const requests: IncomingMessage[] = [];
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024 });
  const server = createServer((_req, res) => res.writeHead(426).end());
  server.on('upgrade', (req, socket, head) => {
    requests.push(req);
    socket.on('error', () => socket.destroy());
    if (req.url?.includes('refuse') === true) {
      socket.end(
        'HTTP/1.1 401 Unauthorized\r\nx-why: key\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnope',
      );
      return;
    }
    sockets.handleUpgrade(req, socket, head, (ws) => {
      const talker = talkerOf(ws);
      talkers.push(talker);
      onConnection(talker, req);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    for (const { ws } of talkers) ws.terminate();
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, talkers, requests };
}

/** Connects as a workload does. Rejects when the handshake is refused. */
export async function connectSocket(
  proxyUrl: string,
  target: string,
  options: { readonly protocols?: string[]; readonly headers?: Record<string, string> } = {},
): Promise<Talker> {
  const ws = new WebSocket(proxyUrl.replace(/^http/, 'ws') + target, options.protocols ?? [], {
    headers: options.headers ?? {},
    perMessageDeflate: false,
  });
  const talker = talkerOf(ws);
  atEnd(() => ws.terminate());
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
  });
  return talker;
}
