/** One ruling, signed or not, from what somebody ordered to what is sealed. */
import type { z } from 'zod';
import { HoldpointError } from '../core/errors.ts';
import type { RoleBook } from '../core/roles.ts';
import type { Hold } from '../hold/record.ts';
import { afterRuling, type PeopleNow, rolesNow } from '../hold/state.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Policy } from '../policy/policy.ts';
import { requireReleasable } from '../replay/held-judgement.ts';
import { amendedMessage } from './amend.ts';
import { requireNotDenied } from './amended-judgement.ts';
import type { rulingSchema } from './api/rulings.ts';
import type { SignedRuling } from './api/signed-rulings.ts';
import { divide } from './divided.ts';
import type { ControlParts } from './parts.ts';
import type { Caller } from './sign-in/caller.ts';
import { checkSignature } from './signed-ruling.ts';

export type RulingOrder = z.output<typeof rulingSchema>;

/**
 * Rules; resolves once it is sealed. Throws what it is refused with, and then nothing was.
 * @param requireStanding throws once the credentials that ask show somebody else, or nobody
 */
export async function ruleOn(
  parts: RulingParts,
  hold: Hold,
  identity: Caller,
  order: RulingOrder,
  signed: SignedRuling | null,
  requireStanding: () => void,
): Promise<void> {
  const { verdict, reason, digest, amendment, calls, breakGlass, inStead } = order;
  const stead = inStead === undefined ? null : inSteadOf(parts, identity, inStead);
  const role = stead?.role ?? identity.role;
  if (stead !== null) requireRuler(parts.roles, identity);
  // Which roles may break the glass is another list, and that releases what is held as it is.
  if (!breakGlass) requireHoldRole(parts.roles, hold, { role });
  else if (hold.state.terms.breakGlass?.roles.includes(role) === true) requireRuler(parts.roles, { role });
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
  if (amendment !== undefined || calls !== undefined) requireReader(parts.roles, identity);
  const { ledger, holds } = parts;
  const checked = signed === null ? null : checkSignature(parts, hold, identity, verdict, signed);
  const shared = {
    ...{ reason, digest, by: identity.name, role },
    people: peopleNow(parts),
    ...(identity.display === undefined ? {} : { display: identity.display }),
    ...(checked === null ? {} : { signed: checked.statement }),
    ...(inStead === undefined ? {} : { inStead }),
  };
  // Asked again when it is sealed: other rulings and the ledger may take their time in between.
  const inForce = parts.policy();
  const confirm = (): void => {
    requireStanding();
    if (verdict !== 'deny') requireStillInForce(parts, inForce);
    checked?.stillHolds();
    stead?.stillHolds();
  };
  const divided = calls === undefined ? null : await divide(ledger, hold, calls);
  if (divided !== null) {
    const { withheld, message } = divided;
    await requireNotDenied(ledger, hold, message, inForce);
    await holds.rule(hold, { ...shared, verdict: 'amend', withheld }, message, confirm);
    return;
  }
  const message = amendment === undefined ? null : await amendedMessage(ledger, hold, amendment);
  if (message !== null) await requireNotDenied(ledger, hold, message, inForce);
  const ruling = { ...shared, verdict, breakGlass };
  if (verdict === 'release') {
    // First whether this person may rule at all: what rules say by now tells something about the held content.
    afterRuling(hold.state, ruling, parts.clock.nowMs());
    await requireReadable(ledger, hold);
    await requireReleasable(ledger, hold, inForce);
  }
  await holds.rule(hold, ruling, message, confirm);
}

/** Throws `ledger_damaged` where what would be released cannot be read: nobody could say later what it was. */
async function requireReadable({ part }: Pick<Ledger, 'part'>, hold: Hold): Promise<void> {
  await part(hold.decision, 'request');
  if (hold.phase === 'response' && hold.response !== null) await part(hold.response, 'response');
}

/** Throws `policy_changed`: a release goes by the rules in force when it is sealed. */
function requireStillInForce({ policy }: Pick<ControlParts, 'policy'>, judgedBy: Policy): void {
  if (policy().digest === judgedBy.digest) return;
  throw new HoldpointError('policy_changed', 'The policy changed while this was ruled on.', 'Rule again.');
}

export type RulingParts = Pick<
  ControlParts,
  'ledger' | 'holds' | 'policy' | 'delegations' | 'clock' | 'withdrawnKeys' | PeopleParts
>;
type PeopleParts = 'roles' | 'otherNames' | 'roleOf';

/**
 * Who is who, and whose approval still counts: of whom has a token, or had one, while they have one of a role that rules.
 * Of people who come otherwise it is not known before they come again.
 */
export function peopleNow({ otherNames, roleOf, roles }: Pick<ControlParts, PeopleParts>): PeopleNow {
  const rules = (role: string): boolean => roles.permissionsOf(role).includes('rule');
  // Names of tokens have no colon, and those of all others have.
  const mayRule = (name: string): boolean => name.includes(':') || rules(roleOf(name) ?? '');
  return {
    otherNames,
    counts: ({ by, role, inStead = by }) => rules(role) && mayRule(by) && mayRule(inStead),
  };
}

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
export function requireHoldRole(book: RoleBook, { state }: Hold, { role }: { readonly role: string }): void {
  const allowed = rolesNow(state);
  if (allowed.includes(role)) {
    requireRuler(book, { role });
    return;
  }
  throw new HoldpointError(
    'forbidden',
    `This hold needs one of the roles: ${allowed.join(', ')}.`,
    'Ask somebody who has it.',
  );
}

/**
 * Throws `forbidden` for a role that does not rule by now. What a hold demands is fixed when it opens, and a restart may
 * come in between, after which the configuration says something else of a role.
 */
export function requireRuler(book: RoleBook, { role }: { readonly role: string }): void {
  if (book.permissionsOf(role).includes('rule')) return;
  throw new HoldpointError(
    'forbidden',
    `The role ${role} does not rule.`,
    'Ask somebody whose role has the permission rule.',
  );
}

/** Throws `forbidden`. Amending, dividing and comparing say something about what is held, or are done blindly. */
export function requireReader(book: RoleBook, { role }: { readonly role: string }): void {
  if (book.permissionsOf(role).includes('read_content')) return;
  throw new HoldpointError(
    'forbidden',
    'Your role does not read what is held.',
    'Release or deny all of it, one hold at a time.',
  );
}
