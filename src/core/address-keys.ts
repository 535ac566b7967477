/**
 * What an address may carry as a key: whatever stands before its host, and every value behind a question mark, since
 * servers of tools name theirs as they like (`?tavilyApiKey=`). Pure; imports nothing.
 */

const userInformation = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i;
const behindPath = /[?#]/;

/** The address with `mark` for each of them; all else as it is written. */
export function addressWithout(address: string, mark: string): string {
  const host = address.replace(userInformation, `$1${mark}@`);
  const cut = host.search(behindPath);
  if (cut === -1) return host;
  const pairs = host
    .slice(cut + 1)
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=');
      if (equals !== -1) return `${pair.slice(0, equals)}=${mark}`;
      return pair === '' ? '' : mark;
    });
  return `${host.slice(0, cut + 1)}${pairs.join('&')}`;
}
