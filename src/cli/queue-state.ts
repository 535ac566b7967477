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
  /** The hold that was asked for and is not there yet; '' where none is. */
  readonly opening: string;
  /**
   * Something was typed for a page that was not there, or not any more: what follows is the rest of it, and would be taken
   * for commands. It counts for nothing up to the next key that is no text.
   */
  readonly typedAhead: boolean;
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
  opening: '',
  typedAhead: false,
  open: null,
  prompt: null,
  said: '',
};
const pageRows = 10;
const readOn = 'None of what you typed meanwhile counts: press enter, then go on.';

/** The state with what is held now; the selection stays on its hold, or on the one that took its place. */
export function withItems(state: QueueState, items: readonly Listed[], total: number): QueueState {
  const at = state.items.findIndex(({ id }) => id === state.selected);
  const isThere = items.some(({ id }) => id === state.selected);
  const next = isThere ? state.selected : (items[Math.min(Math.max(0, at), items.length - 1)]?.id ?? '');
  return { ...state, items, total, selected: next, open: withCaller(state.open, items) };
}

/** Whether the caller still waits needs no reading of what is held, which would be sealed. */
function withCaller(open: OpenHold | null, items: readonly Listed[]): OpenHold | null {
  const caller = items.find(({ id }) => id === open?.hold.id)?.caller;
  if (open === null || caller === undefined || caller === open.hold.caller) return open;
  return { ...open, hold: { ...open.hold, caller } };
}

/** The state after a key, and what is to be done about it. */
export function pressed(state: QueueState, key: Key): Step {
  if (key.kind === 'interrupt') return { state, effect: { kind: 'quit' } };
  if (state.opening !== '') return { state: whileOpening(state, key), effect: null };
  if (state.typedAhead) return { state: afterTypedAhead(state, key), effect: null };
  if (state.prompt !== null && state.open !== null) return typed(state, key);
  if (key.kind === 'paste') return { state: { ...state, said: 'Nothing takes text here.' }, effect: null };
  const name = key.kind === 'text' ? key.text : key.kind;
  if (state.open !== null) return inHold(state, name);
  switch (name) {
    case 'q':
      return { state, effect: { kind: 'quit' } };
    case 'enter':
      return state.selected === '' ? { state, effect: null } : asked(state, state.selected);
    default:
      return { state: moved(state, rowsOf(name)), effect: null };
  }
}

function asked(state: QueueState, id: string): Step {
  return { state: { ...state, opening: id, said: 'Reading it…' }, effect: { kind: 'show', id } };
}

/** Only moving about is harmless on a page that nobody has seen; whatever else is typed for it is not taken. */
function whileOpening(state: QueueState, key: Key): QueueState {
  if (key.kind === 'escape') return { ...state, opening: '', typedAhead: false, said: '' };
  const isText = key.kind === 'paste' || (key.kind === 'text' && rowsOf(key.text) === 0);
  return isText ? { ...state, typedAhead: true } : state;
}

function afterTypedAhead(state: QueueState, key: Key): QueueState {
  return key.kind === 'text' || key.kind === 'paste' ? state : { ...state, typedAhead: false, said: '' };
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

/** The state with the hold that was asked for; as it is where the reader asked for another one since, or for none. */
export function withShown(state: QueueState, hold: Detail): QueueState {
  if (state.opening !== hold.id) return state;
  const said = state.typedAhead ? readOn : '';
  return {
    ...state,
    opening: '',
    open: { hold, scroll: 0, withheld: new Set() },
    prompt: null,
    said,
  };
}

/** The state with the open hold as it was just read; what is typed and chosen stays while the same bytes are held. */
export function withReread(state: QueueState, hold: Detail): QueueState {
  const { open, prompt } = state;
  if (open?.hold.id !== hold.id) return state;
  if (open.hold.digest === hold.digest) return { ...state, open: { ...open, hold } };
  const typedAhead = state.typedAhead || prompt !== null;
  const said = typedAhead ? readOn : '';
  return { ...state, open: { hold, scroll: 0, withheld: new Set() }, prompt: null, typedAhead, said };
}

/** The state once a ruling is sealed; the rest of what was being typed about its hold is nothing for the list. */
export function withRuled(state: QueueState, id: string, said: string): QueueState {
  if (state.open?.hold.id !== id) return { ...state, said };
  return { ...state, open: null, prompt: null, typedAhead: state.prompt !== null, said };
}

/** Whether something was done to the open hold that its page does not show yet. */
export function isOutdated({ open, items, total }: QueueState): boolean {
  if (open === null) return false;
  const listed = items.find(({ id }) => id === open.hold.id);
  // One that is not listed is over, unless more wait than are listed.
  if (listed === undefined) return open.hold.state === 'pending' && total <= items.length;
  const of = ({ approvals, roles, commentCount, assignee }: Listed): string =>
    JSON.stringify([approvals.given, roles, commentCount, assignee]);
  return of(listed) !== of(open.hold);
}
