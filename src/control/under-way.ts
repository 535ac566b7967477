/** Answers under way. Whoever gave an order hears what became of it, also when the sidecar stops: then they end before what they read does. */
import type { ServerResponse } from 'node:http';
import type { Schedule } from '../core/clock.ts';

export interface UnderWay {
  /** One more, until it settles; it must not reject. */
  add(answer: Promise<void>): void;
  /** Resolves when none is left, or after so long. */
  ended(withinMs: number): Promise<void>;
}

export function createUnderWay(schedule: Schedule): UnderWay {
  const answers = new Set<Promise<void>>();
  return {
    add: (answer) => {
      answers.add(answer);
      void answer.finally(() => answers.delete(answer));
    },
    ended: async (withinMs) => {
      const late = Promise.withResolvers<void>();
      const cancel = schedule(withinMs, late.resolve);
      await Promise.race([Promise.all(answers), late.promise]);
      cancel();
    },
  };
}

/** Resolves once an answer that ended has left; at once where it goes on, as streams of events do. */
export function whenSent(res: ServerResponse): Promise<void> {
  if (!res.writableEnded || res.closed) return Promise.resolve();
  return new Promise((resolve) => res.once('close', resolve));
}
