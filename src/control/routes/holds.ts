/** The queue, one hold with everything needed to rule, and rulings. */
import { z } from 'zod';
import { HoldpointError } from '../../core/errors.ts';
import type { Hold } from '../../hold/record.ts';
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
import { type ControlRequest, type Route, readJsonBody, sendJson } from '../http.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';
import { mayReadContent, sealAccess } from '../permissions.ts';
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
  const { state, limit, id, after } = readQuery(query, holdQuerySchema);
  const holds = parts.holds
    .list()
    .filter(
      (hold) => (state === undefined || hold.state.status === state) && (id === undefined || hold.id === id),
    );
  // The one whose time runs out first comes first.
  holds.sort((a, b) => a.state.terms.expiresAtMs - b.state.terms.expiresAtMs || a.seq - b.seq);
  const [expiresAtMs = -1, seq = -1] = (after ?? '').split('.').filter(Boolean).map(Number);
  const isLater = ({ state: { terms }, seq: other }: Hold): boolean =>
    terms.expiresAtMs > expiresAtMs || (terms.expiresAtMs === expiresAtMs && other > seq);
  const start = after === undefined ? 0 : holds.findIndex(isLater);
  const page = start < 0 ? [] : holds.slice(start, start + limit);
  const items = await Promise.all(page.map((hold) => summary(parts, hold, identity)));
  const last = page.at(-1);
  const isEnd = last === undefined || start + limit >= holds.length;
  sendJson(res, 200, {
    items,
    total: holds.length,
    next: isEnd ? null : `${last.state.terms.expiresAtMs}.${last.seq}`,
  });
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
    headline: mayReadContent(identity) ? headline : (hold.rules[0]?.title ?? ''),
    ...about,
    digest: terms.digest,
    openedAt: iso(hold.openedAtMs),
    expiresAt: iso(terms.expiresAtMs),
    approvals: {
      needed: terms.approvals,
      given: hold.state.rulings.filter(({ verdict }) => verdict === 'release').map(({ by }) => by),
    },
    roles: terms.roles,
    requester: terms.requester,
    caller: hold.attached ? 'waiting' : 'gone',
    possibleDuplicate: hold.possibleDuplicate,
    outcome: hold.outcome,
  };
}

async function show(parts: ControlParts, { res, params, identity }: ControlRequest): Promise<void> {
  const hold = await holdOf(parts, params['id']);
  const base = await summary(parts, hold, identity);
  const detail: Omit<HoldDetail, 'exchange'> = {
    ...base,
    rules: hold.rules.map(({ id, title, when, severity, error }) => ({ id, title, when, severity, error })),
    policy: { version: hold.policyVersion, digest: hold.policyDigest },
    rulings: hold.state.rulings.map(({ by, verdict, atMs }) => ({ by, verdict, at: iso(atMs) })),
    history: historyOf(parts, hold),
  };
  if (!mayReadContent(identity)) {
    sendJson(res, 200, { ...detail, exchange: null });
    return;
  }
  const entries = await parts.ledger.decision(hold.decision);
  const exchange = await readExchange(parts.ledger, hold.phase === 'request' ? entries.slice(0, 1) : entries);
  await sealAccess(parts.ledger, identity, 'read hold', hold.decision);
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
  requireHoldRole(hold, identity);
  const parsed = rulingSchema.safeParse(await readJsonBody(req));
  if (!parsed.success)
    throw new HoldpointError('invalid_argument', z.prettifyError(parsed.error), 'See /openapi.json.');
  const { verdict, reason, digest, amendment } = parsed.data;
  if ((verdict === 'amend') !== (amendment !== undefined)) {
    throw new HoldpointError(
      'invalid_argument',
      'An amendment goes with the verdict amend, and with no other.',
    );
  }
  const message = amendment === undefined ? null : await amendedMessage(parts.ledger, hold, amendment);
  await parts.holds.rule(hold, { verdict, reason, digest, by: identity.name, role: identity.role }, message);
  sendJson(res, 201, await summary(parts, hold, identity));
}

/** Refused before the amendment is looked at: what is wrong with one says something about the held content. */
function requireHoldRole({ state: { terms } }: Hold, identity: Identity): void {
  if (terms.roles.includes(identity.role)) return;
  throw new HoldpointError(
    'forbidden',
    `This hold needs one of the roles: ${terms.roles.join(', ')}.`,
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
