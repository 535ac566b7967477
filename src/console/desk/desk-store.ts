/** The state of this tab, replaced whole; whoever draws subscribes. */
import { ApiError } from './api.ts';
import { type DeskState, messageOf, type OpenHold } from './desk-state.ts';

export interface Store {
  get(): DeskState;
  set(change: Partial<DeskState>): void;
  /** Changes the hold on the page, while it is still this one. */
  setOpen(id: string, change: Partial<OpenHold>): void;
  /** Says that the ruling on a hold was not taken, or may not have been, to a reviewer who has turned elsewhere; its own page says so itself. */
  refuse(id: string, error: unknown): void;
  subscribe(listener: () => void): () => void;
}

const refusedMax = 20;

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
    refuse: (id, error) => {
      if (state.open?.id === id || state.identity === null) return;
      const others = state.refused.filter((other) => other.id !== id);
      const isSure = error instanceof ApiError && error.status >= 400 && error.status < 500;
      set({ refused: [{ id, why: messageOf(error), isSure }, ...others].slice(0, refusedMax) });
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
