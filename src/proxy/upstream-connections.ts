/**
 * The connections to providers: how one is opened, also through the egress proxy, and whether a request failed because its
 * connection had been closed while it was idle. With forward.ts the only importer of `undici`.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { Agent, buildConnector } from 'undici';
import type { Egress } from '../core/egress.ts';
import { HoldpointError, messageOf } from '../core/errors.ts';

const keepAliveMs = 30_000;
/** Of an answer. Workloads' clients take 16 KiB and more, most of them far more. */
const headBytesMax = 64 * 1024;

/** Opens connections as requests need them, HTTP/1.1 alone; TLS goes through `egress` where that says so. */
export function openConnections(
  bounds: { readonly connectMsMax: number; readonly connectionsMax: number },
  egress: Egress,
): { readonly agent: Agent; close(): Promise<void> } {
  subscribe(headersSentChannel, onHeadersSent);
  const agent = new Agent({
    connections: bounds.connectionsMax,
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: headBytesMax,
    connect: connectorOver(bounds.connectMsMax, egress),
  });
  return {
    agent,
    close: async () => {
      unsubscribe(headersSentChannel, onHeadersSent);
      await agent.destroy();
    },
  };
}

function connectorOver(connectMsMax: number, egress: Egress): buildConnector.connector {
  const connect = buildConnector({ timeout: connectMsMax, allowH2: false });
  return (options, callback) => {
    const watched: buildConnector.Callback = (...connected) => {
      connected[1]?.once('error', (error: Error) => {
        failedOn.set(error, connected[1]);
        breaking = true;
        // Of a connection that never had a request, to which undici listens no more than we do.
        queueMicrotask(notBreaking);
      });
      callback(...connected);
    };
    const isTls = options.protocol === 'https:';
    const open = isTls ? egress.through(options.hostname, Number(options.port || 443)) : null;
    if (open === null) connect(options, watched);
    else
      open()
        .then((httpSocket) => connect({ ...options, httpSocket }, watched))
        .catch((error: unknown) =>
          callback(error instanceof Error ? error : new Error(messageOf(error)), null),
        );
  };
}

/** Which connection an error came from; undici does not say it for every kind. */
const failedOn = new WeakMap<object, Pick<Socket, 'bytesRead'>>();

/** A connection's listeners are just told that it broke: ours come before and after those of undici. */
let breaking = false;
const notBreaking = (): void => {
  breaking = false;
};

/**
 * Asked while an answer ends: whether a reset is what ends it. One without a length ends with its connection, and undici
 * takes any end for that; of a connection that failed it is none (RFC 9112 section 8).
 */
export function isBreakingOff(): boolean {
  return breaking;
}

/** Where undici says that it writes a request's head, and on which connection. */
const headersSentChannel = 'undici:client:sendHeaders';
/** How much had come on a connection when the last request went out on it. */
const readBefore = new WeakMap<object, number>();

function onHeadersSent(message: unknown): void {
  if (typeof message !== 'object' || message === null || !('socket' in message)) return;
  const { socket } = message;
  if (!(socket instanceof Socket)) return;
  if (!readBefore.has(socket)) socket.once('error', notBreaking);
  readBefore.set(socket, socket.bytesRead);
}

/**
 * A reset on a connection that had served before, without one byte of an answer to this request: who has begun to
 * answer, be it with an informational status, has read it. Where it cannot be told, it is none.
 */
export function isStaleSocket(error: unknown): boolean {
  if (!(error instanceof HoldpointError) || error.code !== 'upstream_unreachable') return false;
  const { cause } = error;
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return false;
  if (cause.code !== 'UND_ERR_SOCKET' && cause.code !== 'ECONNRESET' && cause.code !== 'EPIPE') return false;
  const socket = failedOn.get(cause);
  const before = socket === undefined ? 0 : (readBefore.get(socket) ?? 0);
  return before > 0 && socket?.bytesRead === before;
}
