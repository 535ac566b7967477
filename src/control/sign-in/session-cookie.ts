/** The session that a request of the console's page shows: its cookie, and the page's key in a header. */
import type { IncomingMessage } from 'node:http';
import { checkSentByPage, sessionKeyOf } from '../auth.ts';
import { cookieName, readCookie } from './cookies.ts';
import type { Session, Sessions } from './sessions.ts';

/**
 * Undefined where no cookie came along, null where it opens nothing. Throws `forbidden` where the page did not send it.
 * @param origin under which the browser reached this port
 */
export function sessionOf(req: IncomingMessage, origin: URL, sessions: Sessions): Session | null | undefined {
  const id = readCookie(req, cookieName('session', origin));
  if (id === null) return undefined;
  checkSentByPage(req, origin.origin);
  return sessions.find(id, sessionKeyOf(req) ?? '');
}
