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
  /** Asked for and not handed over yet: whenever it comes, also while nobody waits, whoever waits next gets it. */
  let asked: Promise<IteratorResult<Buffer, unknown>> | null = null;
  return {
    next: async (waitMs, heedsDrain) => {
      const { promise, resolve, reject } = Promise.withResolvers<
        IteratorResult<Buffer, unknown> | 'due' | 'draining'
      >();
      asked ??= chunks.next();
      asked.then(resolve, reject);
      const drain = (): void => resolve('draining');
      const cancel = waitMs === null ? () => undefined : schedule(waitMs, () => resolve('due'));
      if (heedsDrain) draining.addEventListener('abort', drain, { once: true });
      if (heedsDrain && draining.aborted) drain();
      try {
        const come = await promise;
        if (come === 'due' || come === 'draining') return come;
        asked = null;
        return come.done === true ? 'ended' : come.value;
      } finally {
        cancel();
        draining.removeEventListener('abort', drain);
      }
    },
  };
}
