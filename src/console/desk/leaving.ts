/** Ends a reading of many parts when its page is left: what nobody looks at is neither read nor sealed as read. */
import { useEffect, useRef } from 'preact/hooks';

/** Begins a reading, which ends the one before; the signal says that the page was left, or another one begun. */
export function useLeaving(): () => AbortSignal {
  const reading = useRef<AbortController | null>(null);
  useEffect(() => () => reading.current?.abort(), []);
  return () => {
    reading.current?.abort();
    const begun = new AbortController();
    reading.current = begun;
    return begun.signal;
  };
}
