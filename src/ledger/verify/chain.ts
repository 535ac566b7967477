/**
 * One block against everything before it: framing, leaves, hash chain, Merkle root, checkpoint; then what
 * its entries mean. Findings about a block come in that order, so that the cause stands before what
 * follows from it. Portable; imports only its own folder.
 */
import { takeAnchor, takeBlockRoot } from './anchors.ts';
import { equalBytes, hexEquals } from './encoding.ts';
import { takeErasures } from './erased.ts';
import { readBlock } from './framing.ts';
import { takeHeartbeat } from './heartbeats.ts';
import { checkIdentity } from './identity.ts';
import { checkKid, keysDue, settleRotation } from './keys.ts';
import { type Leaf, readLeaf } from './leaf.ts';
import { locateAltered } from './locate.ts';
import { type Checkpoint, checkSignature, parseCheckpoint } from './note.ts';
import { damage, type LastNote, type Pass } from './pass.ts';
import { isRefusal, type ReasonCode } from './reasons.ts';
import { applyEntry } from './state.ts';
import { appendHash, copyRange, leafHash, rootOf, type TreeRange } from './tree.ts';

/** Takes the block record whose key says `seq`, which no earlier block covers. */
export function takeBlock(pass: Pass, seq: number, value: Uint8Array): void {
  if (seq > pass.nextSeq && pass.nextIsCertain) {
    damage(pass, 'gap', pass.nextSeq, `entries ${pass.nextSeq} to ${seq - 1} are missing`);
  }
  if (seq > pass.nextSeq) {
    settleSuspect(pass, undefined, false);
    pass.treeKnown = false;
    pass.prev = undefined;
  }
  pass.blocks += 1;
  const framed = readBlock(value);
  if (framed.kind !== 'read') {
    const code = framed.kind === 'malformed' ? 'block_malformed' : 'version_unsupported';
    damage(pass, code, seq, `the block of entry ${seq} cannot be read: ${framed.reason}`);
    settleSuspect(pass, undefined, false);
    pass.treeKnown = false;
    pass.prev = undefined;
    pass.nextSeq = seq + 1;
    pass.nextIsCertain = false;
    pass.unreadableBlock = seq;
    pass.lastNote = undefined;
    return;
  }
  const { leaves: bytes, note } = framed.record;
  const { sha256 } = pass.primitives;
  const hashes = bytes.map((leaf) => leafHash(leaf, sha256));
  const read = bytes.map(readLeaf);
  const leaves = read.map((leaf, position) => {
    if (!isRefusal(leaf)) return leaf;
    damage(pass, leaf.code, seq + position, `entry ${seq + position}: ${leaf.message}`);
    return undefined;
  });
  settleSuspect(pass, leaves[0]?.prev, false);
  checkPlaces(pass, seq, leaves);
  const beforeHeartbeats = checkTree(pass, seq, leaves, hashes, note);
  pass.nextSeq = seq + bytes.length;
  pass.nextIsCertain = true;
  settleRotation(pass);
  pass.block = { seq, leaves };
  pass.decisions.reviewers.released.clear();
  judge(pass, leaves, beforeHeartbeats);
}

function checkPlaces(pass: Pass, seq: number, leaves: readonly (Leaf | undefined)[]): void {
  for (const [position, leaf] of leaves.entries()) {
    if (leaf === undefined || checkIdentity(pass, leaf, seq + position)) continue;
    // From here on the tree is not the one that was sealed; more of the same would tell nothing.
    pass.treeKnown = false;
    return;
  }
}

/** Chain, root and checkpoint; returns the tree as it stood before each heartbeat. */
function checkTree(
  pass: Pass,
  seq: number,
  leaves: readonly (Leaf | undefined)[],
  hashes: readonly Uint8Array[],
  noteBytes: Uint8Array,
): ReadonlyMap<number, TreeRange> {
  const breaks = leaves.flatMap((leaf, position) => {
    const before = position === 0 ? pass.prev : hashes[position - 1];
    return leaf === undefined || before === undefined || hexEquals(leaf.prev, before) ? [] : [position];
  });
  const before = copyRange(pass.range);
  const beforeHeartbeats = new Map<number, TreeRange>();
  for (const [position, hash] of hashes.entries()) {
    if (leaves[position]?.type === 'heartbeat' && beforeHeartbeats.size === 0)
      beforeHeartbeats.set(seq + position, copyRange(pass.range));
    extend(pass, hash);
  }
  pass.prev = hashes.at(-1);
  const note = readNote(pass, seq, hashes.length, noteBytes);
  if (note !== undefined && pass.treeKnown && !equalBytes(note.root, rootOf(pass.range))) {
    pass.intact = false;
    const prevs = leaves.map((_leaf, position) => leaves[position + 1]?.prev);
    pass.suspect = { seq, hashes, before, statedRoot: note.root, prevs, breaks };
    const located = locateAltered(before, hashes, prevs, note.root);
    if (located !== undefined) restore(pass, located.altered, located.hashes);
  } else {
    reportBreaks(pass, seq, breaks);
    if (pass.treeKnown) takeBlockRoot(pass);
  }
  return beforeHeartbeats;
}

/** The block's checkpoint when its text and its signature lines are those due here: one, two at a rotation. */
function readNote(pass: Pass, seq: number, count: number, bytes: Uint8Array): Checkpoint | undefined {
  const due = keysDue(pass);
  pass.lastNote = { seq, note: undefined, due, holds: undefined };
  const where = `the checkpoint of block ${seq}`;
  const note = parseCheckpoint(bytes);
  if (isRefusal(note)) {
    damage(pass, note.code, seq, `${where}: ${note.message}`);
    return undefined;
  }
  let sound = true;
  const refuse = (code: Parameters<typeof damage>[1], message: string): void => {
    sound = false;
    damage(pass, code, seq, `${where} ${message}`);
  };
  if (pass.ledger !== '' && note.origin !== `holdpoint/${pass.ledger}`) {
    refuse('ledger_mismatch', `is of ${note.origin}`);
  }
  if (note.size !== seq + count) {
    refuse('checkpoint_size_mismatch', `says ${note.size} entries, there are ${seq + count}`);
  }
  const { signatures } = note;
  const foreign = signatures.find(({ name }) => name !== note.origin);
  const [first] = signatures;
  if (foreign !== undefined) {
    refuse('key_unknown', `is signed in the name of ${foreign.name}`);
  } else if (signatures.length > Math.max(1, due.length)) {
    refuse('note_malformed', `has ${signatures.length} signatures where ${Math.max(1, due.length)} are due`);
  } else if (due.length > 1) {
    const missing = due.find(({ keyHash }, position) => signatures[position]?.keyHash !== keyHash);
    if (missing !== undefined) {
      refuse('boundary_half_signed', `ends a key's time and lacks the signature of ${missing.keyHash}`);
    }
  } else if (first !== undefined && !checkKid(pass, first.keyHash, seq, where)) {
    sound = false;
  }
  if (signatures.some(({ signature }) => signature.length !== 64)) {
    refuse('signature_invalid', 'has a signature that is not 64 bytes long');
  }
  if (sound) pass.lastNote = { seq, note, due, holds: undefined };
  // Where one key hands over to the next, both signatures carry authority for all that follows.
  if (sound && (pass.everySignature || due.length > 1)) checkNoteSignature(pass);
  return note;
}

/** Checks the signatures of the checkpoint read last, once; true when they hold. */
export function checkNoteSignature(pass: Pass): boolean {
  const { lastNote } = pass;
  if (lastNote === undefined) return false;
  lastNote.holds ??= signaturesHold(pass, lastNote);
  return lastNote.holds;
}

function signaturesHold(pass: Pass, { seq, note, due }: LastNote): boolean {
  if (note === undefined) return false;
  const checked = due.length === 0 ? [pass.trusted ?? []] : due.map((key) => [key]);
  const refusals = checked.map((keys) => checkSignature(note, keys)).filter((found) => found !== undefined);
  for (const { code, message } of refusals) {
    damage(pass, code, seq, `the signature of the checkpoint of block ${seq}: ${message}`);
  }
  return refusals.length === 0;
}

/**
 * Says what was wrong with the block whose root disagreed, now that more is known.
 * @param nextPrev `prev` of the entry after it
 * @param signed that its checkpoint's signature holds, so that its entries must have been altered
 */
export function settleSuspect(pass: Pass, nextPrev: string | undefined, signed: boolean): void {
  const { suspect } = pass;
  if (suspect === undefined) return;
  pass.suspect = undefined;
  const { seq, hashes, before, statedRoot, breaks } = suspect;
  const last = hashes.length - 1;
  const lastHash = hashes[last];
  const prevs = suspect.prevs.map((prev, position) => (position === last ? nextPrev : prev));
  const located = locateAltered(before, hashes, prevs, statedRoot);
  if (located !== undefined) {
    pass.suspect = suspect;
    restore(pass, located.altered, located.hashes);
    return;
  }
  reportBreaks(pass, seq, breaks);
  if (signed && hashes.length === 1) {
    damage(pass, 'entry_altered', seq, `entry ${seq} was altered: its checkpoint is signed over another one`);
    return;
  }
  const textOnly =
    breaks.length === 0 && nextPrev !== undefined && lastHash !== undefined && hexEquals(nextPrev, lastHash);
  if (!textOnly) pass.treeKnown = false;
  const cause = textOnly
    ? 'the checkpoint was altered: the chain goes on past it unchanged'
    : 'entries were altered';
  damage(
    pass,
    'root_mismatch',
    seq,
    `entries ${seq} to ${seq + last} do not hash to the root stated there; ${cause}`,
  );
}

/** Reports the altered entries and goes on with the tree as it was sealed, so that they stay one finding. */
function restore(pass: Pass, altered: readonly number[], hashes: readonly Uint8Array[]): void {
  const { suspect } = pass;
  if (suspect === undefined) return;
  pass.suspect = undefined;
  for (const position of altered) {
    const seq = suspect.seq + position;
    damage(pass, 'entry_altered', seq, `entry ${seq} is not the one whose hash was sealed`);
  }
  const explained = new Set(altered.flatMap((position) => [position, position + 1]));
  reportBreaks(
    pass,
    suspect.seq,
    suspect.breaks.filter((position) => !explained.has(position)),
  );
  pass.range = copyRange(suspect.before);
  for (const hash of hashes) extend(pass, hash);
  pass.prev = hashes.at(-1);
}

function reportBreaks(pass: Pass, seq: number, breaks: readonly number[]): void {
  for (const position of breaks) {
    const at = seq + position;
    damage(pass, 'chain_broken', at, `entry ${at} does not name the hash of entry ${at - 1}`);
  }
}

function extend(pass: Pass, hash: Uint8Array): void {
  appendHash(pass.range, hash);
  if (pass.treeKnown && pass.watched.has(pass.range.size))
    pass.watched.set(pass.range.size, rootOf(pass.range));
}

/** What the entries mean; only while nothing before them was damaged. */
function judge(
  pass: Pass,
  leaves: readonly (Leaf | undefined)[],
  beforeHeartbeats: ReadonlyMap<number, TreeRange>,
): void {
  for (const leaf of leaves) {
    if (leaf === undefined) continue;
    const { entry, seq } = leaf;
    if (entry.type === 'heartbeat') takeHeartbeat(pass, leaf, entry, beforeHeartbeats);
    const report = (code: ReasonCode, message: string): void =>
      pass.findings.add(code, seq, `entry ${seq} (${leaf.type}): ${message}`);
    takeErasures(pass.erasures, leaf, pass.decisions, pass.intact ? report : undefined);
    if (!pass.intact) continue;
    if (entry.type === 'anchor') takeAnchor(pass, seq, entry);
    pass.judged = seq + 1;
    applyEntry(pass.decisions, leaf, report);
  }
}
