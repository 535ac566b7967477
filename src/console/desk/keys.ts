/** The keyboard. No key rules by itself: r, d, e and b open the panel, and sending takes Ctrl or Cmd with Enter. */
import type { Desk } from './desk.ts';
import type { Action } from './desk-state.ts';
import { goTo, pageAddress, pagesFor } from './place.ts';
import { createWriting, type Press } from './writing.ts';

export interface KeyHelp {
  readonly keys: readonly string[];
  readonly does: string;
}

export const keyHelp: readonly KeyHelp[] = [
  { keys: ['j', 'k'], does: 'next, previous line' },
  { keys: ['Enter'], does: 'open the line under the cursor' },
  { keys: ['r'], does: 'release: opens the panel, sends nothing' },
  { keys: ['e'], does: 'amend: opens the panel with the editor' },
  { keys: ['d'], does: 'deny: opens the panel' },
  { keys: ['b'], does: 'break the glass: opens the first of two steps' },
  { keys: ['i'], does: 'I am on it: takes the open hold' },
  { keys: ['c'], does: 'comment on the open hold' },
  { keys: ['Ctrl Enter'], does: 'send the ruling (⌘ Enter on a Mac)' },
  { keys: ['/'], does: 'filter the queue' },
  { keys: ['s'], does: 'sort again by deadline' },
  { keys: ['Esc'], does: 'close the panel, then the hold' },
  {
    keys: ['1', '…', '6'],
    does: 'inbox, decisions, ledger, policy, overview, and privacy for who reads that',
  },
  { keys: ['?'], does: 'this list' },
];

const actionByKey: Readonly<Record<string, Action>> = {
  r: 'release',
  d: 'deny',
  e: 'amend',
  b: 'break-glass',
};

export function listenToKeys(desk: Desk): void {
  const writing = createWriting();
  /** What was written in last; null where its field was not there yet. */
  let field: Element | null = null;
  addEventListener(
    'pointerdown',
    () => {
      writing.end();
      desk.setUnheard(false);
    },
    true,
  );
  addEventListener('keydown', (event) => {
    const { identity, helpShown, unheard } = desk.get();
    if (identity === null) return writing.end();
    const press = pressOf(event);
    const isAhead = press.into === 'nothing' && isPanelToCome(desk);
    const heard = writing.hear(isAhead ? { ...press, into: 'text' } : press, field?.isConnected !== true);
    if (heard === 'written') field = isAhead || !(event.target instanceof Element) ? null : event.target;
    if (event.defaultPrevented || event.isComposing) return;
    if (heard === 'lost') {
      event.preventDefault();
      desk.setUnheard(true);
      return;
    }
    if (unheard && heard === 'command') {
      desk.setUnheard(false);
      // It says that one knows, and nothing else.
      if (event.key === 'Escape') return event.preventDefault();
    }
    if (isAhead && !press.isModified && event.key !== 'Escape') {
      if (writeAhead(desk, event)) event.preventDefault();
      return;
    }
    if (event.key === 'Escape') {
      // The help is a dialog of the browser's own and closes itself.
      if (!helpShown) stepBack(desk);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || helpShown) return;
    if (act(desk, event.key)) event.preventDefault();
  });
}

function pressOf({ key, ctrlKey, metaKey, altKey, target }: KeyboardEvent): Press {
  const isText = target instanceof HTMLTextAreaElement;
  const isLine = target instanceof HTMLInputElement && !['checkbox', 'radio'].includes(target.type);
  return {
    key,
    isModified: ctrlKey || metaKey || altKey,
    into: isText ? 'text' : isLine ? 'line' : 'nothing',
  };
}

/** A panel was asked for on a hold that is still being read: what is typed belongs to its reason. */
function isPanelToCome(desk: Desk): boolean {
  const { open, place, helpShown } = desk.get();
  if (open === null || helpShown || place.page !== 'inbox') return false;
  return open.panel !== null && open.detail === null && open.problem === '';
}

function writeAhead(desk: Desk, { key, repeat }: KeyboardEvent): boolean {
  const { open } = desk.get();
  if (open === null || (key.length > 1 && key !== 'Enter' && key !== 'Backspace')) return false;
  const { reason } = desk.draftOf(open.id);
  const longer = reason + (key === 'Enter' ? '\n' : key);
  // A key that is held down asked for the panel.
  if (!repeat) desk.keepDraft(open.id, { reason: key === 'Backspace' ? reason.slice(0, -1) : longer });
  return true;
}

function act(desk: Desk, key: string): boolean {
  const page = pagesFor(desk.get().identity)[Number(key) - 1];
  if (page !== undefined) {
    location.hash = pageAddress(page);
    return true;
  }
  if (desk.get().place.page !== 'inbox') return actOnPage(desk, key);
  const action = actionByKey[key];
  if (action !== undefined) return openPanel(desk, action);
  switch (key) {
    case 'j':
    case 'k':
      focusLine(leftBehind(desk) ?? desk.moveCursor(key === 'j' ? 1 : -1));
      return true;
    case '/':
      document.querySelector<HTMLInputElement>('#filter')?.focus();
      return true;
    case 's':
      desk.sort();
      return true;
    case 'c':
      document.querySelector<HTMLElement>('#say')?.focus();
      return true;
    case 'i':
      document.querySelector<HTMLElement>('.on-it [data-key="i"]')?.click();
      return true;
    case '?':
      desk.setHelp(true);
      return true;
    default:
      return false;
  }
}

/** Away from the inbox no key rules and none moves in the queue. */
function actOnPage(desk: Desk, key: string): boolean {
  if (key === '?') desk.setHelp(true);
  else if (key === '/') document.querySelector<HTMLElement>('main input')?.focus();
  else return false;
  return true;
}

/** The line the cursor went to when the hold on the page left the queue: it comes next, not the one after it. */
function leftBehind(desk: Desk): string | null {
  const { open, cursor } = desk.get();
  return open !== null && cursor !== open.id && !isInQueue() ? cursor : null;
}

function isInQueue(): boolean {
  return document.activeElement?.closest('#queue') != null;
}

/** On the line under the cursor while the focus is in the queue, else on the hold that is open. */
function openPanel(desk: Desk, action: Action): boolean {
  const { open, cursor } = desk.get();
  const id = isInQueue() || open === null ? cursor : open.id;
  if (id === null) return false;
  desk.show(id, action);
  goTo(id);
  return true;
}

function stepBack(desk: Desk): void {
  const { open, filter, cursor } = desk.get();
  const { activeElement } = document;
  if (activeElement?.id === 'filter') {
    if (filter !== '') desk.setFilter('');
    focusLine(cursor);
    if (activeElement instanceof HTMLElement) activeElement.blur();
  } else if (open !== null && open.panel === null && isTyping(activeElement)) {
    // What is being written in the page stays.
    document.querySelector<HTMLElement>('#hold-title')?.focus();
  } else if (open?.panel != null) {
    desk.setPanel(null);
    document.querySelector<HTMLElement>('#hold-title')?.focus();
  } else if (open !== null) {
    goTo(null);
    requestAnimationFrame(() => focusLine(cursor ?? open.id));
  }
}

/** Puts the focus on a line of the queue once it is drawn. */
export function focusLine(id: string | null): void {
  if (id === null) return;
  const line = document.getElementById(`line-${id}`);
  // A line out of sight is drawn once the cursor is on it.
  if (line === null) requestAnimationFrame(() => focusDrawn(id));
  else focusDrawn(id);
}

function focusDrawn(id: string): void {
  const line = document.getElementById(`line-${id}`);
  line?.focus({ preventScroll: true });
  line?.scrollIntoView({ block: 'nearest' });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select') !== null;
}
