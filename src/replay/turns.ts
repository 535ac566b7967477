/** Long work in turns with calls that are in flight: the longer a turn took, the longer it rests. */
import type { Clock } from '../core/clock.ts';

export interface TurnsHouse {
  readonly clock: Clock;
  readonly callsInFlight: () => number;
  readonly rest: (ms: number) => Promise<void>;
}

export interface Turns {
  /** Between two steps: others have their turn where the last rest is a while ago. */
  pause(): Promise<void>;
  /** Others have their turn in any case. */
  rest(): Promise<void>;
}

/** While calls are in flight, work is followed by a rest this many times as long as it took, within bounds. */
const restFactor = 3;
const restMsMin = 1;
const restMsMax = 250;
/** Of steps without a rest. */
const turnMsMax = 20;

/** The work begins now. */
export function createTurns({ clock, callsInFlight, rest }: TurnsHouse): Turns {
  let begunUs = clock.monoUs();

  async function giveWay(tookMs: number): Promise<void> {
    if (callsInFlight() > 0) await rest(Math.min(restMsMax, Math.max(restMsMin, restFactor * tookMs)));
    else await new Promise((resolve) => setImmediate(resolve));
    begunUs = clock.monoUs();
  }

  const tookMs = (): number => (clock.monoUs() - begunUs) / 1_000;
  return {
    pause: async () => {
      const ms = tookMs();
      if (ms >= turnMsMax) await giveWay(ms);
    },
    rest: () => giveWay(tookMs()),
  };
}
