/** Erasures, those by age included, and legal holds. */
import type { z } from 'zod';
import { HoldpointError } from '../../core/errors.ts';
import { meantBy } from '../../erasure/candidates.ts';
import { noErasure, type Person } from '../../erasure/desk.ts';
import type { ErasureOrder } from '../../erasure/run.ts';
import type { Scope } from '../../ledger/erasure.ts';
import type { LegalHold } from '../../ledger/subjects.ts';
import type { Identity } from '../../store/token-file.ts';
import {
  type erasureScopeSchema,
  type LegalHoldShown,
  liftLegalHold,
  liftSchema,
  listErasures,
  listLegalHolds,
  newErasureSchema,
  newLegalHoldSchema,
  placeLegalHold,
  showErasure,
  startErasure,
  stopErasure,
  stopSchema,
} from '../api/erasures.ts';
import { type ControlRequest, type Route, readOrder, sendJson } from '../http.ts';
import { decisionOf } from '../named.ts';
import type { ControlParts } from '../parts.ts';
import { mayReadContent } from '../permissions.ts';
import { retentionRoutes } from './retention.ts';
import { shownErasure } from './shown-erasure.ts';

export function erasureRoutes(parts: ControlParts): Route[] {
  return [
    ...retentionRoutes(parts),
    {
      method: 'POST',
      path: '/api/v1/erasures',
      operation: startErasure,
      handle: (request) => start(parts, request),
    },
    {
      method: 'GET',
      path: '/api/v1/erasures',
      operation: listErasures,
      handle: ({ res }) => sendJson(res, 200, { items: parts.erasures.list().map(shownErasure) }),
    },
    {
      method: 'GET',
      path: '/api/v1/erasures/{id}',
      operation: showErasure,
      handle: (request) => show(parts, request),
    },
    {
      method: 'POST',
      path: '/api/v1/erasures/{id}/stop',
      operation: stopErasure,
      handle: (request) => stop(parts, request),
    },
    {
      method: 'GET',
      path: '/api/v1/legal-holds',
      operation: listLegalHolds,
      handle: (request) => listHolds(parts, request),
    },
    {
      method: 'POST',
      path: '/api/v1/legal-holds',
      operation: placeLegalHold,
      handle: (request) => place(parts, request),
    },
    {
      method: 'POST',
      path: '/api/v1/legal-holds/{id}/lift',
      operation: liftLegalHold,
      handle: (request) => lift(parts, request),
    },
  ];
}

async function start(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, identity } = request;
  const { scope, ...order } = await readOrder(request, newErasureSchema);
  const meant = await namedBy(parts, scope);
  // Finding what is meant may have taken a while, and what is begun erases for good.
  request.requireStanding();
  const job = parts.erasures.start({ ...order, ...personOf(identity), ...meant });
  sendJson(res, 202, shownErasure(job));
}

async function stop(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, params, identity } = request;
  const id = params['id'] ?? '';
  if (parts.erasures.find(id) === null) throw noErasure();
  const { reason } = await readOrder(request, stopSchema);
  request.requireStanding();
  const job = parts.erasures.stopErasure(id, { ...personOf(identity), reason });
  sendJson(res, 202, shownErasure(job));
}

function show(parts: ControlParts, { res, params }: ControlRequest): void {
  const job = parts.erasures.find(params['id'] ?? '');
  if (job === null) throw noErasure();
  sendJson(res, 200, shownErasure(job));
}

async function listHolds(parts: ControlParts, { res, identity }: ControlRequest): Promise<void> {
  const items: LegalHoldShown[] = [];
  for (const hold of parts.ledger.legalHolds()) items.push(await shownHold(parts, hold, identity));
  sendJson(res, 200, { items });
}

async function place(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, identity } = request;
  const { scope, reason } = await readOrder(request, newLegalHoldSchema);
  const hold = await parts.erasures.placeHold(await scopeOf(parts, scope), personIn(request), reason);
  sendJson(res, 201, await shownHold(parts, hold, identity));
}

async function lift(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, params, identity } = request;
  const seq = parts.ledger.seqOfId('l', params['id'] ?? '');
  const hold = parts.ledger.legalHolds().find((one) => one.seq === seq);
  if (hold === undefined)
    throw new HoldpointError(
      'not_found',
      'There is no such legal hold.',
      'List them with: holdpoint legal-hold list',
    );
  const { reason } = await readOrder(request, liftSchema);
  await parts.erasures.liftHold(hold.seq, personIn(request), reason);
  sendJson(res, 200, await shownHold(parts, hold, identity));
}

/** The scope, and which decision is meant by it: the order may outlast the ledger that it was given for. */
async function namedBy(
  parts: ControlParts,
  scope: z.output<typeof erasureScopeSchema>,
): Promise<Pick<ErasureOrder, 'scope' | 'meant'>> {
  if (!('decision' in scope)) return { scope: await scopeOf(parts, scope) };
  const { seq, entries } = await decisionOf(parts, scope.decision);
  const [request] = entries;
  return { scope: { decision: seq }, ...(request === undefined ? {} : { meant: meantBy(request) }) };
}

/** Ids and names as the ledger has them. Throws `not_found` for a decision that is not there. */
async function scopeOf(parts: ControlParts, scope: z.output<typeof erasureScopeSchema>): Promise<Scope> {
  if ('subject' in scope) return { subject: parts.fingerprint(scope.subject) };
  if ('match' in scope) {
    const match = Object.fromEntries(Object.entries(scope.match).filter(([, value]) => value !== undefined));
    return scope.before === undefined ? { match } : { match, before: new Date(scope.before).toISOString() };
  }
  const { seq } = await decisionOf(parts, scope.decision);
  return { decision: seq };
}

/** Who asks, as long as they may. */
function personIn({ identity, requireStanding }: ControlRequest): Person {
  return { ...personOf(identity), requireStanding };
}

/** The roles were checked by the server; this tells the types so. */
function personOf({ name, role }: Identity): Person {
  if (role !== 'privacy' && role !== 'admin')
    throw new HoldpointError('forbidden', `The role ${role} may not erase.`);
  return { by: name, role };
}

async function shownHold(
  parts: ControlParts,
  { seq, by, scope }: LegalHold,
  identity: Identity,
): Promise<LegalHoldShown> {
  const reason = mayReadContent(identity, parts.roles) ? await reasonOf(parts, seq) : null;
  return { id: parts.ledger.legalHoldId(seq), seq, by, reason, scope };
}

/** A legal hold stands, and is listed, whether or not it can be told why. */
async function reasonOf({ ledger, onError }: ControlParts, seq: number): Promise<string | null> {
  try {
    return (await ledger.part(seq, 'reason')).toString('utf8');
  } catch (error) {
    onError(`why the legal hold of entry ${seq} was placed could not be read`, error);
    return null;
  }
}
