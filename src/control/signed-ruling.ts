/**
 * A signed ruling: what the reviewer's key signed is what is ruled, on this hold, now, by this person. Checked here before
 * the ruling counts; sealed with it, so that anybody can check it again. FORMAT.md of the ledger, "Signed rulings".
 */
import { z } from 'zod';
import { isSignedBy } from '../core/ed25519.ts';
import { HoldpointError } from '../core/errors.ts';
import { orderDigest, rulingMessage, statementText } from '../core/ruling-statement.ts';
import type { Hold } from '../hold/record.ts';
import type { SignedStatement } from '../hold/state.ts';
import type { Identity } from '../store/token-file.ts';
import { type SignedRuling, signedRulingSchema } from './api/signed-rulings.ts';
import { checkOrder, parseJson } from './http.ts';
import type { ControlParts } from './parts.ts';

/** How far the reviewer's clock may be from ours; what is older is a statement kept back, or replayed. */
const ageMsMax = 5 * 60_000;
const statementSchema = z.looseObject({ key: z.string(), time: z.iso.datetime({ precision: 3 }) });
const orderSchema = z.looseObject({ salt: z.string().regex(/^[0-9a-f]{64}$/) });

export interface TakenOrder {
  /** The ruling, for the schema of rulings to check. */
  readonly order: unknown;
  /** Null where it came without a signature. */
  readonly signed: SignedRuling | null;
}

/** Takes a ruling out of what its reviewer signed. Throws `signature_required` and `invalid_argument`. */
export function takeOrder(body: unknown, mustSign: boolean): TakenOrder {
  if (typeof body !== 'object' || body === null || !('signed' in body)) {
    if (!mustSign) return { order: body, signed: null };
    throw new HoldpointError(
      'signature_required',
      'Rulings are signed here.',
      'Use holdpoint holds with --key, or make a key in the console.',
    );
  }
  const { signed } = checkOrder(signedRulingSchema, body);
  const { salt: _salt, ...order } = read(orderSchema, signed.order, 'order');
  return { order, signed };
}

export interface CheckedSignature {
  /** What is sealed of it. */
  readonly statement: SignedStatement;
  /** Throws `signature_invalid` once the key does not count any more. To be called in one step with the sealing. */
  readonly stillHolds: () => void;
}

/**
 * Throws `signature_invalid` where the statement is not, byte for byte, the one about this ruling, is too old, or is not
 * signed by a key that this person has enrolled.
 */
export function checkSignature(
  parts: Pick<ControlParts, 'clock' | 'ledger' | 'withdrawnKeys'>,
  hold: Hold,
  identity: Identity,
  verdict: string,
  signed: SignedRuling,
): CheckedSignature {
  const { key, time } = read(statementSchema, signed.statement, 'statement');
  const age = Math.abs(parts.clock.nowMs() - Date.parse(time));
  if (age > ageMsMax) {
    throw invalid(
      `It was signed ${Math.round(age / 1000)} seconds from now, by the clock of the sidecar.`,
      'Set the clock and sign again.',
    );
  }
  const expected = statementText({
    by: identity.name,
    decision: parts.ledger.decisionId(hold.decision),
    digest: hold.state.terms.digest,
    hold: hold.id,
    key,
    order: orderDigest(signed.order),
    policy: hold.policyDigest,
    policyVersion: hold.policyVersion,
    rules: hold.rules.map(({ id }) => id),
    time,
    verdict,
  });
  if (signed.statement !== expected)
    throw invalid('What was signed is not this ruling on this hold.', 'Read the hold again and sign anew.');
  const stillHolds = (): void => {
    const known = parts.ledger.reviewerKeys().find((one) => one.key === key);
    // A withdrawal that is sealed and not durable yet stands before whatever is sealed now.
    const counts = known?.withdrawn === null && !parts.withdrawnKeys.has(key);
    if (counts && known.owner === identity.name) return;
    throw invalid(
      `The key is none that ${identity.name} has enrolled.`,
      'Enrol it with: holdpoint reviewer key enrol --key FILE',
    );
  };
  stillHolds();
  if (!isSignedBy(rulingMessage(expected), signed.value, key))
    throw invalid('The signature is not one by that key.', 'Sign again with the key that is enrolled.');
  return { statement: signed, stillHolds };
}

function read<T>(schema: z.ZodType<T>, text: string, what: string): T {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new HoldpointError('invalid_argument', `The ${what} cannot be read.`, 'See /openapi.json.');
}

function invalid(message: string, next: string): HoldpointError {
  return new HoldpointError('signature_invalid', message, next);
}
