/** Where the focus goes when what had it is done. */
import type { Desk } from './desk.ts';

/** To the title of this hold, unless the reviewer has turned elsewhere meanwhile. */
export function focusHold(desk: Desk, id: string): void {
  if (desk.get().open?.id === id) document.querySelector<HTMLElement>('#hold-title')?.focus();
}
