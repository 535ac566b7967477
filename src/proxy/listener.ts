/** The data plane's socket: node:http in, one pipeline run per request, upgrades to the tunnel, drain on stop. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoldpointError } from '../core/errors.ts';
import { lacksHost } from '../core/http-message.ts';
import { listening } from '../core/listening.ts';
import { createServer } from '../core/node-http.ts';
import type { Spool } from '../core/spool.ts';
import { operationOf, readCall } from './call.ts';
import { createConnections } from './connections.ts';
import type { House } from './house.ts';
import { createHttp2Door } from './http2.ts';
import { type Entrance, refuseConnect } from './intercept/entrance.ts';
import { handleCall } from './pipeline.ts';
import type { Session } from './realtime/session.ts';
import { refuse, toHoldpointError } from './respond.ts';
import { createTurns } from './turns.ts';
import { takeUpgrade } from './upgrade.ts';
import { refuseUpgrade } from './upgrade-refusal.ts';
import { type Upstream, upstreamFor } from './upstream.ts';

export interface ProxyListener {
  /** `http://host:port` as bound. */
  readonly url: string;
  /** Takes a connection that came in elsewhere. */
  accept(socket: Duplex, entrance: Entrance): void;
  /** Keeps a connection that is no call, and what is done with it, until it is over or the drain cuts it. */
  follow(socket: Duplex, run: Promise<void>): void;
  /** Once `house.draining` fired: takes no more, waits for running calls up to `graceMs`, then cuts what is left. */
  drain(graceMs: number): Promise<void>;
}

/** Above the idle time of the clients' pools, so that they close first and never write into a closing socket. */
const keepAliveMs = 120_000;
const headersMsMax = 60_000;
/** For the whole request to arrive: a large upload over a slow line. One that stands still is cut much earlier. */
const requestMsMax = 3_600_000;
/** After running calls were cut, for what they still have to record. */
const cutMsMax = 1_000;

/** Listens on `host:port`; rejects when the address is taken. */
export async function listenProxy(
  address: { host: string; port: number },
  house: House,
): Promise<ProxyListener> {
  const running = new Set<Promise<void>>();
  const tunnels = new Set<Duplex>();
  const sessions = new Set<Session>();
  const turns = createTurns();
  /** What each connection is being answered, or was answered last. */
  const answering = new WeakMap<Duplex, ServerResponse>();
  const entrances = new WeakMap<Duplex, Entrance>();
  function track(run: Promise<void>): void {
    const tracked = run.finally(() => running.delete(tracked));
    running.add(tracked);
  }
  function follow(socket: Duplex, run: Promise<void>): void {
    tunnels.add(socket);
    socket.once('close', () => tunnels.delete(socket));
    track(run);
  }
  const server = createServer(
    {
      keepAliveTimeout: keepAliveMs,
      headersTimeout: headersMsMax,
      requestTimeout: requestMsMax,
      noDelay: true,
      // Refused in words: node:http's own answer has none.
      requireHostHeader: false,
      shouldUpgradeCallback: isWebSocket,
    },
    (req, res) => {
      const run = turns.take(req.socket, () => {
        answering.set(req.socket, res);
        return serve(req, res, house, entrances.get(req.socket));
      });
      track(
        run.catch((error: unknown) => {
          // Not even a refusal could be written: this call is over, and no other one.
          res.destroy();
          house.onError('A call failed inside Holdpoint', error);
        }),
      );
    },
  );
  const connections = createConnections();
  server.on('connection', connections.add);
  /** What is written to this connection now stands in the answer to a call. */
  function isAnswering(socket: Duplex): boolean {
    const res = answering.get(socket);
    return res !== undefined && !res.writableFinished && !res.destroyed;
  }
  // Also what `close` calls: node:http takes an answer for over whose end the network has not taken, and cuts it.
  server.closeIdleConnections = () => {
    for (const socket of connections.open())
      if (!isAnswering(socket) && !tunnels.has(socket)) socket.destroy();
  };
  // A caller that does not take its answer: no byte moved for this long, and the connection is over.
  server.timeout = house.bounds.callerIdleMsMax;
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    letGo(req, socket);
    if (isAnswering(socket)) {
      socket.destroy();
      return;
    }
    const onSession = (session: Session): (() => void) => {
      sessions.add(session);
      return () => sessions.delete(session);
    };
    const run = upgrade(req, socket, head, house, entrances.get(socket), onSession).catch(
      (error: unknown) => {
        socket.destroy();
        house.onError('A WebSocket failed', error);
      },
    );
    follow(socket, run);
  });
  server.on('connect', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    letGo(req, socket);
    const entrance = entrances.get(socket);
    if (isAnswering(socket)) socket.destroy();
    else if (entrance === undefined) refuseConnect(socket, '405 This is no forward proxy: see proxy.forward');
    else follow(socket, entrance.connect(req, socket, head));
  });
  const http2 = createHttp2Door(house.bounds.callerIdleMsMax);
  function accept(socket: Duplex, entrance: Entrance | undefined): void {
    if (entrance !== undefined) entrances.set(socket, entrance);
    if (http2.enterAgreed(socket, (connection) => accept(connection, entrance))) return;
    server.emit('connection', socket);
  }
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const res = answering.get(socket);
    const isCalling = isAnswering(socket);
    const enter = (connection: Duplex): void => accept(connection, entrances.get(socket));
    if (!isCalling && http2.enter(socket, error, enter)) {
      connections.remove(socket);
      return;
    }
    // Within a call that was read whole, the bytes after it are at fault: its answer must not be mixed with ours.
    const inCall = isCalling && (res?.headersSent === true || res?.req.complete === true);
    if (socket.writable && !inCall) socket.end(unreadable(error.code));
    else socket.destroy();
  });
  const bound = await listening(server, address, 'proxy.listen');
  return {
    url: `http://${bound}`,
    accept,
    follow,
    drain: async (graceMs) => {
      server.close();
      // The next call of their callers belongs on another connection.
      for (const socket of connections.open()) {
        const res = answering.get(socket);
        if (res?.headersSent === false) res.shouldKeepAlive = false;
      }
      http2.close();
      for (const session of sessions) session.drain();
      await allWithin(running, graceMs, house);
      connections.cut();
      server.closeAllConnections();
      http2.destroy();
      for (const session of sessions) session.cut();
      for (const socket of tunnels) socket.destroy();
      await allWithin(running, cutMsMax, house);
    },
  };
}

/** node:http is done with the connection, and listens to it no more: a reset that nobody hears would end the process. */
function letGo(req: IncomingMessage, socket: Duplex): void {
  req.socket.setTimeout(0);
  socket.on('error', () => socket.destroy());
}

/** Until none is running, those that begin meanwhile included. */
async function allWithin(running: ReadonlySet<Promise<void>>, graceMs: number, house: House): Promise<void> {
  const expired = Promise.withResolvers<void>();
  let isExpired = false;
  const cancel = house.schedule(graceMs, () => {
    isExpired = true;
    expired.resolve();
  });
  while (running.size > 0 && !isExpired) await Promise.race([Promise.all(running), expired.promise]);
  cancel();
}

/** Who still has a connection asks whoever runs next: a call that began now would be cut. */
function refuseWhenDraining({ draining }: House): void {
  if (draining.aborted)
    throw new HoldpointError('shutting_down', 'Holdpoint stops and takes no more calls.', 'Ask again.');
}

/** Other upgrades, such as to HTTP/2, are offers that a server may ignore (RFC 9110 section 7.8): those are calls. */
function isWebSocket(req: IncomingMessage): boolean {
  return req.method === 'GET' && req.headers.upgrade?.toLowerCase() === 'websocket';
}

const statusByParserCode: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** The parser gave up: not HTTP, or both Content-Length and Transfer-Encoding (RFC 9112 section 6.3). */
function unreadable(parserCode: string | undefined): string {
  const status = statusByParserCode[parserCode ?? ''] ?? '400 Bad Request';
  const message = `The request is not valid HTTP/1.1, or did not arrive in time (${parserCode ?? 'unknown'}).`;
  const body = JSON.stringify({
    error: { message, type: 'invalid_request_error', param: null, code: 'bad_request' },
  });
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}

/** An upgrade, judged by the upstreams of the place it came in. */
async function upgrade(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  house: House,
  entrance: Entrance | undefined,
  onSession: (session: Session) => () => void,
): Promise<void> {
  let { upstreams } = house;
  try {
    refuseWhenDraining(house);
    if (entrance !== undefined) upstreams = (await entrance.admit(req, null)) ?? [];
  } catch (thrown) {
    refuseUpgrade(socket, toHoldpointError(thrown), null, null);
    return;
  }
  await takeUpgrade(req, socket, head, { ...house, upstreams }, onSession);
}

async function serve(
  req: IncomingMessage,
  res: ServerResponse,
  house: House,
  entrance: Entrance | undefined,
): Promise<void> {
  const startedUs = house.clock.monoUs();
  house.metrics.callStarted();
  let upstream: Upstream | null = null;
  let operation = 'unread';
  let decision: string | null = null;
  let spool: Spool | null = null;
  try {
    refuseWhenDraining(house);
    if (lacksHost(req))
      throw new HoldpointError('bad_request', 'An HTTP/1.1 request has a Host header.', 'Send one.');
    const upstreams = entrance === undefined ? house.upstreams : await entrance.admit(req, res);
    if (upstreams === null) return;
    upstream = upstreamFor(req.url ?? '/', upstreams);
    const call = await readCall(
      req,
      res,
      upstream,
      house.bounds,
      house.openSpool,
      house.fingerprint,
      startedUs,
      house.workloadName,
    );
    operation = call.operation;
    spool = call.body.spool;
    decision = await handleCall(call, house);
  } catch (thrown) {
    const error = toHoldpointError(thrown);
    if (error.code === 'internal') house.onError('A call failed inside Holdpoint', thrown);
    const asked = upstream === null ? null : { upstream, operation: operationOf(req, upstream) };
    await refuse(res, asked, error, null);
  } finally {
    await spool?.close();
    const seconds = (house.clock.monoUs() - startedUs) / 1e6;
    const status = res.writableFinished ? res.statusCode : 0;
    house.metrics.callEnded({ operation, status, seconds, decision });
  }
}
