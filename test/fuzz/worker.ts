/** Runs one target in a thread of its own, so that an input that never ends can be told and ended. */
import './instrument.ts';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';

export const workerDataSchema = z.object({
  target: z.string(),
  seed: z.number(),
  secondsMax: z.number(),
  inputsMax: z.number(),
  guided: z.boolean(),
  corpus: z.array(z.instanceof(Uint8Array)),
  /** [inputs begun, length of the present one] and its bytes. */
  present: z.instanceof(SharedArrayBuffer),
});

const { target: name, present, corpus, ...options } = workerDataSchema.parse(workerData);
// Only now: what these import is compiled with counters.
const { fuzz } = await import('./engine.ts');
const { targetNamed } = await import('./targets.ts');
const counters = new Int32Array(present, 0, 2);
const bytes = new Uint8Array(present, 8);
const result = fuzz(await targetNamed(name), {
  ...options,
  corpus: corpus.map((input) => Buffer.from(input)),
  before: (input) => {
    bytes.set(input.subarray(0, bytes.length));
    Atomics.store(counters, 1, input.length);
    Atomics.add(counters, 0, 1);
  },
});
parentPort?.postMessage(result);
