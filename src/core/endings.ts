/** What has begun and must end, the last first: where a later part cannot start, and when all of it stops. */

export interface Endings {
  add(end: (reason: string) => void | Promise<void>): void;
  /**
   * Runs each once, one after another. One that fails keeps none of the others from running; then it rejects
   * with the first failure.
   */
  run(reason: string): Promise<void>;
}

export function createEndings(): Endings {
  const ends: ((reason: string) => void | Promise<void>)[] = [];
  return {
    add: (end) => {
      ends.push(end);
    },
    run: async (reason) => {
      const failures: unknown[] = [];
      for (const end of ends.splice(0).reverse()) {
        try {
          await end(reason);
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
