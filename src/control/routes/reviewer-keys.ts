/** Keys that sign rulings: who has which, enrolment and withdrawal, each sealed before it counts. */
import type { z } from 'zod';
import { isSignedBy } from '../../core/ed25519.ts';
import { HoldpointError } from '../../core/errors.ts';
import { createInTurn } from '../../core/in-turn.ts';
import { enrolmentMessage, keyFingerprint } from '../../core/ruling-statement.ts';
import type { ReviewerKey } from '../../ledger/reviewer-keys.ts';
import type { Identity } from '../../store/token-file.ts';
import {
  enrolmentSchema,
  enrolReviewerKey,
  listReviewerKeys,
  type ReviewerKeyShown,
  withdrawalSchema,
  withdrawReviewerKey,
} from '../api/signed-rulings.ts';
import { type ControlRequest, type Route, readOrder, sendJson } from '../http.ts';
import type { ControlParts } from '../parts.ts';

/** Each enrolled key costs memory for good. */
const keysMax = 10_000;

export function reviewerKeyRoutes(parts: ControlParts): Route[] {
  /** One change at a time: whether a key is somebody's first is asked and sealed in one step. */
  const inTurn = createInTurn();
  return [
    {
      method: 'GET',
      path: '/api/v1/reviewer-keys',
      operation: listReviewerKeys,
      handle: ({ res }) =>
        sendJson(res, 200, {
          origin: `holdpoint/${parts.ledger.id}`,
          rulings: parts.rulings,
          items: parts.ledger.reviewerKeys().map(shown),
        }),
    },
    {
      method: 'POST',
      path: '/api/v1/reviewer-keys',
      operation: enrolReviewerKey,
      handle: async (request) => {
        const order = await readOrder(request, enrolmentSchema);
        await inTurn(() => enrol(parts, request, order));
      },
    },
    {
      method: 'POST',
      path: '/api/v1/reviewer-keys/withdraw',
      operation: withdrawReviewerKey,
      handle: async (request) => {
        const order = await readOrder(request, withdrawalSchema);
        await inTurn(async () => {
          request.requireStanding();
          sendJson(request.res, 200, shown(await withdrawKey(parts, request.identity, order)));
        });
      },
    },
  ];
}

async function enrol(
  { ledger, otherNames }: ControlParts,
  { res, identity, requireStanding }: ControlRequest,
  { owner, key, possession, reason }: z.output<typeof enrolmentSchema>,
): Promise<void> {
  requireStanding();
  const keys = ledger.reviewerKeys();
  if (otherNames(identity.name).includes(owner))
    throw new HoldpointError(
      'forbidden',
      `${owner} is the same person: who enrols for another is somebody else.`,
      `Enrol it as ${owner}, or let an admin do it who is not.`,
    );
  requireMayEnrol(keys, identity, owner, otherNames(owner));
  if (keys.some((one) => one.key === key))
    throw new HoldpointError('invalid_argument', 'This key was enrolled before.', 'Make a new one.');
  if (keys.length >= keysMax)
    throw new HoldpointError('invalid_argument', `The ledger has ${keysMax} keys of reviewers.`);
  const origin = `holdpoint/${ledger.id}`;
  if (!isSignedBy(enrolmentMessage(origin, owner, key), possession, key)) {
    throw new HoldpointError(
      'signature_invalid',
      'The proof that the private key is there does not hold.',
      `It signs the origin ${origin}, the owner and the key.`,
    );
  }
  const data = { action: 'enrol', by: identity.name, key, owner, possession, reason, role: identity.role };
  const sealed = ledger.seal({ type: 'key', data });
  await sealed.durable;
  sendJson(res, 201, shown({ seq: sealed.seq, owner, key, withdrawn: null }));
}

/** A person's first key is taken on their word; for any other somebody else stands up, an admin. */
function requireMayEnrol(
  keys: readonly ReviewerKey[],
  identity: Identity,
  owner: string,
  alsoCalled: readonly string[],
): void {
  const isOwn = identity.name === owner;
  const had = keys.find((one) => one.owner === owner || alsoCalled.includes(one.owner));
  if (isOwn ? had === undefined : identity.role === 'admin') return;
  throw new HoldpointError(
    'forbidden',
    isOwn
      ? `${had?.owner ?? owner} has had a key: another one needs an admin who is somebody else.`
      : 'Only an admin enrols for others.',
    'Make the request with: holdpoint reviewer key request, and let an admin approve it.',
  );
}

/** Seals that a key counts no more; a ruling sealed from then on does not pass with it. */
export async function withdrawKey(
  { ledger, withdrawnKeys }: Pick<ControlParts, 'ledger' | 'withdrawnKeys'>,
  { name: by, role }: Identity,
  { key, reason }: z.output<typeof withdrawalSchema>,
): Promise<ReviewerKey> {
  const known = ledger.reviewerKeys().find((one) => one.key === key && one.withdrawn === null);
  if (known === undefined)
    throw new HoldpointError(
      'not_found',
      'No such key is in use.',
      'List them with: holdpoint reviewer key list',
    );
  const { owner } = known;
  if (owner !== by && role !== 'admin')
    throw new HoldpointError('forbidden', `Only ${owner} or an admin withdraws it.`, 'Ask one of them.');
  const sealed = ledger.seal({ type: 'key', data: { action: 'withdraw', by, key, owner, reason, role } });
  // In the same step. Kept where the commit fails: whether it reached the disk is then not known.
  withdrawnKeys.add(key);
  await sealed.durable;
  return { ...known, withdrawn: sealed.seq };
}

function shown(key: ReviewerKey): ReviewerKeyShown {
  return { ...key, fingerprint: keyFingerprint(key.key) };
}
