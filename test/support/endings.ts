/** Everything a test file starts and must end, whatever happens in between. */

const endings: (() => Promise<void> | void)[] = [];

/** Remembers how to end something; run by `endAll`, the last started first. */
export function atEnd(end: () => Promise<void> | void): void {
  endings.push(end);
}

/** Ends everything; every ending runs, then the first failure is thrown. */
export async function endAll(): Promise<void> {
  const failures: unknown[] = [];
  for (let end = endings.pop(); end !== undefined; end = endings.pop()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
