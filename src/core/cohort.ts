/**
 * Cohort scheduling (Larus and Parkes, USENIX 2002): work that arrives in one round of the event loop goes on together,
 * each in order of arrival doing its next step before any does the one after it. One kind of work many times over
 * stays in the processor's caches; calls that are worked on one by one, from the first byte to the last, have it read
 * from memory again each time.
 */

/**
 * A place in the work where cohorts form: what awaits it goes on once the round's arrivals are there. It costs one that
 * is alone a few microseconds. Never rejects.
 */
export function createCohorts(): () => Promise<void> {
  let forming: Promise<void> | null = null;
  return () => {
    forming ??= new Promise((resolve) => {
      // Right after the sockets that this round found readable.
      setImmediate(() => {
        forming = null;
        resolve();
      });
    });
    return forming;
  };
}
