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
  const { verdict, reason, digest, amendment, calls, breakGlass, inStead } = order;
  const stead = inStead === undefined ? null : inSteadOf(parts, identity, inStead);
  const role = stead?.role ?? identity.role;
  // Which roles may break the glass is another list, and that releases what is held as it is.
  if (!breakGlass) requireHoldRole(hold, { role });
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
    ...{ reason, digest, by: identity.name, role },
    ...(identity.display === undefined ? {} : { display: identity.display }),
    ...(checked === null ? {} : { signed: checked.statement }),
    ...(inStead === undefined ? {} : { inStead }),
  };
  // Asked again when it is sealed: other rulings and the ledger may take their time in between.
  const confirm = (): void => {
    checked?.stillHolds();
    stead?.stillHolds();
  };
  const divided = calls === undefined ? null : await divide(ledger, hold, calls);
  if (divided !== null) {
    const { withheld, message } = divided;
    await holds.rule(hold, { ...shared, verdict: 'amend', withheld }, message, confirm);
    return;
  }
  const message = amendment === undefined ? null : await amendedMessage(ledger, hold, amendment);
  await holds.rule(hold, { ...shared, verdict, breakGlass }, message, confirm);
}

export type RulingParts = Pick<ControlParts, 'ledger' | 'holds' | 'delegations' | 'clock' | 'withdrawnKeys'>;

/** The role that somebody lent. Throws `forbidden`, then and once it is not lent any more. */
function inSteadOf(
  { delegations }: Pick<ControlParts, 'delegations'>,
  { name }: Caller,
  from: string,
): { readonly role: string; readonly stillHolds: () => void } {
  const refused = (): HoldpointError =>
    new HoldpointError(
      'forbidden',
      `${from} has not let ${name} rule in their stead.`,
      'List who stands in for whom with: holdpoint delegations list',
    );
  const delegation = delegations.inForce(from, name);
  if (delegation === null) throw refused();
  const stillHolds = (): void => {
    if (delegations.inForce(from, name)?.seq !== delegation.seq) throw refused();
  };
  return { role: delegation.role, stillHolds };
}

/** Throws `forbidden`. Asked before an amendment is looked at: what is wrong with one says something about the held content. */
export function requireHoldRole({ state }: Hold, { role }: { readonly role: string }): void {
  const allowed = rolesNow(state);
  if (allowed.includes(role)) return;
  throw new HoldpointError(
    'forbidden',
    `This hold needs one of the roles: ${allowed.join(', ')}.`,
    'Ask somebody who has it.',
  );
}
