/**
 * Who is signed in on this desk: a session begins with a token, at a provider or by a certificate, and ends by the
 * person or by the sidecar. Owns the page's key, without which the browser's cookie opens nothing.
 */

import type { HoldNotice, Identity } from '../answers/hold-data.ts';
import { type Api, ApiError, createApi } from './api.ts';
import { closedPage, endingOf, isOutage, messageOf, refusalOf, signedOut } from './desk-state.ts';
import type { Store } from './desk-store.ts';
import { backOffMs, listen } from './events.ts';
import { keepPlace } from './kept-place.ts';
import { forgetKey, keptKey, makeKey } from './page-key.ts';

export interface DeskSession {
  readonly api: () => Api;
  /** Throws `ApiError` 401 when nobody is signed in. */
  readonly identity: () => Identity;
  /** Takes up what this browser has still, or what it shows by itself. */
  start(): void;
  /** Exchanges a token for a session. */
  signIn(token: string): void;
  /** Goes to the provider that the sidecar offers; the page is left. */
  signInElsewhere(): void;
  signOut(): void;
  retryNow(): void;
  readonly complain: Complain;
}

/**
 * Shows what went wrong with what was asked of this Api; a session that is no more ends, whoever finds out. What was asked
 * in an earlier session says nothing of this one.
 */
export type Complain = (error: unknown, asked: Api) => void;

export interface SessionParts {
  readonly store: Store;
  readonly storage: Storage;
  readonly onBegun: () => void;
  readonly onEnded: () => void;
  readonly onConnected: () => void;
  readonly onNotice: (notice: HoldNotice) => void;
}

export function createDeskSession({ store, storage, ...on }: SessionParts): DeskSession {
  const { get, set } = store;
  let key = keptKey(storage);
  let api: Api = createApi(key);
  let link: ReturnType<typeof listen> | null = null;
  set({ signingIn: key !== '' });

  function open(): void {
    set({ signingIn: true, refusal: '' });
    key = makeKey(storage);
    api = createApi(key);
  }

  async function signIn(token: string): Promise<void> {
    open();
    try {
      begin(await api.signInByToken(token.trim()));
    } catch (error) {
      end(refusalOf(error));
    }
  }

  async function signInElsewhere(): Promise<void> {
    open();
    try {
      keepPlace();
      location.assign(await api.beginSignIn());
    } catch (error) {
      end(messageOf(error));
    }
  }

  async function resume(): Promise<void> {
    try {
      begin(await answered(() => api.whoami()));
    } catch (error) {
      end(endingOf(error));
    }
  }

  function begin(identity: Identity): void {
    set({ identity, signingIn: false });
    // Before the stream of events, whose answer nothing on the screen waits for.
    on.onBegun();
    link = listen(api, {
      onConnected: on.onConnected,
      onNotice: on.onNotice,
      onLink: (next) => set({ link: next }),
      onRefused: (error) => end(endingOf(error)),
    });
  }

  function end(refusal: string): void {
    link?.stop();
    link = null;
    forgetKey(storage, key);
    on.onEnded();
    const { open: page, offer, place } = get();
    set({ ...signedOut, offer, refusal, place, open: page === null ? null : closedPage(page.id) });
  }

  async function signOut(): Promise<void> {
    const ending = api.signOut();
    // The page is empty at once; that the session ended is the sidecar's word, or the page says that it did not.
    end('');
    // The answer takes the cookie away: nobody signs in before it, or it would be the next one's.
    set({ signingIn: true });
    try {
      await ending;
      set({ signingIn: false });
    } catch (error) {
      const isOver = error instanceof ApiError && error.status === 401;
      set({
        signingIn: false,
        refusal: isOver ? '' : `The session may not have ended: ${messageOf(error)}`,
      });
    }
  }

  /** Asks until the sidecar answers: an outage neither ends a session nor hides a way to sign in. */
  async function answered<T>(ask: () => Promise<T>): Promise<T> {
    let told = '';
    for (let attempts = 0; ; attempts += 1) {
      try {
        const answer = await ask();
        if (told !== '' && get().refusal === told) set({ refusal: '' });
        return answer;
      } catch (error) {
        if (!isOutage(error)) throw error;
        told = messageOf(error);
        set({ refusal: told });
        await new Promise((resolve) => setTimeout(resolve, backOffMs(attempts, Math.random())));
      }
    }
  }

  async function start(): Promise<void> {
    const resuming = key === '' ? null : resume();
    const { oidc, certificate } = await answered(() => api.offer());
    set({ offer: oidc });
    await resuming;
    // The browser shows its certificate by itself; the page needs a key all the same.
    const { identity, signingIn, refusal } = get();
    if (!certificate || identity !== null || signingIn || refusal !== '') return;
    open();
    await resume();
  }

  function complain(error: unknown, asked: Api): void {
    // Each session has an Api of its own, which outlives it until the next one.
    if (asked !== api || get().identity === null) return;
    if (error instanceof ApiError && error.status === 401) end(endingOf(error));
    else set({ problem: messageOf(error) });
  }

  /** Says what no step of signing in or out expected. */
  function fail(error: unknown): void {
    set({ signingIn: false, refusal: messageOf(error) });
  }

  return {
    api: () => api,
    identity: () => {
      const { identity } = get();
      if (identity === null) throw new ApiError(401, '', 'You are signed out.', '');
      return identity;
    },
    start: () => {
      start().catch(fail);
    },
    signIn: (token) => {
      signIn(token).catch(fail);
    },
    signInElsewhere: () => {
      signInElsewhere().catch(fail);
    },
    signOut: () => {
      signOut().catch(fail);
    },
    retryNow: () => link?.retryNow(),
    complain,
  };
}
