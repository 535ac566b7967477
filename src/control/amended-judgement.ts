/**
 * Rules over what a reviewer puts in place of what is held. Whoever rules may let through what a rule holds: that is
 * what a hold is for. What a rule denies nobody lets through, and an amendment is no way around it.
 */
import { HoldpointError } from '../core/errors.ts';
import type { Hold } from '../hold/record.ts';
import type { Match } from '../policy/policy.ts';
import type { ReplayedLedger } from '../replay/messages.ts';
import { readRecorded } from '../replay/recorded.ts';
import type { ControlParts } from './parts.ts';

const decodedBytesMax = 64 * 1024 * 1024;

/** Throws `invalid_argument` where a rule in force denies the held exchange with `message` in the held one's place. */
export async function requireNotDenied(
  { ledger, policy }: Pick<ControlParts, 'ledger' | 'policy'>,
  hold: Hold,
  message: Buffer,
): Promise<void> {
  const held = hold.phase === 'request' ? hold.decision : (hold.response ?? hold.decision);
  const entries = (await ledger.decision(hold.decision)).filter(({ seq }) => seq <= held);
  const amended: ReplayedLedger = {
    entry: ledger.entry,
    part: (seq, name) =>
      seq === held && name === hold.phase ? Promise.resolve(message) : ledger.part(seq, name),
  };
  for (const recorded of await readRecorded(amended, entries, decodedBytesMax)) {
    if (recorded.phase !== hold.phase || 'obstacle' in recorded) continue;
    for (const { facts } of recorded.heard()) {
      const denying = policy()
        .judge(hold.phase, facts)
        .matches.find(({ action }) => action === 'deny');
      if (denying !== undefined) throw denied(denying);
    }
  }
}

function denied({ rule, title }: Match): HoldpointError {
  return new HoldpointError(
    'invalid_argument',
    `The rule ${rule} denies what would go on in place of what is held: ${title}.`,
    'Amend it otherwise, or deny the call.',
  );
}
