/** What a verdict does not show, in plain words. Pure; portable; imports only its own folder. */
import { counted } from './counted.ts';
import type { ErasedCounts, Erasures } from './erased.ts';
import { findingsMax } from './findings.ts';
import type { VerifierKey } from './note.ts';
import { type Covered, countStrangeLines } from './outside.ts';
import { aboutOversight } from './oversight.ts';
import type { Pass } from './pass.ts';
import { aboutPeople } from './people.ts';
import type { Remembered } from './remembered.ts';

export interface CaveatOptions {
  readonly highWater?: string | null;
  readonly everySignature?: boolean;
}

export function notesOf(
  pass: Pass,
  options: CaveatOptions,
  remembered: Remembered,
  covered: Covered,
): readonly string[] {
  return [
    ...aboutTrust(pass, options, remembered, covered),
    ...aboutReach(pass, options),
    ...aboutRecord(pass),
  ];
}

function aboutTrust(
  pass: Pass,
  options: CaveatOptions,
  remembered: Remembered,
  covered: Covered,
): readonly string[] {
  const notes: string[] = [];
  const { anchoredSize, witnesses } = covered;
  const anchored = anchoredSize > 0 || witnesses.length > 0;
  if (anchoredSize > 0 && anchoredSize < pass.nextSeq) {
    notes.push(
      `ANCHORED covers the first ${anchoredSize} entries; those after them rest on the ledger alone.`,
    );
  }
  for (const { name, size, at } of witnesses) {
    notes.push(`${name} cosigned the first ${size} of ${pass.nextSeq} entries at ${at}.`);
  }
  if (witnesses.length > 0 && remembered.checkpoint === undefined) {
    notes.push(
      'Cosignatures beside the ledger do not exclude a rollback to when they were made: ask a witness for its latest checkpoint and give it with --checkpoint.',
    );
  }
  if (remembered.outside.witnesses.length === 0 && [...pass.receipts.values()].some(isWitnessed)) {
    notes.push('Witnesses cosigned this ledger: name their keys with --witness to have that checked.');
  }
  if (remembered.outside.unreadableLines > 0) {
    notes.push(`${remembered.outside.unreadableLines} lines of anchor files could not be read.`);
  }
  const strange = countStrangeLines(pass, remembered.outside);
  if (strange > 0) {
    notes.push(
      `${strange} lines of anchor files are of this ledger, under keys that it does not have: where a key was rotated after what is here, entries are missing. Name the newest key with --trust.`,
    );
  }
  if (!anchored) {
    notes.push(
      'LOCAL: without a checkpoint or witness kept elsewhere, nobody can see a fork, a rollback by someone who also controls the high-water mark, or re-signing with a stolen key.',
    );
  }
  if (remembered.trusted === undefined) {
    notes.push('The key was taken from the ledger itself; compare it with one that came another way.');
  }
  if (pass.keys.length > 1) {
    notes.push(
      `The signing key changed ${counted(pass.keys.length - 1, 'time', 'times')}; each key was endorsed by the one before it and proved to be there.`,
    );
    if (remembered.trusted !== undefined) notes.push(...aboutTrustedKeys(pass, remembered.trusted));
  }
  for (const { key, to = 0, revoked } of pass.keys) {
    if (revoked === undefined) continue;
    notes.push(
      `Entry ${revoked.seq} revokes the key ${key.keyHash} down to ${revoked.size} entries. Whoever has that key can sign another history of the first ${to}, one without this entry: only a checkpoint or witness kept elsewhere tells them apart.`,
    );
  }
  if (options.highWater === null) {
    notes.push('There is no high-water mark: entries cut from the end would not be noticed.');
  } else if (options.highWater === undefined && !anchored) {
    notes.push('No high-water mark was given: entries cut from the end would not be noticed.');
  }
  const unseen = remembered.sizes.some(
    (size) => size <= pass.nextSeq && pass.watched.get(size) === undefined,
  );
  if (unseen)
    notes.push('The tree could not be rebuilt up to the remembered size, so its root was not compared.');
  notes.push('No ledger can show what never passed through it.');
  return notes;
}

/** Which keys of the chain somebody vouched for, and what those signed themselves. */
function aboutTrustedKeys(pass: Pass, trusted: readonly VerifierKey[]): readonly string[] {
  return pass.keys
    .filter(({ key }) => trusted.some(({ text }) => text === key.text))
    .map(({ key, from, to }) => {
      const until = to === undefined ? 'the end' : `${to} entries`;
      return `Trust comes from the key ${key.keyHash}, which signed from ${from} entries to ${until}.`;
    });
}

function aboutReach(pass: Pass, options: CaveatOptions): readonly string[] {
  const notes: string[] = [];
  if (!pass.intact && pass.nextSeq > pass.judged) {
    notes.push(
      `Whether rulings and deliveries kept the rules was judged up to entry ${pass.judged - 1} only.`,
    );
  }
  if (pass.bodies.stored > 0 && pass.unwrap === undefined) {
    notes.push('Bodies were checked by the hash of their ciphertext; their plaintext was not opened.');
  }
  if (options.everySignature !== true && pass.blocks > 1) {
    notes.push(
      pass.keys.length > 1
        ? 'Only the last checkpoint and those of rotations carry authority; the signatures of others were not checked.'
        : 'Only the last checkpoint carries authority; the signatures of earlier ones were not checked.',
    );
  }
  const unlisted = pass.findings.count() - findingsMax;
  if (unlisted > 0) notes.push(`${counted(unlisted, 'more finding is', 'more findings are')} not listed.`);
  return notes;
}

function aboutRecord(pass: Pass): readonly string[] {
  const notes: string[] = [];
  if (pass.durabilities.has('relaxed')) {
    notes.push('Entries were sealed with relaxed durability: a crash may have lost some that were answered.');
  }
  if (pass.clockSteps > 0)
    notes.push(`The wall clock stepped back ${counted(pass.clockSteps, 'time', 'times')}.`);
  const { reviewers } = pass.decisions;
  if (reviewers.signed > 0) {
    notes.push(
      `${reviewers.signed} of ${reviewers.signed + reviewers.unsigned} rulings by people are signed with keys that the ledger itself enrolled; compare a key with the reviewer’s own.`,
    );
  }
  const { open, lateRulings, glassBroken, reported, unrecorded, restores, lostEntries } = pass.decisions;
  if (restores > 0) {
    const known =
      lostEntries > 0
        ? `${counted(lostEntries, 'entry that was sealed after it is', 'entries that were sealed after it are')} lost`
        : 'what was sealed after it is lost';
    notes.push(
      `The ledger was restored from a backup ${counted(restores, 'time', 'times')}: ${known}, as it says itself.`,
    );
  }
  if (reported > 0)
    notes.push(
      `${counted(reported, 'decision was', 'decisions were')} made elsewhere and reported: the ledger shows what was told and when, not that it happened.`,
    );
  if (unrecorded > 0)
    notes.push(
      `${counted(unrecorded, 'connection was', 'connections were')} tunnelled: what passed through is not recorded.`,
    );
  if (open.size > 0)
    notes.push(`${counted(open.size, 'decision is', 'decisions are')} open at the end: in flight or held.`);
  if (glassBroken > 0)
    notes.push(
      `${counted(glassBroken, 'hold was', 'holds were')} released by one person alone (break-glass).`,
    );
  notes.push(...aboutPeople(pass.decisions.people));
  notes.push(...aboutOversight(pass.decisions.oversight, pass.lastAt));
  if (lateRulings > 0)
    notes.push(
      `${counted(lateRulings, 'approval was', 'approvals were')} sealed later than the expiry of the hold.`,
    );
  return notes;
}

const isWitnessed = ({ kind }: { readonly kind: string }): boolean => kind === 'witness';

/** What was erased, refused and is still held; an erasure under way is no failure of the ledger. */
export function aboutErasures(erasures: Erasures, { erased, underWay }: ErasedCounts): readonly string[] {
  const notes: string[] = [];
  if (erased > 0) {
    notes.push(
      `${counted(erased, 'part was', 'parts were')} erased; copies made before, such as backups, are not covered by this.`,
    );
  }
  if (underWay > 0) {
    notes.push(
      `${counted(underWay, 'part that an erasure names is', 'parts that an erasure names are')} still stored: it is under way or was interrupted.`,
    );
  }
  if (erasures.unfinished.size > 0) {
    notes.push(
      `${counted(erasures.unfinished.size, 'erasure has', 'erasures have')} no last entry: under way or interrupted.`,
    );
  }
  if (erasures.refused > 0)
    notes.push(
      `${counted(erasures.refused, 'entry refuses', 'entries refuse')} an erasure, with the grounds.`,
    );
  if (erasures.legalHolds.size > 0)
    notes.push(`${counted(erasures.legalHolds.size, 'legal hold stands', 'legal holds stand')}.`);
  return notes;
}
