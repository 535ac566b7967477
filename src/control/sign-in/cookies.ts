/**
 * The two cookies of the console (RFC 6265bis). Over https they are bound to the host by `__Host-`. Plain http cannot
 * have that: there they have no prefix and are not Secure. Cookies do not know ports, so the port is in the name.
 */
import type { IncomingMessage } from 'node:http';

/** `session` stays until the browser ends; `sign-in` lives while somebody is away at their provider. */
export type CookieKind = 'session' | 'sign-in';

/** The name under which a browser that came to `origin` keeps it. */
export function cookieName(kind: CookieKind, origin: URL): string {
  const port = origin.port === '' ? '' : `-${origin.port}`;
  return `${origin.protocol === 'https:' ? '__Host-' : ''}holdpoint-${kind}${port}`;
}

/**
 * The `Set-Cookie` line. A session is Strict: no other site makes a browser send it. `sign-in` has to come along when
 * the provider sends the browser back, which Lax allows for a navigation alone.
 */
export function setCookie(kind: CookieKind, origin: URL, value: string, maxAgeSeconds?: number): string {
  const secure = origin.protocol === 'https:' ? '; Secure' : '';
  const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
  const sameSite = kind === 'session' ? 'Strict' : 'Lax';
  return `${cookieName(kind, origin)}=${value}; Path=/; HttpOnly; SameSite=${sameSite}${secure}${age}`;
}

/** The cookie's value; null where there is none, or two: then somebody else has put one there. */
export function readCookie(req: IncomingMessage, name: string): string | null {
  const values = (req.headers.cookie ?? '').split(';').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals !== -1 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
  });
  const [value] = values;
  return values.length === 1 && value !== undefined && value !== '' ? value : null;
}
