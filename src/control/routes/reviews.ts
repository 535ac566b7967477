/** Reviews of releases that one person made alone. */
import type { ReviewDue } from '../../hold/reviews.ts';
import {
  listReviews,
  type ReviewShown,
  reviewHold,
  reviewQuerySchema,
  reviewSchema,
} from '../api/reviews.ts';
import { createDamage } from '../damage.ts';
import { iso, summaryOf } from '../hold-view.ts';
import { type ControlRequest, type Route, readOrder, sendJson } from '../http.ts';
import { holdOf } from '../named.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';
import { personIn } from './deliberation.ts';

export function reviewRoutes(parts: ControlParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/reviews',
      operation: listReviews,
      handle: (request) => list(parts, request),
    },
    {
      method: 'POST',
      path: '/api/v1/holds/{id}/review',
      operation: reviewHold,
      handle: (request) => review(parts, request),
    },
  ];
}

async function list(parts: ControlParts, { res, query }: ControlRequest): Promise<void> {
  const { state } = readQuery(query, reviewQuerySchema);
  const damage = createDamage(parts.ledger);
  const all = (await parts.holds.reviews(damage.read)).map((one) => shown(parts, one));
  const items = all.filter(
    (one) => state === undefined || one.state === state || (state === 'open' && one.state === 'overdue'),
  );
  const lost = { unreadable: damage.told(), unreadableEntries: damage.entries() };
  sendJson(res, 200, { items, ...lost });
}

function shown({ ledger, clock }: ControlParts, due: ReviewDue): ReviewShown {
  const { review, dueAtMs } = due;
  const isOverdue = dueAtMs <= clock.nowMs();
  return {
    hold: ledger.holdId(due.hold),
    decisionId: ledger.decisionId(due.decision),
    rules: due.rules.map(({ id, title }) => ({ id, title })),
    by: due.by,
    at: iso(due.atMs),
    dueAt: iso(dueAtMs),
    state: review !== null ? 'reviewed' : isOverdue ? 'overdue' : 'open',
    review:
      review === null
        ? null
        : { by: review.by, role: review.role, verdict: review.verdict, at: iso(review.atMs) },
  };
}

async function review(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, params, identity } = request;
  const { seq } = await holdOf(parts, params['id']);
  const finding = await readOrder(request, reviewSchema);
  const person = { ...personIn(request), alsoCalled: parts.otherNames(identity.name) };
  const hold = await parts.holds.review(seq, person, finding);
  sendJson(res, 201, await summaryOf(parts, hold, identity));
}
