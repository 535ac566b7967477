/** How this tab gets in and out: the session that is there, a token, the provider that the sidecar offers. */
import { type Api, ApiError, createApi } from './api.ts';
import { type DeskState, endingOf, messageOf, refusalOf } from './desk-state.ts';
import type { Identity } from './hold-data.ts';
import { keepPlace } from './kept-place.ts';
import { forgetKey, keptKey, makeKey } from './page-key.ts';

/** What the desk does when somebody is in, or no more. */
export interface Inside {
  get(): DeskState;
  set(change: Partial<DeskState>): void;
  /** Calls go this way from now on. */
  use(api: Api): void;
  begin(identity: Identity): void;
  /** Leaves nothing of what was seen on the page. */
  end(refusal: string): void;
}

export interface Entrance {
  /** Takes the session that this browser has up again, and asks how else people get in. */
  open(): Promise<void>;
  byToken(token: string): Promise<void>;
  /** The page is left for the provider. */
  elsewhere(): Promise<void>;
  signOut(): Promise<void>;
  /** The session is over, and its key worth nothing. */
  forget(): void;
}

export function createEntrance(storage: Storage, inside: Inside): Entrance {
  let key = keptKey(storage);
  let api = createApi(key);
  inside.use(api);

  function newSession(): void {
    inside.set({ signingIn: true, refusal: '' });
    key = makeKey(storage);
    api = createApi(key);
    inside.use(api);
  }

  async function resume(): Promise<void> {
    try {
      inside.begin(await api.whoami());
    } catch (error) {
      inside.end(endingOf(error));
    }
  }

  return {
    open: async () => {
      const resuming = key === '' ? null : resume();
      const { oidc, certificate } = await api.offer();
      inside.set({ offer: oidc });
      await resuming;
      // The browser shows its certificate by itself; the page needs a key all the same.
      const { identity, signingIn, refusal } = inside.get();
      if (!certificate || identity !== null || signingIn || refusal !== '') return;
      newSession();
      await resume();
    },
    byToken: async (token) => {
      newSession();
      try {
        inside.begin(await api.signInByToken(token.trim()));
      } catch (error) {
        inside.end(refusalOf(error));
      }
    },
    elsewhere: async () => {
      newSession();
      try {
        keepPlace();
        location.assign(await api.beginSignIn());
      } catch (error) {
        inside.end(messageOf(error));
      }
    },
    signOut: async () => {
      const ending = api.signOut();
      inside.end('');
      // The answer takes the cookie away: nobody signs in before it, or it would be the next one's.
      inside.set({ signingIn: true });
      try {
        await ending;
        inside.set({ signingIn: false });
      } catch (error) {
        const isOver = error instanceof ApiError && error.status === 401;
        const refusal = isOver ? '' : `The session may not have ended: ${messageOf(error)}`;
        inside.set({ signingIn: false, refusal });
      }
    },
    forget: () => forgetKey(storage, key),
  };
}
