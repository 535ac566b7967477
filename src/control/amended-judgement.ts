/**
 * Rules over what a reviewer puts in place of what is held. Whoever rules may let through what a rule holds: that is
 * what a hold is for. What a rule denies nobody lets through, and an amendment is no way around it.
 */
import { HoldpointError } from '../core/errors.ts';
import type { Hold } from '../hold/record.ts';
import type { ReplayedLedger } from '../replay/messages.ts';
import { readRecorded, unreadableRule } from '../replay/recorded.ts';
import type { ControlParts } from './parts.ts';

const decodedBytesMax = 64 * 1024 * 1024;

type Judging = Pick<ControlParts, 'ledger' | 'policy'>;
type HeldPart = Pick<Hold, 'phase' | 'decision' | 'response'>;

/** Throws `invalid_argument` where a rule in force denies the held exchange with `message` in the held one's place. */
export async function requireNotDenied(parts: Judging, hold: HeldPart, message: Buffer): Promise<void> {
  const denying = await denialOf(parts, hold, message);
  if (denying === null) return;
  throw new HoldpointError(
    'invalid_argument',
    `The rule ${denying.rule} denies what would go on in place of what is held: ${denying.title}.`,
    'Amend it otherwise, or deny the call.',
  );
}

/** The rule that denies it, and what for. */
interface Denial {
  readonly rule: string;
  readonly title: string;
}

/**
 * What denies it, null for nothing: a rule, or that a request cannot be read, which its provider might read otherwise than
 * rules did. Throws `not_amendable` where the record does not say what rules would judge.
 */
export async function denialOf(
  { ledger, policy }: Judging,
  hold: HeldPart,
  message: Buffer,
): Promise<Denial | null> {
  const held = hold.phase === 'request' ? hold.decision : (hold.response ?? hold.decision);
  const entries = (await ledger.decision(hold.decision)).filter(({ seq }) => seq <= held);
  const amended: ReplayedLedger = {
    entry: ledger.entry,
    part: (seq, name) =>
      seq === held && name === hold.phase ? Promise.resolve(message) : ledger.part(seq, name),
  };
  const recorded = await readRecorded(amended, entries, decodedBytesMax);
  const judged = recorded.find(({ phase }) => phase === hold.phase);
  if (judged === undefined || 'obstacle' in judged) throw unknown();
  const inForce = policy();
  // A rule that denies by what the record does not have would be asked about something else.
  if (inForce.deniesBy(hold.phase, judged.lacking)) throw unknown();
  for (const { facts, defects } of judged.heard()) {
    if (hold.phase === 'request' && defects.length > 0)
      return { rule: unreadableRule, title: `it cannot be read: ${defects.join('; ')}` };
    const { matches } = inForce.judge(hold.phase, facts);
    const denying = matches.find(({ action }) => action === 'deny');
    if (denying !== undefined) return denying;
  }
  return null;
}

function unknown(): HoldpointError {
  return new HoldpointError(
    'not_amendable',
    'Of this call too little is stored to tell what rules say of an amendment.',
    'Release or deny it.',
  );
}
