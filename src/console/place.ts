/** Where the reviewer is, as the address says: `#/` the inbox, `#/holds/<id>` one hold. A token never stands in it. */
import type { Desk } from './desk.ts';

/** The address of a hold's page. */
export function placeOf(id: string): string {
  return `#/holds/${encodeURIComponent(id)}`;
}

/** The hold an address names; null for the inbox and for anything that is no id. */
export function holdAt(hash: string): string | null {
  return /^#\/holds\/([A-Za-z0-9_-]{1,64})$/.exec(hash)?.[1] ?? null;
}

export function goTo(id: string | null): void {
  location.hash = id === null ? '#/' : placeOf(id);
}

/** Shows what the address says, now and whenever it changes. */
export function listenToPlace(desk: Desk): void {
  const follow = (): void => {
    const id = holdAt(location.hash);
    if (id !== desk.get().open?.id) desk.show(id);
  };
  addEventListener('hashchange', follow);
  follow();
}
