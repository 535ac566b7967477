/** Where the reviewer was, kept in this tab while they are away to sign in. The address never leaves the browser. */

const storedAs = 'holdpoint.place';

export function keepPlace(): void {
  sessionStorage.setItem(storedAs, location.hash);
}

/** '' where nothing was kept; it is taken once. */
export function takeKeptPlace(): string {
  const hash = sessionStorage.getItem(storedAs) ?? '';
  sessionStorage.removeItem(storedAs);
  return hash.startsWith('#/') ? hash : '';
}
