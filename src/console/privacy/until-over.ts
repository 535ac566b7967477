/** What changes by itself at the sidecar, read again until it is over. */
import { useEffect, useState } from 'preact/hooks';
import type { Desk } from '../desk/desk.ts';
import { type Fetched, useFetched } from '../desk/fetched.ts';

const askAgainMs = 500;

export function useUntilOver<T>(
  desk: Desk,
  path: string,
  read: (answer: unknown) => T,
  isOver: (value: T) => boolean,
  version = 0,
): Fetched<T> {
  const [round, setRound] = useState(0);
  // Both only grow, so that the sum names a reading.
  const fetched = useFetched(desk, path, read, version + round);
  const { value, problem } = fetched;
  useEffect(() => {
    if (value === null || isOver(value)) return;
    const timer = setTimeout(() => setRound((count) => count + 1), askAgainMs);
    return () => clearTimeout(timer);
  }, [value, problem]);
  return fetched;
}
