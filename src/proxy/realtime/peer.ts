/**
 * One side of a WebSocket connection as the session sees it: messages in order, at most so many of them waiting,
 * and sends that say when the other side is slow. The only importer of `ws`. Nothing is compressed, nothing is
 * followed elsewhere, pings are left to the two ends.
 */
import type { Agent, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { HoldpointError } from '../../core/errors.ts';
import { type RawHeaders, valuesOf } from '../../core/http-message.ts';
import type { SocketMessage } from '../../provider/realtime/dialect.ts';
import { unreachable } from '../unreachable.ts';
import { mayRepeat, withholding } from '../withhold.ts';

export interface Ending {
  /** RFC 6455 section 7.4; 1005 without a code, 1006 when the connection broke. */
  readonly code: number;
  readonly reason: Buffer;
}

export interface Peer {
  /** The subprotocol agreed on; '' for none. */
  protocol(): string;
  /** The next message; null once it closed and all it sent before was taken. */
  next(): Promise<SocketMessage | null>;
  /** Sends; the promise resolves when the peer has caught up, null when it need not be waited for. */
  send(message: SocketMessage): Promise<void> | null;
  /** It takes what is sent: nobody has begun to close. */
  isOpen(): boolean;
  /** How it closed; null while it has not. */
  ending(): Ending | null;
  onEnding(fn: (ending: Ending) => void): void;
  /** Closes as the other side did, also where that said no code, or nothing at all (RFC 6455 section 7.4.1). */
  close(ending: Ending): void;
  /** Cuts the connection. */
  cut(): void;
  /** Whatever arrives, pings included, so that silence can be told. */
  onActivity(fn: () => void): void;
  /** What to do with them is not decided here (see beats.ts). */
  onBeat(fn: (kind: 'ping' | 'pong', data: Buffer) => void): void;
  beat(kind: 'ping' | 'pong', data: Buffer): void;
}

/** Above this what a peer sends is left in the network. */
const receivedBytesMax = 4 * 1024 * 1024;
/** Of a message beside its payload, which may be empty. */
const messageBytes = 200;
/** Above this the other side is not read from until this one caught up. */
const sentBytesMax = 1024 * 1024;
/** After our close frame, for the peer's. */
const closeMsMax = 5_000;

/**
 * `clean` sees every message and the reason of the closing before anybody else; `gather` is called before each send.
 */
function peerOf(ws: WebSocket, clean: (data: Buffer) => Buffer, gather: () => void = () => undefined): Peer {
  const queue: SocketMessage[] = [];
  let queuedBytes = 0;
  let wake: (() => void) | null = null;
  let ended: Ending | null = null;
  const endings: ((ending: Ending) => void)[] = [];
  const stuck = new Set<() => void>();

  function notify(): void {
    const waiting = wake;
    wake = null;
    waiting?.();
  }
  ws.on('message', (data: RawData, binary) => {
    const bytes = Buffer.isBuffer(data)
      ? data
      : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    queue.push({ data: clean(bytes), binary });
    queuedBytes += messageBytes + bytes.length;
    if (queuedBytes > receivedBytesMax) ws.pause();
    notify();
  });
  ws.once('close', (code, reason) => {
    ended = { code, reason: clean(reason) };
    notify();
    for (const resolve of stuck) resolve();
    for (const fn of endings) fn(ended);
  });
  // What is wrong with a connection ends it: `close` follows and says how.
  ws.on('error', () => undefined);

  return {
    protocol: () => ws.protocol,
    next: async () => {
      for (;;) {
        const message = queue.shift();
        if (message !== undefined) {
          queuedBytes -= messageBytes + message.data.length;
          if (ws.isPaused && queuedBytes <= receivedBytesMax) ws.resume();
          return message;
        }
        if (ended !== null) return null;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    send: ({ data, binary }) => {
      if (ws.readyState !== WebSocket.OPEN) return null;
      gather();
      if (ws.bufferedAmount + data.length <= sentBytesMax) {
        ws.send(data, { binary });
        return null;
      }
      return new Promise((resolve) => {
        const caughtUp = (): void => {
          stuck.delete(caughtUp);
          resolve();
        };
        stuck.add(caughtUp);
        ws.send(data, { binary }, caughtUp);
      });
    },
    isOpen: () => ws.readyState === WebSocket.OPEN,
    ending: () => ended,
    onEnding: (fn) => {
      if (ended === null) endings.push(fn);
      else fn(ended);
    },
    close: ({ code, reason }) => {
      // Left in the network, the peer's own close frame would not be seen.
      if (ws.isPaused) ws.resume();
      if (code === 1006) ws.terminate();
      else if (code === 1005) ws.close();
      else ws.close(code, reason);
    },
    cut: () => ws.terminate(),
    onActivity: (fn) => {
      for (const event of ['message', 'ping', 'pong']) ws.on(event, fn);
    },
    onBeat: (fn) => {
      ws.on('ping', (data) => fn('ping', data));
      ws.on('pong', (data) => fn('pong', data));
    },
    beat: (kind, data) => {
      if (ws.readyState !== WebSocket.OPEN || ws.bufferedAmount > sentBytesMax) return;
      if (kind === 'ping') ws.ping(data);
      else ws.pong(data);
    },
  };
}

/** What is sent from here to the end of the turn goes out in one write: an answer's events often come together. */
function gatherWrites(socket: Duplex): () => void {
  let isGathering = false;
  function write(): void {
    isGathering = false;
    socket.uncork();
  }
  return () => {
    if (isGathering) return;
    isGathering = true;
    socket.cork();
    process.nextTick(write);
  };
}

export interface Opened {
  readonly peer: Peer;
  /** The provider's handshake. */
  readonly headers: RawHeaders;
}
/** The provider answered the handshake with something else than a connection. */
export interface Refused {
  readonly status: number;
  readonly statusText: string;
  readonly headers: RawHeaders;
  readonly body: Buffer;
}

const refusalBytesMax = 1024 * 1024;

export interface PeerWay {
  readonly messageBytesMax: number;
  readonly connectMsMax: number;
  /** Opens the connection where the library is not to do it itself. */
  readonly agent: Agent | undefined;
}

/**
 * Connects to the provider; what it says comes without `withheld`. Throws `upstream_unreachable`; `onAbort` is given
 * what gives the attempt up.
 */
export function connectPeer(
  url: string,
  protocols: readonly string[],
  headers: Readonly<Record<string, string>>,
  way: PeerWay,
  withheld: string | undefined,
  onAbort: (abort: () => void) => void,
): Promise<Opened | Refused> {
  const { promise, resolve, reject } = Promise.withResolvers<Opened | Refused>();
  const notReached = (error: unknown): void => reject(unreachable(error));
  let ws: WebSocket;
  try {
    // Not a literal in the call: the library takes `closeTimeout`, its types do not know it yet.
    const options = {
      headers: { ...headers },
      perMessageDeflate: false,
      followRedirects: false,
      autoPong: false,
      handshakeTimeout: way.connectMsMax,
      maxPayload: way.messageBytesMax,
      closeTimeout: closeMsMax,
      ...(way.agent === undefined ? {} : { agent: way.agent }),
    };
    ws = new WebSocket(url, [...protocols], options);
  } catch (error) {
    // Such as a subprotocol that is no token.
    notReached(error);
    return promise;
  }
  // From the first moment, because messages may arrive with the handshake.
  let handshake: RawHeaders = [];
  ws.once('upgrade', (res: IncomingMessage) => {
    handshake = withholding(withheld).fields(res.rawHeaders);
  });
  let connecting = true;
  ws.once('open', () => {
    connecting = false;
    resolve({ peer, headers: handshake });
  });
  ws.once('error', notReached);
  ws.once('unexpected-response', (_req, res: IncomingMessage) => {
    readRefusal(res, withheld).then(resolve, notReached);
  });
  const peer = peerOf(ws, (data) => without(withheld, data));
  onAbort(() => {
    if (connecting) ws.terminate();
  });
  return promise;
}

/** A whole message without the key that the sidecar put in, which some servers repeat. */
function without(withheld: string | undefined, data: Buffer): Buffer {
  if (withheld === undefined) return data;
  const withhold = withholding(withheld);
  const safe = withhold.next(data);
  return Buffer.concat([safe, withhold.end()]);
}

async function readRefusal(res: IncomingMessage, withheld: string | undefined): Promise<Refused> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of res) {
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += piece.length;
    if (bytes > refusalBytesMax) break;
    chunks.push(piece);
  }
  res.destroy();
  const { statusCode = 502, statusMessage = '', rawHeaders } = res;
  const { text, fields } = withholding(withheld);
  const coding = valuesOf(rawHeaders, 'content-encoding').join(',');
  const sent = Buffer.concat(chunks);
  if (withheld !== undefined && coding !== '' && mayRepeat(withheld, coding, sent, refusalBytesMax))
    throw new Error('it compressed its refusal, though asked not to, and may repeat the key in it');
  const body = without(withheld, sent);
  return { status: statusCode, statusText: text(statusMessage), headers: fields(rawHeaders), body };
}

/** Completes the workload's handshake with the subprotocol that the provider chose. Rejects when it is not one. */
export function acceptPeer(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  offer: { readonly protocol: string; readonly headers: readonly string[]; readonly messageBytesMax: number },
): Promise<Peer> {
  const { promise, resolve, reject } = Promise.withResolvers<Peer>();
  const left = (): void => reject(new HoldpointError('bad_request', 'The caller left.'));
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: offer.messageBytesMax,
    closeTimeout: closeMsMax,
    handleProtocols: (): string | false => (offer.protocol === '' ? false : offer.protocol),
  };
  const server = new WebSocketServer(options);
  server.once('headers', (lines) => lines.push(...offer.headers));
  server.once('wsClientError', (error) => reject(new HoldpointError('bad_request', error.message)));
  socket.once('close', left);
  // One that left before will not close again, and the library says nothing of it.
  if (socket.destroyed) left();
  server.handleUpgrade(req, socket, head, (ws) => resolve(peerOf(ws, (data) => data, gatherWrites(socket))));
  return promise;
}
