/** Rules over what a reviewer puts in place of what is held: an amendment is no way around one that denies. */
import { HoldpointError } from '../core/errors.ts';
import type { Policy } from '../policy/policy.ts';
import {
  type Denial,
  denialIn,
  type HeldLedger,
  type HeldPart,
  judgedAgain,
} from '../replay/held-judgement.ts';
import { unreadableRule } from '../replay/recorded.ts';

/** Throws `invalid_argument` where a rule in force denies the held exchange with `message` in the held one's place. */
export async function requireNotDenied(
  ledger: HeldLedger,
  hold: HeldPart,
  message: Buffer,
  inForce: Policy,
): Promise<void> {
  const denying = await denialOf(ledger, hold, message, inForce);
  if (denying === null) return;
  throw new HoldpointError(
    'invalid_argument',
    `The rule ${denying.rule} denies what would go on in place of what is held: ${denying.title}.`,
    'Amend it otherwise, or deny the call.',
  );
}

/**
 * What denies it, null for nothing: a rule, or that a request cannot be read, which its provider might read otherwise than
 * rules did. Throws `not_amendable` where the record does not say what rules would judge.
 */
export async function denialOf(
  ledger: HeldLedger,
  hold: HeldPart,
  message: Buffer,
  inForce: Policy,
): Promise<Denial | null> {
  const judged = await judgedAgain(ledger, hold, message, inForce);
  if (judged === null)
    throw new HoldpointError(
      'not_amendable',
      'Of this call too little is stored to tell what rules say of an amendment.',
      'Release or deny it.',
    );
  if (hold.phase === 'request') {
    for (const { defects } of judged.heard())
      if (defects.length > 0)
        return { rule: unreadableRule, title: `it cannot be read: ${defects.join('; ')}` };
  }
  return denialIn(judged, hold, inForce);
}
