/**
 * The interactive queue as states and keys: what is listed, what is open, what is being typed. A ruling is possible only
 * on a hold that is open, and carries the digest that was shown. Pure: a key goes in, the next state and what is to be
 * done come out.
 */
import type { z } from 'zod';
import type { Detail, listSchema } from './holds.ts';
import type { Key } from './queue-keys.ts';

export type Listed = z.output<typeof listSchema>['items'][number];

export interface QueueState {
  readonly items: readonly Listed[];
  readonly total: number;
  /** The id, so that the queue may change under it. */
  readonly selected: string;
  readonly open: { readonly hold: Detail; readonly scroll: number } | null;
  readonly prompt: { readonly verdict: 'release' | 'deny'; readonly text: string } | null;
  /** One line about what happened last. */
  readonly said: string;
}

export type Effect =
  | { readonly kind: 'show'; readonly id: string }
  | {
      readonly kind: 'rule';
      readonly id: string;
      readonly verdict: 'release' | 'deny';
      readonly reason: string;
      readonly digest: string;
    }
  | { readonly kind: 'quit' };

export interface Step {
  readonly state: QueueState;
  readonly effect: Effect | null;
}

export const emptyQueue: QueueState = {
  items: [],
  total: 0,
  selected: '',
  open: null,
  prompt: null,
  said: '',
};
const reasonCharsMax = 4_000;
const pageRows = 10;

/** The state with what is held now; the selection stays on its hold, or on the one that took its place. */
export function withItems(state: QueueState, items: readonly Listed[], total: number): QueueState {
  const at = state.items.findIndex(({ id }) => id === state.selected);
  const isThere = items.some(({ id }) => id === state.selected);
  const next = isThere ? state.selected : (items[Math.min(Math.max(0, at), items.length - 1)]?.id ?? '');
  return { ...state, items, total, selected: next };
}

/** The state after a key, and what is to be done about it. */
export function pressed(state: QueueState, key: Key): Step {
  if (key.kind === 'interrupt') return { state, effect: { kind: 'quit' } };
  if (state.prompt !== null && state.open !== null) return typed(state, key);
  const name = key.kind === 'text' ? key.text : key.kind;
  if (state.open !== null) return inHold(state, name);
  switch (name) {
    case 'q':
      return { state, effect: { kind: 'quit' } };
    case 'enter':
      return { state, effect: state.selected === '' ? null : { kind: 'show', id: state.selected } };
    default:
      return { state: moved(state, rowsOf(name)), effect: null };
  }
}

function rowsOf(name: string): number {
  const rows: Readonly<Record<string, number>> = {
    j: 1,
    down: 1,
    k: -1,
    up: -1,
    page_down: pageRows,
    page_up: -pageRows,
  };
  return rows[name] ?? 0;
}

function moved(state: QueueState, rows: number): QueueState {
  const at = state.items.findIndex(({ id }) => id === state.selected);
  const next = state.items[Math.min(Math.max(0, at + rows), state.items.length - 1)];
  return { ...state, selected: next?.id ?? '', said: rows === 0 ? state.said : '' };
}

function inHold(state: QueueState, name: string): Step {
  const { open } = state;
  if (open === null) return { state, effect: null };
  switch (name) {
    case 'q':
    case 'escape':
      return { state: { ...state, open: null, said: '' }, effect: null };
    case 'r':
      return { state: { ...state, prompt: { verdict: 'release', text: '' }, said: '' }, effect: null };
    case 'd':
      return { state: { ...state, prompt: { verdict: 'deny', text: '' }, said: '' }, effect: null };
    case 'a':
      return {
        state: {
          ...state,
          said: `To amend: holdpoint holds amend ${open.hold.id} --file FILE --reason TEXT`,
        },
        effect: null,
      };
    default:
      return {
        state: { ...state, open: { ...open, scroll: Math.max(0, open.scroll + rowsOf(name)) } },
        effect: null,
      };
  }
}

function typed(state: QueueState, key: Key): Step {
  const { prompt, open } = state;
  if (prompt === null || open === null) return { state, effect: null };
  const withText = (text: string): Step => ({
    state: { ...state, prompt: { ...prompt, text } },
    effect: null,
  });
  switch (key.kind) {
    case 'text':
      return withText((prompt.text + key.text).slice(0, reasonCharsMax));
    case 'backspace':
      return withText([...prompt.text].slice(0, -1).join(''));
    case 'escape':
      return { state: { ...state, prompt: null, said: 'Nothing was ruled.' }, effect: null };
    case 'enter': {
      const reason = prompt.text.trim();
      if (prompt.verdict === 'deny' && reason === '')
        return { state: { ...state, said: 'A reason is required to deny.' }, effect: null };
      const { id, digest } = open.hold;
      const said = 'Sealing the ruling…';
      return {
        state: { ...state, prompt: null, said },
        effect: { kind: 'rule', id, verdict: prompt.verdict, reason, digest },
      };
    }
    default:
      return { state, effect: null };
  }
}
