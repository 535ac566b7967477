/**
 * The chain of signing keys: which key the ledger was under from where to where, and whether each one was brought in
 * by the one before it. Ed25519 by tweetnacl. Portable; imports only its own folder.
 */
import { ascii } from './encoding.ts';
import type { RevocationEntry, RotationEntry } from './key-entries.ts';
import type { Leaf } from './leaf.ts';
import { checkEd25519, parseVerifierKey, type VerifierKey } from './note.ts';
import { damage, type KeySpan, type Pass } from './pass.ts';
import { isRefusal, type ReasonCode } from './reasons.ts';

/** Key hashes that no rotation has brought in so far, and where each was first met. */
const strangersMax = 16;

/** The key that the ledger begins under. */
export function beginKeys(pass: Pass, key: VerifierKey): void {
  pass.key = key;
  pass.keys.push({ key, from: 0, to: undefined, revoked: undefined });
}

/** Reports an entry or checkpoint under another key than the one in use at `seq`; true when it is under that one. */
export function checkKid(pass: Pass, kid: string, seq: number, what: string): boolean {
  const { key } = pass;
  if (key === undefined || kid === key.keyHash) return true;
  const former = pass.keys.find((span) => span.key.keyHash === kid);
  if (former !== undefined) {
    damage(pass, 'key_used_late', seq, `${what} is under ${kid}, which entry ${former.to ?? 0} rotated out`);
    return false;
  }
  if (!pass.strangers.has(kid) && pass.strangers.size < strangersMax) pass.strangers.set(kid, seq);
  damage(pass, 'key_unknown', seq, `${what} is under ${kid}, the ledger's key is ${key.keyHash}`);
  return false;
}

/** Takes a rotation: it comes into force with the next block, and its own block is signed by both keys. */
export function takeRotation(pass: Pass, leaf: Leaf, entry: RotationEntry): void {
  const { seq, ledger } = leaf;
  const old = pass.key;
  if (old === undefined) return;
  const report = (code: ReasonCode, why: string): void =>
    damage(pass, code, seq, `entry ${seq} (rotation): ${why}`);
  const next = parseVerifierKey(entry.key);
  if (isRefusal(next)) {
    report(next.code, next.message);
    return;
  }
  if (next.origin !== old.origin) report('ledger_mismatch', `the new key is for ${next.origin}`);
  if (pass.keys.some(({ key }) => key.keyHash === next.keyHash)) {
    report('rotation_to_former_key', `the ledger was under ${next.keyHash} before`);
  }
  const statement = rotationStatement(ledger, seq, old.text, next.text);
  const endorsement = checkEd25519(statement, entry.endorsement, old);
  if (endorsement !== undefined) {
    report('rotation_not_endorsed', `the endorsement by ${old.keyHash}: ${endorsement.message}`);
  }
  const possession = checkEd25519(statement, entry.possession, next);
  if (possession !== undefined) {
    report(
      'rotation_without_possession',
      `the proof of possession of ${next.keyHash}: ${possession.message}`,
    );
  }
  const early = pass.strangers.get(next.keyHash);
  if (early !== undefined) {
    pass.findings.retell('key_unknown', early, {
      code: 'key_used_early',
      message: `entry ${early} or its checkpoint is under ${next.keyHash}, which only entry ${seq} brings in`,
    });
  }
  pass.incoming = next;
}

/** Takes a revocation: by the key in use, of one before it, never for more than that one signed. */
export function takeRevocation(pass: Pass, seq: number, { key, size }: RevocationEntry): void {
  const span = pass.keys.find((candidate) => candidate.key.text === key);
  if (span?.to === undefined || size > span.to) {
    const why = span?.to === undefined ? 'is none of the former keys' : `signed ${span.to} entries at most`;
    damage(pass, 'revocation_unfounded', seq, `entry ${seq} revokes ${key} down to ${size}, which ${why}`);
    return;
  }
  if (span.revoked === undefined || size < span.revoked.size) span.revoked = { seq, size };
}

/**
 * What rests on a revoked key alone. Whoever has it can sign another history from before the rotation; what somebody
 * remembered elsewhere is the only thing that tells which is the real one.
 * @param rememberedSize entries covered by a checkpoint that was kept; 0 without one
 */
export function checkRevocations(pass: Pass, trusted: readonly VerifierKey[], rememberedSize: number): void {
  for (const { key, to = 0, revoked } of pass.keys) {
    if (revoked === undefined) continue;
    const from = Math.max(revoked.size, rememberedSize);
    if (from < to) {
      const what = `entries ${from} to ${to - 1} were sealed under ${key.keyHash}`;
      pass.findings.add(
        'key_revoked',
        from,
        `${what}, which entry ${revoked.seq} revokes from ${revoked.size} on`,
      );
    }
  }
  const vouching = pass.keys.filter(({ key }) => trusted.includes(key));
  const lost = vouching.filter(({ to = 0, revoked }) => revoked !== undefined && rememberedSize < to);
  const [first] = lost;
  if (first?.revoked === undefined || lost.length < vouching.length) return;
  const message = `the trusted key ${first.key.keyHash} was revoked by entry ${first.revoked.seq}: what it endorsed needs a key or checkpoint from elsewhere`;
  pass.findings.add('key_revoked', first.revoked.seq, message);
}

/** The keys that sign the checkpoint of the block that was read last. */
export function keysDue(pass: Pass): readonly VerifierKey[] {
  return [pass.key, pass.incoming].filter((key) => key !== undefined);
}

/** Ends the block: what a rotation in it brought in is in force from the next one. */
export function settleRotation(pass: Pass): void {
  const { incoming } = pass;
  pass.incoming = undefined;
  const last = pass.keys.at(-1);
  if (incoming === undefined || last === undefined) return;
  last.to = pass.nextSeq;
  pass.keys.push({ key: incoming, from: pass.nextSeq, to: undefined, revoked: undefined });
  pass.key = incoming;
}

/** The keys that may sign a checkpoint over `size` entries; two at a boundary, none where the ledger has no key. */
export function keysAt(pass: Pass, size: number): readonly VerifierKey[] {
  return pass.keys.filter((span) => covers(span, size)).map(({ key }) => key);
}

function covers({ from, to }: KeySpan, size: number): boolean {
  return size >= from && (to === undefined || size <= to);
}

/** Which of the given keys are of this ledger. Reports when none is: the entries then hang on nobody's word. */
export function checkTrust(pass: Pass): readonly VerifierKey[] {
  const { trusted, keys } = pass;
  if (trusted === undefined) return [];
  const known = keys.map(({ key }) => key).filter(({ text }) => trusted.some((one) => one.text === text));
  // Not `damage`: the entries hang together, only under keys nobody vouched for.
  if (known.length === 0 && keys.length > 0) {
    const names = keys.map(({ key }) => key.text).join(', ');
    pass.findings.add('key_unknown', 0, `the ledger's keys (${names}) are none of the trusted ones`);
  }
  return known;
}

/** "holdpoint/rotate/1\0" || ledger || LF || seq || LF || old verifier key || LF || new verifier key || LF. */
function rotationStatement(ledger: string, seq: number, oldKey: string, newKey: string): Uint8Array {
  return ascii.encode(`holdpoint/rotate/1\0${ledger}\n${seq}\n${oldKey}\n${newKey}\n`);
}
