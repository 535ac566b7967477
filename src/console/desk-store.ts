/** The state of this tab, replaced whole; whoever draws subscribes. */
import type { DeskState, OpenHold } from './desk-state.ts';

export interface Store {
  get(): DeskState;
  set(change: Partial<DeskState>): void;
  /** Changes the hold on the page, while it is still this one. */
  setOpen(id: string, change: Partial<OpenHold>): void;
  subscribe(listener: () => void): () => void;
}

export function createStore(initial: DeskState): Store {
  let state = initial;
  const listeners = new Set<() => void>();
  function set(change: Partial<DeskState>): void {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  }
  return {
    get: () => state,
    set,
    setOpen: (id, change) => {
      if (state.open?.id === id) set({ open: { ...state.open, ...change } });
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
