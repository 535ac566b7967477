/**
 * What rules in force say of a held exchange by now, as it is or with something in its place. Whoever rules lets through
 * what a rule holds: that is what a hold is for. What a rule denies nobody lets through.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HoldpointError } from '../core/errors.ts';
import type { Entry } from '../ledger/entry.ts';
import type { UnreadableEntry } from '../ledger/reader.ts';
import type { Phase, Policy } from '../policy/policy.ts';
import type { Replayable, ReplayedLedger } from './messages.ts';
import { readRecorded } from './recorded.ts';

const decodedBytesMax = 64 * 1024 * 1024;
/** Of a batch, after which others have their turn. */
const linesPerTurn = 64;

/** Where in the record it stands. */
export interface HeldPart {
  readonly phase: Phase;
  readonly decision: number;
  readonly response: number | null;
}

/** The rule that denies it, and what for. */
export interface Denial {
  readonly rule: string;
  readonly title: string;
}

/** What reads a decision again. */
export interface HeldLedger extends ReplayedLedger {
  decision(seq: number, missing?: (why: UnreadableEntry) => void): Promise<readonly Entry[]>;
}

/** The entries of a decision, whole up to what was held; of those behind it, the ones that can be read. */
export function entriesAround(
  ledger: Pick<HeldLedger, 'decision'>,
  decision: number,
  held: number,
): Promise<readonly Entry[]> {
  return ledger.decision(decision, (why) => {
    if (why.seq <= held) throw why;
  });
}

/**
 * Throws `policy_changed` where another policy is in force than the one that held it, and denies it, or denies by what is
 * not stored. What it would hold is not asked: who rules, and how many, was fixed when the hold opened. `message` is what
 * goes on in the held one's place; null for that one itself.
 */
export async function requireReleasable(
  ledger: HeldLedger,
  hold: HeldPart & { readonly policyDigest: string },
  inForce: Policy,
  message: Buffer | null = null,
): Promise<void> {
  if (inForce.digest === hold.policyDigest || !inForce.denies(hold.phase)) return;
  const judged = await judgedAgain(ledger, hold, message, inForce);
  if (judged === null)
    throw changed(
      'The policy changed since this was held, and too little of it is stored to tell whether a rule denies it by now.',
    );
  const denying = await denialIn(judged, hold, inForce);
  if (denying === null) return;
  throw changed(
    `The policy changed since this was held, and the rule ${denying.rule} denies it by now: ${denying.title}.`,
  );
}

function changed(message: string): HoldpointError {
  return new HoldpointError('policy_changed', message, 'Deny it, or change the policy.');
}

/**
 * What rules would judge with `message` in the held one's place, as it is for null. Null where the record does not say it:
 * a rule that denies by what the record does not have would be asked about something else.
 */
export async function judgedAgain(
  ledger: HeldLedger,
  hold: HeldPart,
  message: Buffer | null,
  inForce: Policy,
): Promise<Replayable | null> {
  const held = hold.phase === 'request' ? hold.decision : (hold.response ?? hold.decision);
  const entries = (await entriesAround(ledger, hold.decision, held)).filter(({ seq }) => seq <= held);
  const replayed: ReplayedLedger = {
    entry: ledger.entry,
    part: (seq, name) =>
      message !== null && seq === held && name === hold.phase
        ? Promise.resolve(message)
        : ledger.part(seq, name),
  };
  const recorded = await readRecorded(replayed, entries, decodedBytesMax);
  const judged = recorded.find(({ phase }) => phase === hold.phase);
  if (judged === undefined || 'obstacle' in judged) return null;
  return inForce.deniesBy(hold.phase, judged.lacking) ? null : judged;
}

/** The first rule that denies any of it; null where none does. A batch has many lines: others have their turns in between. */
export async function denialIn(
  { heard }: Pick<Replayable, 'heard'>,
  { phase }: Pick<HeldPart, 'phase'>,
  inForce: Pick<Policy, 'judge'>,
): Promise<Denial | null> {
  let lines = 0;
  for (const { facts } of heard()) {
    const denying = inForce.judge(phase, facts).matches.find(({ action }) => action === 'deny');
    if (denying !== undefined) return denying;
    lines += 1;
    if (lines % linesPerTurn === 0) await nextTurn();
  }
  return null;
}
