/**
 * The calls of one connection, one after the other (RFC 9112 section 9.3.2): node:http reports a request that was
 * sent ahead at once, with an answer that has no connection yet and hears nothing of its caller's leaving.
 */
import type { Duplex } from 'node:stream';

/** Sent ahead on one connection; with more of them it ends, which a caller that sends ahead must expect at any time. */
export const waitingCallsMax = 256;

export interface Turns {
  /** Runs when the runs before it on that connection are over; not at all where it carries no further answer by then. */
  take(socket: Duplex, run: () => Promise<void>): Promise<void>;
}

interface Turn {
  /** Of the runs so far. */
  over: Promise<void>;
  runs: number;
}

export function createTurns(): Turns {
  /** Of each connection that has a run under way. */
  const turns = new WeakMap<Duplex, Turn>();
  return {
    take: (socket, run) => {
      const runIfAnswered = async (): Promise<void> => {
        if (socket.writable) await run();
      };
      const turn = turns.get(socket) ?? { over: Promise.resolve(), runs: 0 };
      if (turn.runs > waitingCallsMax) {
        socket.destroy();
        return Promise.resolve();
      }
      turns.set(socket, turn);
      const after = async (before: Promise<void>): Promise<void> => {
        await before.catch(() => undefined);
        await runIfAnswered();
      };
      turn.over = (turn.runs === 0 ? runIfAnswered() : after(turn.over)).finally(() => {
        turn.runs -= 1;
        if (turn.runs === 0) turns.delete(socket);
      });
      turn.runs += 1;
      return turn.over;
    },
  };
}
