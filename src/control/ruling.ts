/** One ruling, signed or not, from what somebody ordered to what is sealed. */
import type { z } from 'zod';
import { HoldpointError } from '../core/errors.ts';
import type { Hold } from '../hold/record.ts';
import { rolesNow } from '../hold/state.ts';
import { amendedMessage } from './amend.ts';
import type { rulingSchema } from './api/holds.ts';
import type { SignedRuling } from './api/signed-rulings.ts';
import { divide } from './divided.ts';
import type { ControlParts } from './parts.ts';
import type { Caller } from './sign-in/caller.ts';
import { checkSignature } from './signed-ruling.ts';

export type RulingOrder = z.output<typeof rulingSchema>;

/** Rules; resolves once it is sealed. Throws what it is refused with, and then nothing was. */
export async function ruleOn(
  parts: RulingParts,
  hold: Hold,
  identity: Caller,
  order: RulingOrder,
  signed: SignedRuling | null,
): Promise<void> {
  const { verdict, reason, digest, amendment, calls, breakGlass } = order;
  // Which roles may break the glass is another list, and that releases what is held as it is.
  if (!breakGlass) requireHoldRole(hold, identity);
  if ((verdict === 'amend') !== (amendment !== undefined)) {
    throw new HoldpointError(
      'invalid_argument',
      'An amendment goes with the verdict amend, and with no other.',
    );
  }
  if (calls !== undefined && (verdict !== 'release' || breakGlass)) {
    throw new HoldpointError(
      'invalid_argument',
      'Calls are named with the verdict release, and with no other.',
    );
  }
  const { ledger, holds } = parts;
  const checked = signed === null ? null : checkSignature(parts, hold, identity, verdict, signed);
  const shared = {
    ...{ reason, digest, by: identity.name, role: identity.role },
    ...(identity.display === undefined ? {} : { display: identity.display }),
    ...(checked === null ? {} : { signed: checked.statement }),
  };
  // Asked again when it is sealed: other rulings and the ledger may take their time in between.
  const confirm = checked?.stillHolds;
  const divided = calls === undefined ? null : await divide(ledger, hold, calls);
  if (divided !== null) {
    const { withheld, message } = divided;
    await holds.rule(hold, { ...shared, verdict: 'amend', withheld }, message, confirm);
    return;
  }
  const message = amendment === undefined ? null : await amendedMessage(ledger, hold, amendment);
  await holds.rule(hold, { ...shared, verdict, breakGlass }, message, confirm);
}

export type RulingParts = Pick<ControlParts, 'ledger' | 'holds' | 'clock' | 'withdrawnKeys'>;

/** Throws `forbidden`. Asked before an amendment is looked at: what is wrong with one says something about the held content. */
export function requireHoldRole({ state }: Hold, identity: Caller): void {
  const allowed = rolesNow(state);
  if (allowed.includes(identity.role)) return;
  throw new HoldpointError(
    'forbidden',
    `This hold needs one of the roles: ${allowed.join(', ')}.`,
    'Ask somebody who has it.',
  );
}
