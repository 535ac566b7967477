/**
 * The key of this page's session: 256 bits made here, kept in this origin's storage for all its tabs. It opens nothing
 * without the session's cookie, nor the cookie without it: the cookie goes to every port of the host, this does not.
 */

const storedAs = 'holdpoint.session-key';
const keyBytes = 32;

/** '' where nobody signed in from this origin. */
export function keptKey(storage: Storage): string {
  return storage.getItem(storedAs) ?? '';
}

/** A new one for a new session. */
export function makeKey(storage: Storage): string {
  const bytes = crypto.getRandomValues(new Uint8Array(keyBytes));
  const text = btoa(String.fromCharCode(...bytes));
  const key = text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  storage.setItem(storedAs, key);
  return key;
}

/** Unless another tab has put that of a newer session there. */
export function forgetKey(storage: Storage, key: string): void {
  if (storage.getItem(storedAs) === key) storage.removeItem(storedAs);
}
