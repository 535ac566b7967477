/** What a busy machine does late it does all the same: a test that waits for it fails only where it never comes. */
import { vi } from 'vitest';

interface Patience {
  /** Milliseconds. */
  readonly timeout?: number;
  /** Milliseconds from one look to the next. */
  readonly interval?: number;
}

const lateMsMax = 10_000;

/** Looks until `look` no longer throws, and gives what it returned. Throws as it did last once its time is over. */
export function waitFor<T>(look: () => T | Promise<T>, patience: number | Patience = {}): Promise<T> {
  const { timeout = lateMsMax, interval = 50 } =
    typeof patience === 'number' ? { timeout: patience } : patience;
  return vi.waitFor(look, { timeout, interval });
}
