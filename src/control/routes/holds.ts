/** The queue, one hold with everything needed to rule, and rulings. */
import { z } from 'zod';
import { HoldpointError } from '../../core/errors.ts';
import type { Hold } from '../../hold/record.ts';
import { needsOf, releasesOf, rolesNow } from '../../hold/state.ts';
import type { Identity } from '../../store/token-file.ts';
import { amendedMessage } from '../amend.ts';
import {
  type HoldDetail,
  type HoldSummary,
  holdQuerySchema,
  listHolds,
  ruleOnHold,
  rulingSchema,
  showHold,
} from '../api/holds.ts';
import { divide } from '../divided.ts';
import { type ControlRequest, type Route, readJsonBody, sendJson } from '../http.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';
import { mayReadContent, sealAccess } from '../permissions.ts';
import { holdsOfSession } from '../session-holds.ts';
import { checkSignature, takeOrder } from '../signed-ruling.ts';
import { readExchange } from '../view.ts';

export function holdRoutes(parts: ControlParts): Route[] {
  return [
    { method: 'GET', path: '/api/v1/holds', operation: listHolds, handle: (request) => list(parts, request) },
    {
      method: 'GET',
      path: '/api/v1/holds/{id}',
      operation: showHold,
      handle: (request) => show(parts, request),
    },
    {
      method: 'POST',
      path: '/api/v1/holds/{id}/rulings',
      operation: ruleOnHold,
      handle: (request) => rule(parts, request),
    },
  ];
}

async function list(parts: ControlParts, { res, query, identity }: ControlRequest): Promise<void> {
  const { state, session, id, after, limit } = readQuery(query, holdQuerySchema);
  const all =
    session === undefined ? parts.holds.list() : await holdsOfSession(parts.ledger, parts.holds, session);
  const holds = all.filter(
    (hold) => (state === undefined || hold.state.status === state) && (id === undefined || hold.id === id),
  );
  // The one whose time runs out first comes first.
  holds.sort((a, b) => a.state.terms.expiresAtMs - b.state.terms.expiresAtMs || a.seq - b.seq);
  // By its key and not by its place, so that holds that come or end between two pages move no other.
  const from = after === undefined ? 0 : holds.findIndex((hold) => isBehind(hold, after));
  const page = from === -1 ? [] : holds.slice(from, from + limit);
  const items = await Promise.all(page.map((hold) => summary(parts, hold, identity)));
  const last = from === -1 || from + limit >= holds.length ? undefined : page.at(-1);
  const next = last === undefined ? null : `${last.state.terms.expiresAtMs}-${last.seq}`;
  sendJson(res, 200, { items, total: holds.length, next });
}

function isBehind(hold: Hold, { expiresAtMs, seq }: { expiresAtMs: number; seq: number }): boolean {
  const mine = hold.state.terms.expiresAtMs;
  return mine > expiresAtMs || (mine === expiresAtMs && hold.seq > seq);
}

async function summary(parts: ControlParts, hold: Hold, identity: Identity): Promise<HoldSummary> {
  const { headline, ...about } = await parts.summaryOf(hold);
  const { terms } = hold.state;
  return {
    id: hold.id,
    decisionId: parts.ledger.decisionId(hold.decision),
    state: hold.state.status,
    phase: hold.phase,
    severity: worstSeverity(hold),
    rules: hold.rules.map(({ id, title, severity }) => ({ id, title, severity })),
    headline: mayReadContent(identity, parts.roles) ? headline : (hold.rules[0]?.title ?? ''),
    ...about,
    digest: terms.digest,
    openedAt: iso(hold.openedAtMs),
    expiresAt: iso(terms.expiresAtMs),
    approvals: {
      needed: terms.approvals,
      given: releasesOf(hold.state).map(({ by }) => by),
      byRole: needsOf(hold.state).map(({ approvals, roles, left }) => ({ needed: approvals, roles, left })),
    },
    roles: rolesNow(hold.state),
    escalation: (terms.escalation ?? [])
      .slice(hold.state.escalated)
      .map(({ atMs, roles }) => ({ at: iso(atMs), roles })),
    breakGlass: terms.breakGlass?.roles ?? [],
    requester: terms.requester,
    caller: hold.attached ? 'waiting' : 'gone',
    possibleDuplicate: hold.possibleDuplicate,
    outcome: hold.outcome,
  };
}

async function show(parts: ControlParts, { req, res, params, identity }: ControlRequest): Promise<void> {
  const hold = await holdOf(parts, params['id']);
  const base = await summary(parts, hold, identity);
  const detail: Omit<HoldDetail, 'exchange'> = {
    ...base,
    rules: hold.rules.map(({ id, title, when, severity, error }) => ({ id, title, when, severity, error })),
    policy: { version: hold.policyVersion, digest: hold.policyDigest },
    rulings: hold.state.rulings.map(({ by, role, verdict, atMs, withheld = [], breakGlass = false }) => ({
      by,
      role,
      verdict,
      at: iso(atMs),
      withheld,
      breakGlass,
    })),
    collectBy: iso(hold.collectByMs),
    history: historyOf(parts, hold),
  };
  if (!mayReadContent(identity, parts.roles)) {
    sendJson(res, 200, { ...detail, exchange: null });
    return;
  }
  const entries = await parts.ledger.decision(hold.decision);
  const exchange = await readExchange(parts.ledger, hold.phase === 'request' ? entries.slice(0, 1) : entries);
  await sealAccess(parts.ledger, { identity, req }, 'read hold', hold.decision);
  const answer = { ...detail, exchange } satisfies HoldDetail;
  sendJson(res, 200, answer);
}

/** How the rule's recent holds ended, as far as the queue still knows them. */
function historyOf(parts: ControlParts, hold: Hold): Record<string, number> {
  const rule = hold.rules[0]?.id;
  const counts: Record<string, number> = {};
  for (const other of parts.holds.list()) {
    if (other.seq === hold.seq || other.rules[0]?.id !== rule) continue;
    counts[other.state.status] = (counts[other.state.status] ?? 0) + 1;
  }
  return counts;
}

async function rule(parts: ControlParts, { req, res, params, identity }: ControlRequest): Promise<void> {
  const hold = await holdOf(parts, params['id']);
  const { order, signed } = takeOrder(await readJsonBody(req), parts.rulings === 'signed');
  const parsed = rulingSchema.safeParse(order);
  if (!parsed.success)
    throw new HoldpointError('invalid_argument', z.prettifyError(parsed.error), 'See /openapi.json.');
  const { verdict, reason, digest, amendment, calls, breakGlass } = parsed.data;
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
  const signature = signed === null ? {} : { signed: checkSignature(parts, hold, identity, verdict, signed) };
  const { name: by, role } = identity;
  const divided = calls === undefined ? null : await divide(parts.ledger, hold, calls);
  if (divided !== null) {
    const { withheld } = divided;
    const ruling = { verdict: 'amend', reason, digest, by, role, withheld, ...signature } as const;
    await parts.holds.rule(hold, ruling, divided.message);
    sendJson(res, 201, await summary(parts, hold, identity));
    return;
  }
  const message = amendment === undefined ? null : await amendedMessage(parts.ledger, hold, amendment);
  await parts.holds.rule(hold, { verdict, reason, digest, by, role, breakGlass, ...signature }, message);
  sendJson(res, 201, await summary(parts, hold, identity));
}

/** Refused before the amendment is looked at: what is wrong with one says something about the held content. */
function requireHoldRole({ state }: Hold, identity: Identity): void {
  const allowed = rolesNow(state);
  if (allowed.includes(identity.role)) return;
  throw new HoldpointError(
    'forbidden',
    `This hold needs one of the roles: ${allowed.join(', ')}.`,
    'Ask somebody who has it.',
  );
}

async function holdOf(parts: ControlParts, id: string | undefined): Promise<Hold> {
  const seq = parts.ledger.seqOfId('h', id ?? '');
  if (seq === null)
    throw new HoldpointError(
      'not_found',
      'There is no such hold here.',
      'List them with: holdpoint holds list',
    );
  return parts.holds.get(seq);
}

const severityOrder = ['low', 'medium', 'high', 'critical'] as const;

function worstSeverity(hold: Hold): HoldSummary['severity'] {
  return (
    hold.rules
      .map(({ severity }) => severity)
      .sort((a, b) => severityOrder.indexOf(b) - severityOrder.indexOf(a))[0] ?? 'medium'
  );
}

function iso(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : '';
}
