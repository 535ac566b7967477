/**
 * Whether an entry belongs where it stands: its number, its ledger, its key, its clocks. Portable; imports
 * only its own folder.
 */

import { beginKeys, checkKid, takeRevocation, takeRotation } from './keys.ts';
import type { Leaf } from './leaf.ts';
import { parseVerifierKey } from './note.ts';
import { damage, type Pass } from './pass.ts';
import { isRefusal } from './reasons.ts';

/** Checks one readable leaf that stands at `seq`; false when it carries another number. */
export function checkIdentity(pass: Pass, leaf: Leaf, seq: number): boolean {
  const inPlace = leaf.seq === seq;
  if (!inPlace) {
    damage(pass, 'seq_mismatch', seq, `where entry ${seq} belongs stands one that calls itself ${leaf.seq}`);
  }
  if (pass.ledger === '') pass.ledger = leaf.ledger;
  if (leaf.ledger !== pass.ledger) {
    damage(pass, 'ledger_mismatch', seq, `entry ${seq} belongs to ledger ${leaf.ledger}, not ${pass.ledger}`);
    return inPlace;
  }
  checkKey(pass, leaf, seq);
  if (leaf.boot === pass.boot && leaf.mono < pass.mono) {
    const message = `entry ${seq} was made at ${leaf.mono} us of boot ${leaf.boot}, the one before at ${pass.mono}`;
    damage(pass, 'mono_decreased', seq, message);
  }
  pass.boot = leaf.boot;
  pass.mono = leaf.mono;
  if (leaf.at < pass.lastAt) pass.clockSteps += 1;
  if (pass.firstAt === '') pass.firstAt = leaf.at;
  pass.lastAt = leaf.at;
  pass.durabilities.add(leaf.durability);
  pass.counts[leaf.type] = (pass.counts[leaf.type] ?? 0) + 1;
  return inPlace;
}

function checkKey(pass: Pass, leaf: Leaf, seq: number): void {
  const { entry } = leaf;
  if (entry.type === 'genesis' && seq === 0) {
    if (entry.origin !== `holdpoint/${leaf.ledger}`) {
      damage(pass, 'ledger_mismatch', seq, `the origin ${entry.origin} is not that of ledger ${leaf.ledger}`);
    }
    const key = parseVerifierKey(entry.key);
    if (isRefusal(key)) {
      damage(pass, key.code, seq, `entry 0 (genesis): ${key.message}`);
      return;
    }
    beginKeys(pass, key);
    if (key.origin !== entry.origin) {
      damage(pass, 'ledger_mismatch', seq, `the key of entry 0 is for ${key.origin}, not ${entry.origin}`);
    }
  }
  if (pass.incoming !== undefined) {
    damage(pass, 'key_used_late', seq, `entry ${seq} stands in the block of a rotation, after the rotation`);
    return;
  }
  checkKid(pass, leaf.kid, seq, `entry ${seq}`);
  if (entry.type === 'revocation' && leaf.seq === seq) takeRevocation(pass, seq, entry);
  if (entry.type === 'rotation' && leaf.seq === seq) takeRotation(pass, leaf, entry);
}
