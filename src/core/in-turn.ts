/**
 * Runs what it is handed one after the other, in the order it came. Settles as `work` does, which begins when all before it
 * has ended, well or badly: each failure is told to whoever handed it in.
 */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** A queue of its own. Nothing bounds what waits in it: whoever hands in what strangers send counts first. */
export function createInTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
}
