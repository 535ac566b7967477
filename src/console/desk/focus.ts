/**
 * Where the focus goes when what had it is done, gone or dead: never out of the page, where a keyboard begins again at
 * the top and a screen reader falls silent.
 */
import type { Desk } from './desk.ts';

/** To the title of this hold, unless the reviewer has turned elsewhere meanwhile. */
export function focusHold(desk: Desk, id: string): void {
  if (desk.get().open?.id === id) document.querySelector<HTMLElement>('#hold-title')?.focus();
}

const tabbable = 'a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary';
const headings = 'h1, h2, h3';

/**
 * Watches the page: where what had the focus is drawn no more, the focus goes to what stands in its place; a button that
 * was dead while its work was done has it again.
 */
export function keepFocus(root: HTMLElement): void {
  let last: HTMLElement | null = null;
  /** What stood around it, the nearest first. */
  let around: readonly HTMLElement[] = [];
  root.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLElement)) return;
    last = target;
    around = elementsAround(target, root);
  });
  // Who points elsewhere leaves the focus behind on purpose.
  root.addEventListener('pointerdown', () => {
    last = null;
  });
  new MutationObserver(() => {
    const { activeElement } = document;
    if (last === null || (activeElement !== null && activeElement !== document.body)) return;
    if (!last.isConnected) focusOn(successorOf(around));
    else if (last.matches(':enabled')) focusOn(last);
  }).observe(root, { subtree: true, childList: true, attributeFilter: ['disabled'] });
}

function elementsAround(element: HTMLElement, root: HTMLElement): readonly HTMLElement[] {
  const found: HTMLElement[] = [];
  for (let at = element.parentElement; at !== null && root.contains(at); at = at.parentElement)
    found.push(at);
  return found;
}

/** Of the nearest that is left: its place in the queue, its heading, or what else is there to press. */
function successorOf(around: readonly HTMLElement[]): HTMLElement | null {
  for (const element of around) {
    if (!element.isConnected) continue;
    // Its other buttons rule; what was ruled stands under the title.
    if (element.matches('.ruling')) return document.querySelector<HTMLElement>('#hold-title');
    const isList = element.closest('#queue') !== null || element.querySelector('#queue') !== null;
    const found =
      (isList ? shownIn(element.closest('main') ?? element, '.line-cursor') : null) ??
      shownIn(element, headings) ??
      shownIn(element, tabbable);
    if (found !== null) return found;
  }
  return null;
}

function shownIn(element: HTMLElement, selector: string): HTMLElement | null {
  const all = [...element.querySelectorAll<HTMLElement>(selector)];
  return all.find((one) => one.getClientRects().length > 0) ?? null;
}

function focusOn(element: HTMLElement | null): void {
  if (element === null) return;
  if (!element.matches(tabbable)) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}
