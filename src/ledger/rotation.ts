/**
 * A change of the signing key: what both keys sign, and the entry that carries it. FORMAT.md, "Keys and their
 * changes". Pure but for the signers it is given.
 */
import type { JsonObject } from './canonical.ts';
import { type Signer, signBy } from './checkpoint.ts';

/** No signed note has a NUL in it, so that a signature over this is none over a checkpoint, and the other way round. */
const statementPrefix = 'holdpoint/rotate/1\0';

/** What the old key signs to endorse the new one, and the new one to show that whoever rotates has it. */
export function rotationStatement(ledgerId: string, seq: number, oldKey: string, newKey: string): Buffer {
  return Buffer.from(`${statementPrefix}${ledgerId}\n${seq}\n${oldKey}\n${newKey}\n`);
}

export interface RotationProof {
  readonly endorsement: Buffer;
  readonly possession: Buffer;
}

/** Both signatures for a rotation at `seq`. Rejects when one of the keys does not sign. */
export async function proveRotation(
  old: Signer,
  next: Signer,
  ledgerId: string,
  seq: number,
): Promise<RotationProof> {
  const statement = rotationStatement(ledgerId, seq, old.verifierKey, next.verifierKey);
  const [endorsement, possession] = await Promise.all([signBy(old, statement), signBy(next, statement)]);
  return { endorsement, possession };
}

/** Who changed a key, and why; both are sealed. */
export interface KeyOrder {
  /** A name; `holdpoint` where the configuration asked for it. */
  readonly by: string;
  readonly reason: string;
  /** Throws once they may not ask for it any more. Called when its turn comes, for which it may have waited, and after what takes long. */
  readonly requireStanding?: () => void;
}

export function rotationData(next: Signer, proof: RotationProof, order: KeyOrder): JsonObject {
  return {
    action: 'rotate',
    by: order.by,
    endorsement: proof.endorsement.toString('base64'),
    key: next.verifierKey,
    possession: proof.possession.toString('base64'),
    reason: order.reason,
  };
}

/** The key hash that a rotation brings in; null for any other entry. */
export function incomingKid(type: string, data: JsonObject): string | null {
  const { action, key } = data;
  if (type !== 'key' || action !== 'rotate' || typeof key !== 'string') return null;
  return key.split('+')[1] ?? null;
}
