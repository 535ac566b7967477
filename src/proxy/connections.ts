/**
 * The connections of a server. Those that are over are forgotten when others come, and not by a listener for the close
 * of each: with one there, what every call on a connection left behind outlived the quick collections of Node 24, and
 * each of these took twice as long (test/proxy/garbage.test.ts).
 */
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
  /** Those that are open now. */
  open(): readonly Duplex[];
  /** Ends all of them as they are. */
  cut(): void;
  /** How many are remembered, open or not: at most twice as many as were open at once, and some. */
  size(): number;
}

const forgetAtMin = 64;

export function createConnections(): Connections {
  let known = new Set<Duplex>();
  let forgetAt = forgetAtMin;
  const open = (): Duplex[] => [...known].filter((socket) => !socket.destroyed);
  return {
    add: (socket) => {
      if (known.size >= forgetAt) {
        known = new Set(open());
        forgetAt = Math.max(forgetAtMin, 2 * known.size);
      }
      known.add(socket);
    },
    remove: (socket) => {
      known.delete(socket);
    },
    open,
    cut: () => {
      for (const socket of open()) {
        cut.add(socket);
        socket.destroy();
      }
    },
    size: () => known.size,
  };
}
