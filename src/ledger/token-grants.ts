/**
 * Which control tokens were granted to whom, as `access` entries say. Derived, rebuildable, never evidence: it tells a
 * sidecar what it has sealed already.
 */
import type { Step } from './head.ts';
import { isObject, openSmallState, type SmallState } from './small-state.ts';
import type { RecordStore } from './store.ts';

export interface TokenGrant {
  /** Seq of the entry that says it. */
  readonly seq: number;
  readonly name: string;
  readonly role: string;
  /** The first 16 hex of the SHA-256 of the token. */
  readonly hash: string;
}

export interface TokenGrants extends SmallState {
  /** Those that stand, in the order of their entries. */
  all(): readonly TokenGrant[];
}

/** Opens it over the index's store, which it shares with others and does not close. */
export async function openTokenGrants(
  store: RecordStore,
  onError: (error: unknown) => void,
): Promise<TokenGrants> {
  let grants = new Map<string, TokenGrant>();

  function take({ type, seq, data }: Step): void {
    const { action, token } = data;
    if (type !== 'access' || !isObject(token)) return;
    const { name, role, hash } = token;
    if (typeof name !== 'string' || typeof role !== 'string' || typeof hash !== 'string') return;
    const grant = { seq, name, role, hash };
    if (action === 'grant') grants.set(grantKey(grant), grant);
    if (action === 'revoke') grants.delete(grantKey(grant));
  }

  const all = (): readonly TokenGrant[] => [...grants.values()];
  const state = await openSmallState({
    store,
    key: 'token grants tip',
    name: 'grants',
    isItem: isTokenGrant,
    load: (items) => {
      grants = new Map(items.map((item) => [grantKey(item), item]));
    },
    take,
    items: all,
    onError,
  });
  return { ...state, all };
}

/** A token that gets another role is granted anew. */
export function grantKey({ name, role, hash }: Pick<TokenGrant, 'name' | 'role' | 'hash'>): string {
  return `${name} ${role} ${hash}`;
}

function isTokenGrant(value: unknown): value is TokenGrant {
  if (!isObject(value)) return false;
  const { seq, name, role, hash } = value;
  return typeof seq === 'number' && [name, role, hash].every((text) => typeof text === 'string');
}
