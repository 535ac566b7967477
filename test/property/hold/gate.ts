/** What stands still while a test says so. */
export interface Gate {
  /** From now on whoever comes waits. */
  hold(): void;
  /** They go on, and nobody waits any more. */
  open(): void;
  isHeld(): boolean;
  /** Resolves when one may go on. */
  pass(): Promise<void> | undefined;
}

export function createGate(): Gate {
  let held: PromiseWithResolvers<void> | null = null;
  return {
    hold: () => {
      held ??= Promise.withResolvers<void>();
    },
    open: () => {
      held?.resolve();
      held = null;
    },
    isHeld: () => held !== null,
    pass: () => held?.promise,
  };
}
