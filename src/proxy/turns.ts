/**
 * The calls of one connection, one after the other (RFC 9112 section 9.3.2): node:http reports a request that was
 * sent ahead at once, with an answer that has no connection yet and hears nothing of its caller's leaving.
 */
import type { Duplex } from 'node:stream';

export interface Turns {
  /** Runs when the runs before it on that connection are over; not at all where the connection is over by then. */
  take(socket: Duplex, run: () => Promise<void>): Promise<void>;
}

export function createTurns(): Turns {
  /** The last run of each connection that has one. */
  const last = new WeakMap<Duplex, Promise<void>>();
  return {
    take: (socket, run) => {
      const before = last.get(socket);
      const after = async (earlier: Promise<void>): Promise<void> => {
        await earlier.catch(() => undefined);
        if (!socket.destroyed) await run();
      };
      const mine = (before === undefined ? run() : after(before)).finally(() => {
        if (last.get(socket) === mine) last.delete(socket);
      });
      last.set(socket, mine);
      return mine;
    },
  };
}
