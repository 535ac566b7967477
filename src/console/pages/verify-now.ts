/** "Verify now": the steps that this browser takes itself, each with what it found. Talks to the sidecar for bytes only. */

import { readDecisionDetail, readDecisionPage } from '../answers/decision-data.ts';
import { counted, countText } from '../words/counts.ts';
import { exactText } from '../words/time.ts';
import {
  type CheckpointAnswer,
  checkConsistency,
  checkInclusion,
  isSameRoot,
  readCheckpointAnswer,
  readConsistency,
  readInclusion,
  rootText,
  type SignedTree,
  signedTree,
} from './check.ts';
import { type Remembered, remember, rememberedOf } from './remembered.ts';
import { hashWholeLedger } from './whole-ledger.ts';

export interface Step {
  readonly what: string;
  /** `skipped` is neither good nor bad: what would be needed is said in `found`. */
  readonly result: 'holds' | 'fails' | 'skipped';
  readonly found: string;
}

export interface VerifyDoor {
  fetch(path: string): Promise<unknown>;
  /** The bytes a path answers with. */
  bytes(path: string): Promise<Uint8Array>;
  nowMs(): number;
}

export interface VerifyOptions {
  /** A verifier key from elsewhere; '' trusts the one the sidecar names. */
  readonly key: string;
  /** Read every entry and hash it again. */
  readonly whole: boolean;
  readonly storage: Storage;
  readonly onProgress: (done: number, of: number) => void;
}

/** Runs the steps in order; the first that fails ends them. Rejects when the sidecar does not answer. */
export async function verifyNow(door: VerifyDoor, options: VerifyOptions): Promise<readonly Step[]> {
  const answer = readCheckpointAnswer(await door.fetch('/api/v1/ledger/checkpoint'));
  const remembered = rememberedOf(options.storage, answer.origin);
  const key = options.key.trim();
  const tree = signedTree(answer.note, key || answer.key);
  if (typeof tree === 'string') return [{ what: 'Checkpoint', result: 'fails', found: tree }];
  const steps: Step[] = [signedStep(tree, key, answer, remembered)];
  const checks: readonly (() => Promise<Step>)[] = [
    () => continuityStep(door, tree, remembered),
    () => newestStep(door, tree),
    ...(options.whole ? [() => wholeStep(door, tree, options.onProgress)] : []),
  ];
  for (const check of checks) {
    const step = await check();
    steps.push(step);
    if (step.result === 'fails') return steps;
  }
  remember(options.storage, answer.origin, {
    key: key || answer.key,
    size: tree.size,
    root: rootText(tree),
    atMs: door.nowMs(),
  });
  return steps;
}

function signedStep(
  tree: SignedTree,
  key: string,
  answer: CheckpointAnswer,
  remembered: Remembered | null,
): Step {
  const signed = `Its signature holds over ${counted(tree.size, 'entry', 'entries')}`;
  const what = 'Checkpoint';
  if (key !== '') return { what, result: 'holds', found: `${signed}, under the key that you gave.` };
  if (remembered === null)
    return {
      what,
      result: 'holds',
      found: `${signed}, under the key that the sidecar names itself. Give the one you have from elsewhere to be sure of it.`,
    };
  if (remembered.key === answer.key)
    return {
      what,
      result: 'holds',
      found: `${signed}, under the same key as on ${exactText(remembered.atMs)}.`,
    };
  return {
    what,
    result: 'holds',
    found: `${signed}, but the key is not the one of ${exactText(remembered.atMs)}. Was it rotated?`,
  };
}

async function continuityStep(
  door: VerifyDoor,
  tree: SignedTree,
  remembered: Remembered | null,
): Promise<Step> {
  const what = 'Nothing changed since last time';
  if (remembered === null)
    return {
      what,
      result: 'skipped',
      found: 'This browser verifies the ledger for the first time. It will remember this checkpoint.',
    };
  const { size, root, atMs } = remembered;
  const then = `the ${counted(size, 'entry', 'entries')} seen on ${exactText(atMs)}`;
  if (tree.size < size)
    return { what, result: 'fails', found: `The ledger has fewer entries than ${then}: it was rolled back.` };
  if (tree.size === size) {
    return isSameRoot(tree, root)
      ? { what, result: 'holds', found: `The ledger still is exactly ${then}.` }
      : { what, result: 'fails', found: `The ledger is as long as ${then}, but it is another.` };
  }
  const path = `/api/v1/ledger/proofs/consistency?from=${size}&to=${tree.size}`;
  const complaint = checkConsistency(remembered, tree, readConsistency(await door.fetch(path)));
  return complaint === ''
    ? { what, result: 'holds', found: `It goes on from ${then}; ${countText(tree.size - size)} came after.` }
    : { what, result: 'fails', found: complaint };
}

/** The newest decision's first entry stands for what everybody may read. */
async function newestStep(door: VerifyDoor, tree: SignedTree): Promise<Step> {
  const what = 'The newest decision';
  const { items, unreadable } = readDecisionPage(await door.fetch('/api/v1/decisions?limit=1'));
  const lost = unreadable.find(({ seq }) => seq < tree.size);
  if (lost !== undefined)
    return {
      what,
      result: 'fails',
      found: `${lost.why} Run holdpoint verify on the data directory; holdpoint ledger restore brings a backup back.`,
    };
  const [newest] = items;
  if (newest === undefined || newest.seq >= tree.size)
    return { what, result: 'skipped', found: 'There is none in this checkpoint.' };
  const detail = readDecisionDetail(await door.fetch(`/api/v1/decisions/${newest.id}`));
  const sealed = detail.entries.filter(({ seq }) => seq < tree.size);
  for (const { seq, source } of sealed) {
    const path = `/api/v1/ledger/proofs/inclusion?seq=${seq}&size=${tree.size}`;
    const complaint = checkInclusion(source, readInclusion(await door.fetch(path)), tree);
    if (complaint !== '') return { what, result: 'fails', found: complaint };
  }
  return {
    what,
    result: 'holds',
    found: `Its ${counted(sealed.length, 'entry leads', 'entries lead')} to the root that the checkpoint signs.`,
  };
}

async function wholeStep(
  door: VerifyDoor,
  tree: SignedTree,
  onProgress: (done: number, of: number) => void,
): Promise<Step> {
  const complaint = await hashWholeLedger(door.bytes, tree, onProgress);
  return {
    what: 'Every entry',
    result: complaint === '' ? 'holds' : 'fails',
    found:
      complaint === ''
        ? `All ${counted(tree.size, 'entry', 'entries')}, hashed here one by one, make the root that the checkpoint signs.`
        : complaint,
  };
}
