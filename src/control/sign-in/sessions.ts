/**
 * Sessions of the console. In memory, on purpose: a restart ends them all, so that nothing on the disk opens the
 * control port, and what the configuration then says of roles counts for everybody. Ids are kept as hashes alone.
 *
 * A session takes two secrets. The cookie has its id, which scripts cannot read; but browsers send cookies to every
 * port of a host, another program's too. So each request also shows a key in a header, which the page made, keeps in
 * its own origin's storage, and of which the sidecar was told the SHA-256 at the sign-in. No other page has it either:
 * a request that another site makes a browser send is without.
 */
import type { ServerResponse } from 'node:http';
import { equalsConstantTime, sha256Hex } from '../../core/bytes.ts';
import type { Clock, RandomBytes, Schedule } from '../../core/clock.ts';
import type { Caller } from './caller.ts';

export const sessionKeyHeader = 'holdpoint-session-key';
const idBytes = 32;
const sessionsMax = 2_000;
/** One person's; the oldest of theirs goes first. */
const sessionsOfOneMax = 20;

export interface SessionBounds {
  readonly idleMsMax: number;
  readonly lifetimeMsMax: number;
}

/** How somebody got in. */
export type Via = 'token' | 'oidc';

export interface NewSession {
  readonly via: Via;
  /** SHA-256 of the page's key, 64 hex. */
  readonly keyHash: string;
  /** Who it is by now; null once they are nobody here any more. */
  readonly current: () => Caller | null;
}

export interface Session {
  readonly via: Via;
  readonly caller: Caller;
  /** Who it is by now; null once it is over. Asking is no use of the session. */
  current(): Caller | null;
  /** Cuts the answer off when the session ends: a stream must not outlive it. */
  cover(res: ServerResponse): void;
}

export interface Sessions {
  /** Starts one; returns the value for the cookie. The id is always new. */
  start(session: NewSession, caller: Caller): string;
  /** Null where there is none, it is over, or the key is another. */
  find(id: string, key: string): Session | null;
  /** Ends it, whoever knows its id; returns who it was, or null. */
  end(id: string): Pick<Session, 'via' | 'caller'> | null;
  /** Ends all. */
  close(): void;
}

interface Kept {
  readonly session: NewSession;
  readonly name: string;
  readonly startedMono: number;
  usedMono: number;
  readonly covered: Set<ServerResponse>;
  cancel: () => void;
}

/** Times are measured on the clock that never jumps back. */
export function createSessions(
  { idleMsMax, lifetimeMsMax }: SessionBounds,
  clock: Clock,
  schedule: Schedule,
  random: RandomBytes,
): Sessions {
  /** By the hash of the id, the one that began first in front. */
  const kept = new Map<string, Kept>();
  const nowMs = (): number => clock.monoUs() / 1000;

  function leftMs(one: Kept): number {
    const now = nowMs();
    return Math.min(one.startedMono + lifetimeMsMax, one.usedMono + idleMsMax) - now;
  }

  function drop(hash: string): Kept | null {
    const one = kept.get(hash);
    if (one === undefined) return null;
    kept.delete(hash);
    one.cancel();
    for (const res of one.covered) res.destroy();
    return one;
  }

  /** A stream that is open when the time is over ends then, and not at the next request. */
  function watch(hash: string, one: Kept): void {
    one.cancel = schedule(Math.max(1, Math.ceil(leftMs(one))), () => {
      if (leftMs(one) <= 0) drop(hash);
      else watch(hash, one);
    });
  }

  function makeRoomFor(name: string): void {
    const theirs = [...kept].filter(([, one]) => one.name === name);
    for (const [hash] of theirs.slice(0, Math.max(0, theirs.length + 1 - sessionsOfOneMax))) drop(hash);
    if (kept.size < sessionsMax) return;
    const [unused] = [...kept].sort(([, a], [, b]) => a.usedMono - b.usedMono);
    if (unused !== undefined) drop(unused[0]);
  }

  return {
    start: (session, { name }) => {
      makeRoomFor(name);
      const id = random(idBytes).toString('base64url');
      const now = nowMs();
      const one: Kept = {
        session,
        name,
        startedMono: now,
        usedMono: now,
        covered: new Set(),
        cancel: () => undefined,
      };
      kept.set(sha256Hex(id), one);
      watch(sha256Hex(id), one);
      return id;
    },
    find: (id, key) => {
      const hash = sha256Hex(id);
      const one = kept.get(hash);
      if (one === undefined || !equalsConstantTime(one.session.keyHash, sha256Hex(key))) return null;
      const caller = leftMs(one) <= 0 ? null : one.session.current();
      // Whoever they are now is who they were, or the session is another person's.
      if (caller === null || caller.name !== one.name) {
        drop(hash);
        return null;
      }
      one.usedMono = nowMs();
      return {
        via: one.session.via,
        caller,
        current: () => (kept.get(hash) === one && leftMs(one) > 0 ? one.session.current() : null),
        cover: (res) => {
          one.covered.add(res);
          res.once('close', () => one.covered.delete(res));
        },
      };
    },
    end: (id) => {
      const one = drop(sha256Hex(id));
      const caller = one?.session.current() ?? null;
      return one === null || caller === null ? null : { via: one.session.via, caller };
    },
    close: () => {
      for (const hash of [...kept.keys()]) drop(hash);
    },
  };
}
