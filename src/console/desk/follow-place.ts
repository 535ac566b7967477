/** Turns the desk to what the address says. */
import type { Desk } from './desk.ts';
import { takeKeptPlace } from './kept-place.ts';
import { holdAt, placeAt } from './place.ts';

/** Shows what the address says, now and whenever it changes. */
export function listenToPlace(desk: Desk): void {
  const follow = (): void => {
    const id = holdAt(location.hash);
    desk.turnTo(placeAt(location.hash));
    if (id !== desk.get().open?.id) desk.show(id);
  };
  const kept = takeKeptPlace();
  if (location.hash === '' && kept !== '') history.replaceState(null, '', kept);
  addEventListener('hashchange', follow);
  follow();
}
