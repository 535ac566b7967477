/** The connections of a server, and which of them it cut. */
import type { Duplex } from 'node:stream';

/** Of these no call is to be told as one that its caller left. */
const cut = new WeakSet<Duplex>();

/** True for a connection that the sidecar cut when it stopped. */
export function wasCut(socket: Duplex): boolean {
  return cut.has(socket);
}

export interface Connections {
  add(socket: Duplex): void;
  /** One that goes on as something else. */
  remove(socket: Duplex): void;
  /** Those that are not closed. */
  open(): readonly Duplex[];
  /** Ends all of them as they are. */
  cut(): void;
}

export function createConnections(): Connections {
  const known = new Set<Duplex>();
  return {
    add: (socket) => {
      known.add(socket);
      socket.once('close', () => known.delete(socket));
    },
    remove: (socket) => {
      known.delete(socket);
    },
    open: () => [...known],
    cut: () => {
      for (const socket of known) {
        if (socket.destroyed) continue;
        cut.add(socket);
        socket.destroy();
      }
    },
  };
}
