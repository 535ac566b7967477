/** The bridge between the callbacks of one upstream answer and its one reader, with backpressure. */
import { createCohorts } from '../core/cohort.ts';
import { HoldpointError } from '../core/errors.ts';

/** The upstream is paused above this and resumed when the reader caught up. */
const bufferedBytesMax = 256 * 1024;
/** Of answers that are read in pieces, once more of them has arrived. */
const joinArrived = createCohorts();

export interface AnswerBody {
  isPaused(): boolean;
  flow: { pause(): void; resume(): void } | null;
  push(chunk: Buffer): void;
  end(error: HoldpointError | null): void;
  chunks(): AsyncGenerator<Buffer>;
  peek(): Promise<Buffer>;
  readAll(bytesMax: number): Promise<{ body: Buffer; error: HoldpointError | null }>;
}

/** Bytes are pushed as they come, and read once. */
export function createAnswerBody(): AnswerBody {
  let queued: Buffer[] = [];
  let queuedBytes = 0;
  let paused = false;
  let result: { error: HoldpointError | null } | null = null;
  let wake: (() => void) | null = null;

  const body: AnswerBody = {
    flow: null,
    isPaused: () => paused,
    push: (chunk) => {
      queued.push(chunk);
      queuedBytes += chunk.length;
      if (wake !== null) notify();
      else if (queuedBytes > bufferedBytesMax && !paused) {
        paused = true;
        body.flow?.pause();
      }
    },
    end: (error) => {
      result = { error };
      notify();
    },
    chunks: async function* () {
      for (;;) {
        const taken = take();
        yield* taken;
        if (queued.length > 0) continue;
        if (result !== null) {
          if (result.error !== null) throw result.error;
          return;
        }
        await more();
        await joinArrived();
      }
    },
    peek: async () => {
      while (queued.length === 0 && result === null) await more();
      return queued[0] ?? Buffer.alloc(0);
    },
    readAll: async (bytesMax) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      for (;;) {
        for (const chunk of take()) {
          bytes += chunk.length;
          parts.push(chunk);
        }
        if (bytes > bytesMax) return { body: Buffer.concat(parts), error: tooLarge(bytesMax) };
        // A sender that was held back gives what it has while it is told to go on.
        if (queued.length > 0) continue;
        if (result !== null) {
          const [only] = parts;
          return {
            body: parts.length === 1 && only !== undefined ? only : Buffer.concat(parts),
            error: result.error,
          };
        }
        await more();
      }
    },
  };

  function take(): Buffer[] {
    const taken = queued;
    queued = [];
    queuedBytes = 0;
    if (paused) {
      paused = false;
      body.flow?.resume();
    }
    return taken;
  }
  function more(): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve;
    });
  }
  function notify(): void {
    const waiting = wake;
    wake = null;
    waiting?.();
  }
  return body;
}

function tooLarge(bytesMax: number): HoldpointError {
  return new HoldpointError(
    'response_too_large',
    `The upstream's answer exceeds ${bytesMax} bytes.`,
    'Raise limits.responseBytesMax if such answers are meant.',
  );
}
