/** Everything a test file starts and must end, whatever happens in between. */
import { createEndings } from '../../src/core/endings.ts';

const endings = createEndings();

/** Remembers how to end something; run by `endAll`, the last started first. */
export function atEnd(end: () => Promise<void> | void): void {
  endings.add(end);
}

/** Ends everything; every ending runs, then the first failure is thrown. */
export function endAll(): Promise<void> {
  return endings.run('test ended');
}
