/**
 * The interactive queue as states and keys: what is listed, what is open, what is being typed. A ruling is possible only
 * on a hold that is open, and carries the digest that was shown. Pure: a key goes in, the next state and what is to be
 * done come out.
 */
import type { z } from 'zod';
import type { Detail, listSchema } from './hold-answers.ts';
import type { Key } from './queue-keys.ts';
import { afterKey, callsThatGo, type Order, type Prompt } from './queue-prompt.ts';

export type Listed = z.output<typeof listSchema>['items'][number];

export interface OpenHold {
  readonly hold: Detail;
  readonly scroll: number;
  /** Places of the tool calls that a release would withhold. */
  readonly withheld: ReadonlySet<number>;
}

export interface QueueState {
  readonly items: readonly Listed[];
  readonly total: number;
  /** The id, so that the queue may change under it. */
  readonly selected: string;
  readonly open: OpenHold | null;
  readonly prompt: Prompt | null;
  /** One line about what happened last. */
  readonly said: string;
}

export type Effect =
  | { readonly kind: 'show'; readonly id: string }
  | { readonly kind: 'rule'; readonly id: string; readonly digest: string; readonly order: Order }
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
  if (key.kind === 'paste') return { state: { ...state, said: 'Nothing takes text here.' }, effect: null };
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
  const { hold, withheld } = open;
  const say = (said: string): Step => ({ state: { ...state, said }, effect: null });
  const ask = (kind: 'release' | 'deny' | 'break-glass', why: string): Step =>
    why === ''
      ? { state: { ...state, prompt: { kind, text: '' }, said: '' }, effect: null }
      : say(`Not open to you: ${why}`);
  switch (name) {
    case 'q':
    case 'escape':
      return { state: { ...state, open: null, said: '' }, effect: null };
    case 'r':
      return callsThatGo(hold, withheld).length === 0 && withheld.size > 0
        ? say('A release of no call is a denial: press d.')
        : ask('release', hold.actions.release);
    case 'd':
      return ask('deny', hold.actions.deny);
    case 'b':
      return ask('break-glass', hold.actions.breakGlass);
    case 'a':
      return say(
        hold.actions.amend === ''
          ? `To amend: holdpoint holds amend ${hold.id} --file FILE --reason TEXT`
          : `Not open to you: ${hold.actions.amend}`,
      );
    default:
      if (/^[1-9]$/.test(name)) return turned(state, open, Number(name) - 1);
      return {
        state: { ...state, open: { ...open, scroll: Math.max(0, open.scroll + rowsOf(name)) } },
        effect: null,
      };
  }
}

/** Withholds the call at this place, or lets it go again. */
function turned(state: QueueState, open: OpenHold, place: number): Step {
  const calls = open.hold.exchange?.response?.toolCalls ?? [];
  if (calls[place] === undefined) return { state, effect: null };
  const why = open.hold.actions.releaseCalls;
  if (why !== '') return { state: { ...state, said: `All calls go together: ${why}` }, effect: null };
  const withheld = new Set(open.withheld);
  if (!withheld.delete(place)) withheld.add(place);
  const said = `${calls.length - withheld.size} of ${calls.length} calls go.`;
  return { state: { ...state, open: { ...open, withheld }, said }, effect: null };
}

function typed(state: QueueState, key: Key): Step {
  const { prompt, open } = state;
  if (prompt === null || open === null) return { state, effect: null };
  const { order, ...next } = afterKey(prompt, key, open.hold, open.withheld);
  const { id, digest } = open.hold;
  return {
    state: { ...state, ...next },
    effect: order === null ? null : { kind: 'rule', id, digest, order },
  };
}

/** The state with the hold as it was just read; what is typed and chosen stays while it is the same one. */
export function withOpen(state: QueueState, hold: Detail): QueueState {
  const { open } = state;
  if (open?.hold.id === hold.id && open.hold.digest === hold.digest)
    return { ...state, open: { ...open, hold } };
  return { ...state, open: { hold, scroll: 0, withheld: new Set() }, prompt: null, said: '' };
}

/** Whether somebody else did something to the open hold that its page does not show yet. */
export function isOutdated({ open, items }: QueueState): boolean {
  const listed = items.find(({ id }) => id === open?.hold.id);
  if (open === null || listed === undefined) return false;
  const of = ({ approvals, roles, commentCount, assignee }: Listed): string =>
    JSON.stringify([approvals.given, roles, commentCount, assignee]);
  return of(listed) !== of(open.hold);
}
