/** Who may talk to the control port: the right host name, the right origin, and a token that is known. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { Identity } from '../store/token-file.ts';

const failuresPerMinuteMax = 20;
const addressesMax = 10_000;

/**
 * Refuses requests that a page of another site makes a browser send: a Host that is a name nobody configured
 * (DNS rebinding), an Origin that is not this server, a cross-site fetch. IP addresses cannot be rebound.
 */
export function checkOrigin(req: IncomingMessage, hostNames: ReadonlySet<string>): void {
  const host = req.headers.host ?? '';
  const name = hostName(host);
  if (!(isIP(name) !== 0 || name === 'localhost' || hostNames.has(name))) {
    throw new HoldpointError(
      'forbidden',
      'This host name is not configured for the control port.',
      'Add it to control.hosts, or use the address.',
    );
  }
  const { origin } = req.headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    throw new HoldpointError('forbidden', 'Requests from other origins are refused.');
  }
  if (req.headers['sec-fetch-site'] === 'cross-site' && req.headers['sec-fetch-mode'] !== 'navigate') {
    throw new HoldpointError('forbidden', 'Cross-site requests are refused.');
  }
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]]+)\](:\d+)?$/.exec(host);
  return (bracketed?.[1] ?? host.replace(/:\d+$/, '')).toLowerCase();
}

/** Builds the check of bearer tokens; failures are counted by address and slowed with 429, valid tokens always pass. */
export function createAuthenticator(
  lookUp: (token: string) => Promise<Identity | null>,
  clock: Clock,
): (req: IncomingMessage) => Promise<Identity> {
  const failures = new Map<string, { minute: number; count: number }>();

  function failed(req: IncomingMessage): HoldpointError {
    // Nothing was guessed.
    if (req.headers.authorization === undefined) return unknownToken();
    const address = req.socket.remoteAddress ?? '';
    const minute = Math.floor(clock.nowMs() / 60_000);
    const earlier = failures.get(address);
    const count = earlier?.minute === minute ? earlier.count + 1 : 1;
    if (failures.size >= addressesMax) failures.clear();
    failures.set(address, { minute, count });
    if (count > failuresPerMinuteMax)
      return new HoldpointError('too_many_attempts', 'Too many failed attempts.', 'Wait a minute.');
    return unknownToken();
  }

  return async (req) => {
    const match = /^Bearer ([A-Za-z0-9_-]{16,128})$/.exec(req.headers.authorization ?? '');
    const identity = match?.[1] === undefined ? null : await knownBy(lookUp, match[1]);
    if (identity === null) throw failed(req);
    return identity;
  };
}

function unknownToken(): HoldpointError {
  return new HoldpointError(
    'unauthenticated',
    'The token is missing or not known.',
    'Make one with: holdpoint token new --name NAME --role ROLE, and send it as Authorization: Bearer.',
  );
}

/** A token file that cannot be read is our failure, not the caller's: nobody is let in and the log says why. */
async function knownBy(
  lookUp: (token: string) => Promise<Identity | null>,
  token: string,
): Promise<Identity | null> {
  try {
    return await lookUp(token);
  } catch (error) {
    if (
      error instanceof HoldpointError &&
      (error.code === 'ledger_unavailable' || error.code === 'overloaded')
    )
      throw error;
    throw new HoldpointError('internal', messageOf(error), '', error);
  }
}
