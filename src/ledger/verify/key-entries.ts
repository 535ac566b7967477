/**
 * What `key` entries say: of the ledger's own keys, and of the keys that people sign rulings with. Portable; imports only
 * its own folder.
 */
import type { JsonObject } from './canonical.ts';
import { bytesIn, isCount, isList, isMatching } from './fields.ts';

/** A key that signs a person's rulings from here on. */
export interface EnrolmentEntry {
  readonly type: 'enrolment';
  readonly by: string;
  readonly role: string;
  readonly owner: string;
  /** Base64 of 32 bytes. */
  readonly key: string;
  readonly possession: Uint8Array;
}

/** A reviewer's key that counts no more. */
export interface WithdrawalEntry {
  readonly type: 'withdrawal';
  readonly by: string;
  readonly role: string;
  readonly key: string;
}

/** A new signing key, and what both keys signed over it. */
export interface RotationEntry {
  readonly type: 'rotation';
  readonly key: string;
  readonly endorsement: Uint8Array;
  readonly possession: Uint8Array;
}

/** A former signing key that is trusted no further than to a size. */
export interface RevocationEntry {
  readonly type: 'revocation';
  readonly key: string;
  readonly size: number;
}

/** Key-encryption keys by id, each in a box for the escrow holder. */
export interface EscrowEntry {
  readonly type: 'escrow';
  readonly boxes: readonly (readonly [string, Uint8Array])[];
}

export type KeyEntry = RotationEntry | RevocationEntry | EscrowEntry | EnrolmentEntry | WithdrawalEntry;

const hex8 = /^[0-9a-f]{8}$/;

/** Undefined where it is no entry about keys; `unchecked` for one of which nothing is checked. */
export function readKey(data: JsonObject, seq: number): KeyEntry | 'unchecked' | undefined {
  const { action, by, reason, key } = data;
  if (typeof by !== 'string' || typeof reason !== 'string') return undefined;
  if (action === 'enrol' || action === 'withdraw') return readReviewerKey(data);
  if (action === 'escrow') return readEscrow(data);
  if (action === 'epoch' || action === 'retire') {
    if (!isMatching(data['kek'], hex8)) return undefined;
    return data['boxes'] === undefined ? 'unchecked' : readEscrow(data);
  }
  if (action === 'revoke') {
    const { size } = data;
    return typeof key === 'string' && isCount(size) && size <= seq
      ? { type: 'revocation', key, size }
      : undefined;
  }
  const endorsement = bytesIn(data['endorsement']);
  const possession = bytesIn(data['possession']);
  if (action !== 'rotate' || typeof key !== 'string') return undefined;
  return endorsement === undefined || possession === undefined
    ? undefined
    : { type: 'rotation', key, endorsement, possession };
}

function readReviewerKey({
  action,
  by,
  role,
  key,
  owner,
  possession,
}: JsonObject): EnrolmentEntry | WithdrawalEntry | undefined {
  if (typeof by !== 'string' || typeof role !== 'string' || typeof key !== 'string') return undefined;
  if (bytesIn(key)?.length !== 32) return undefined;
  if (action === 'withdraw') return { type: 'withdrawal', by, role, key };
  const proof = bytesIn(possession);
  return typeof owner !== 'string' || owner === '' || proof === undefined
    ? undefined
    : { type: 'enrolment', by, role, owner, key, possession: proof };
}

const boxBytes = 32 + 24 + 48;

function readEscrow({ boxes: list, to }: JsonObject): EscrowEntry | undefined {
  if (!isList(list) || bytesIn(to)?.length !== 32) return undefined;
  const boxes: (readonly [string, Uint8Array])[] = [];
  for (const pair of list) {
    if (!isList(pair) || pair.length !== 2) return undefined;
    const [id, text] = pair;
    const box = bytesIn(text);
    if (!isMatching(id, hex8) || box?.length !== boxBytes) return undefined;
    boxes.push([id, box]);
  }
  return { type: 'escrow', boxes };
}
