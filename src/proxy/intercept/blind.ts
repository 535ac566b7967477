/** A tunnel whose bytes are not read, once the passage was sealed: to a name's public address, or by the egress proxy. */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HoldpointError, messageOf } from '../../core/errors.ts';
import type { Outcome } from '../../ledger/entry.ts';

export interface TunnelBounds {
  readonly connectMsMax: number;
  /** No byte either way for this long ends the tunnel. */
  readonly idleMsMax: number;
}

/** How the far side is reached: at an address, or by a connection that the egress proxy opens when it is asked to. */
export type Far =
  | { readonly address: string; readonly port: number }
  | { readonly open: () => Promise<Socket> };

/** This process's own connections by local address and port: one that comes back in is a loop. */
export interface OwnConnections {
  add(socket: Socket): void;
  /** True when the far end of this connection is one of them. */
  includes(socket: Socket): boolean;
}

export function createOwnConnections(): OwnConnections {
  const known = new Set<string>();
  return {
    add: (socket) => {
      const name = `${plain(socket.localAddress)} ${socket.localPort}`;
      known.add(name);
      socket.once('close', () => known.delete(name));
    },
    includes: (socket) => known.has(`${plain(socket.remoteAddress)} ${socket.remotePort}`),
  };
}

/** An IPv4 address is the same on a socket of either family. */
const plain = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/, '');

/**
 * Connects and carries bytes both ways until either side is done. Resolves with how it ended. Throws
 * `upstream_unreachable` when there was no connection, unless it was the caller who left meanwhile.
 */
export async function openBlindTunnel(
  inner: Duplex,
  far: Far,
  own: OwnConnections,
  bounds: TunnelBounds,
): Promise<Outcome> {
  // Who left before closes no second time, so nothing would end what is opened in vain.
  if (inner.destroyed) return 'client_abort';
  const outer = 'open' in far ? await opened(far.open, inner) : await dialled(far, inner, bounds);
  if (outer === null) return 'client_abort';
  const stop = (): void => {
    outer.destroy();
    inner.destroy();
  };
  own.add(outer);
  let outcome: Outcome = 'delivered';
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  outer.setTimeout(bounds.idleMsMax, () => {
    outcome = 'interrupted';
    stop();
  });
  outer.on('error', () => {
    outcome = 'upstream_truncated';
    stop();
  });
  inner.on('error', stop);
  inner.once('close', stop);
  outer.once('close', () => {
    // What the far side sent last may still be on its way in; a far side that broke off shows as that.
    if (outcome !== 'delivered' || !inner.writableEnded) inner.destroy();
    resolve(outcome);
  });
  inner.pipe(outer);
  outer.pipe(inner);
  if (inner.destroyed) stop();
  return promise;
}

function unreachable(error: unknown): HoldpointError {
  return new HoldpointError(
    'upstream_unreachable',
    `No connection: ${messageOf(error)}.`,
    'Try again.',
    error,
  );
}

/** Null where the caller left before. */
function opened(open: () => Promise<Socket>, inner: Duplex): Promise<Socket | null> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket | null>();
  const leave = (): void => resolve(null);
  inner.once('close', leave);
  open().then(
    (outer) => {
      inner.off('close', leave);
      outer.setNoDelay(true);
      // Opened for nobody where the caller has left meanwhile.
      if (inner.destroyed) outer.destroy();
      resolve(inner.destroyed ? null : outer);
    },
    (error: unknown) => reject(unreachable(error)),
  );
  return promise;
}

/** Null where the caller left before. */
function dialled(
  { address, port }: { readonly address: string; readonly port: number },
  inner: Duplex,
  { connectMsMax }: TunnelBounds,
): Promise<Socket | null> {
  const outer = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
  const { promise, resolve, reject } = Promise.withResolvers<Socket | null>();
  const leave = (): void => {
    outer.destroy();
    resolve(null);
  };
  const giveUp = (): void => {
    outer.destroy(new Error(`no connection within ${connectMsMax} ms`));
  };
  outer.setTimeout(connectMsMax, giveUp);
  inner.once('close', leave);
  outer.once('error', (error) => reject(unreachable(error)));
  outer.once('connect', () => {
    inner.off('close', leave);
    // With its listener: it would take the silence of an open tunnel for this.
    outer.setTimeout(0, giveUp);
    resolve(outer);
  });
  return promise;
}
