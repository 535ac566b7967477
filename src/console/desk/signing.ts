/**
 * Signs rulings with a key that stays in this browser. What is signed is what FORMAT.md of the ledger says under "Signed
 * rulings"; the sidecar refuses any other text. Ed25519 and SHA-256 by Web Crypto.
 */

import type { HoldSummary, Identity } from '../answers/hold-data.ts';
import type { HoldDetail } from '../answers/hold-detail.ts';
import { type Api, ApiError, type RulingRequest, type SignedRuling } from './api.ts';
import { type BrowserKey, keepKey, keptKey } from './key-store.ts';

export interface SigningState {
  /** Of the key in this browser, while it counts; '' where there is none that does. */
  readonly fingerprint: string;
  /** Whether the sidecar takes no ruling without a signature. */
  readonly required: boolean;
}

const rulesMax = 32;
const utf8 = new TextEncoder();

/** Whether this browser signs for this person now. */
export async function signingState(api: Api, identity: Identity): Promise<SigningState> {
  const { required, keys } = await api.reviewerKeys();
  const kept = await keptKey(identity.name);
  const known = keys.find(
    ({ key, owner, withdrawn }) => key === kept?.publicKey && owner === identity.name && !withdrawn,
  );
  return { required, fingerprint: known?.fingerprint ?? '' };
}

/** Makes a key that this browser never gives out, and enrols it. Rejects with what the sidecar says against it. */
export async function enrolBrowser(api: Api, identity: Identity): Promise<SigningState> {
  const pair = await newPair();
  const publicKey = toBase64(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)));
  const { origin } = await api.reviewerKeys();
  const { name } = identity;
  const possession = await signed(pair.privateKey, `holdpoint/enrol/1\0${origin}\n${name}\n${publicKey}\n`);
  // Kept first: a key that is enrolled and lost would be this person's only one.
  await keepKey({ name, publicKey, privateKey: pair.privateKey });
  await api.enrolKey({ owner: name, key: publicKey, possession, reason: 'made in a browser' });
  return signingState(api, identity);
}

async function newPair(): Promise<CryptoKeyPair> {
  if (globalThis.crypto?.subtle === undefined)
    throw new Error('This page is not on a secure address, so the browser keeps no key for it: use https.');
  const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  if ('privateKey' in pair) return pair;
  throw new Error('This browser makes no Ed25519 keys: use the command line.');
}

/** The ruling with a signature, where this browser has a key that counts; as it is where it need not have one. */
export async function signedIfPossible(
  api: Api,
  detail: HoldDetail,
  identity: Identity,
  ruling: RulingRequest,
): Promise<RulingRequest | SignedRuling> {
  const kept = await countingKey(api, identity);
  return kept === null ? ruling : sign(kept, detail, ruling, new Date(api.nowMs()));
}

/**
 * The same ruling with a signature for each hold, each of which is read for what its own signature names; null where this
 * browser has no key that counts and need not have one.
 */
export async function signedForEach(
  api: Api,
  identity: Identity,
  holds: readonly HoldSummary[],
  ruling: Pick<RulingRequest, 'verdict' | 'reason'>,
): Promise<readonly (SignedRuling & { readonly id: string })[] | null> {
  const kept = await countingKey(api, identity);
  if (kept === null) return null;
  const signed: (SignedRuling & { readonly id: string })[] = [];
  for (const { id, digest } of holds) {
    const detail = await api.hold(id);
    signed.push({ id, ...(await sign(kept, detail, { ...ruling, digest }, new Date(api.nowMs()))) });
  }
  return signed;
}

/** Null where there is none that counts and there need not be. */
async function countingKey(api: Api, identity: Identity): Promise<BrowserKey | null> {
  const state = await signingState(api, identity);
  const kept = state.fingerprint === '' ? null : await keptKey(identity.name);
  if (kept !== null || !state.required) return kept;
  throw new ApiError(
    403,
    'signature_required',
    'Rulings are signed here, and this browser has no key of yours that counts.',
    'Make one below.',
  );
}

async function sign(
  { name, publicKey, privateKey }: BrowserKey,
  { summary, policy, rules }: HoldDetail,
  ruling: RulingRequest,
  at: Date,
): Promise<SignedRuling> {
  const salt = toHex(crypto.getRandomValues(new Uint8Array(32)));
  const order = JSON.stringify({ ...ruling, salt });
  // The members in the order of their names, as canonical JSON has them.
  const statement = JSON.stringify({
    by: name,
    decision: summary.decisionId,
    digest: ruling.digest,
    hold: summary.id,
    key: publicKey,
    order: toHex(await sha256(`holdpoint/order/1\0${order}`)),
    policy: policy.digest,
    policyVersion: policy.version,
    rules: rules.slice(0, rulesMax).map(({ id }) => id),
    time: at.toISOString(),
    v: 1,
    verdict: ruling.verdict,
  });
  return {
    signed: { order, statement, value: await signed(privateKey, `holdpoint/ruling/1\0${statement}`) },
  };
}

async function signed(key: CryptoKey, message: string): Promise<string> {
  return toBase64(new Uint8Array(await crypto.subtle.sign('Ed25519', key, utf8.encode(message))));
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode(text)));
}

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
