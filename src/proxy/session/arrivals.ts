/** What a relay waits for: the next bytes, the time at which something is due, or the end of the sidecar. */
import type { House } from '../house.ts';

export interface Arrivals {
  /**
   * The next chunk; `ended` after the last one. `due` when nothing came for `waitMs`, null for any time; `draining`
   * when the sidecar stops, where that may be heeded. Throws what ended the answer too early.
   */
  next(waitMs: number | null, heedsDrain: boolean): Promise<Buffer | 'ended' | 'due' | 'draining'>;
}

export function createArrivals(
  chunks: AsyncGenerator<Buffer>,
  { schedule, draining }: Pick<House, 'schedule' | 'draining'>,
): Arrivals {
  /** Asked for and not here yet: what is due meanwhile does not lose it. */
  let asked: Promise<IteratorResult<Buffer, unknown>> | null = null;
  return {
    next: async (waitMs, heedsDrain) => {
      const { promise, resolve, reject } = Promise.withResolvers<Buffer | 'ended' | 'due' | 'draining'>();
      asked ??= chunks.next();
      asked.then(({ done, value }) => {
        asked = null;
        resolve(done === true ? 'ended' : value);
      }, reject);
      const drain = (): void => resolve('draining');
      const cancel = waitMs === null ? () => undefined : schedule(waitMs, () => resolve('due'));
      if (heedsDrain) draining.addEventListener('abort', drain, { once: true });
      if (heedsDrain && draining.aborted) drain();
      try {
        return await promise;
      } finally {
        cancel();
        draining.removeEventListener('abort', drain);
      }
    },
  };
}
