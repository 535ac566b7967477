/** The queue, one hold with everything needed to rule, and rulings. */
import { HoldpointError } from '../../core/errors.ts';
import type { Hold } from '../../hold/record.ts';
import { UnreadableEntry } from '../../ledger/reader.ts';
import type { HeldShown } from '../actions.ts';
import { type HoldSummary, holdQuerySchema, listHolds, showHold } from '../api/holds.ts';
import { ruleOnHold, rulingSchema } from '../api/rulings.ts';
import { createDamage, type Damage } from '../damage.ts';
import { beforeAnswer, readExchange } from '../exchange.ts';
import { entriesOf } from '../hold-entries.ts';
import { detailOf, summaryOf } from '../hold-view.ts';
import { type ControlRequest, checkOrder, type Route, readJsonBody, sendJson } from '../http.ts';
import { holdOf } from '../named.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';
import { mayReadContent, sealAccess } from '../permissions.ts';
import { ruleOn } from '../ruling.ts';
import { holdsOfSession } from '../session-holds.ts';
import { takeOrder } from '../signed-ruling.ts';

export function holdRoutes(parts: ControlParts): Route[] {
  return [
    { method: 'GET', path: '/api/v1/holds', operation: listHolds, handle: (request) => list(parts, request) },
    {
      method: 'GET',
      path: '/api/v1/holds/{id}',
      operation: showHold,
      actsOnGet: true,
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
  const damage = createDamage(parts.ledger);
  const all =
    session === undefined
      ? parts.holds.list()
      : await holdsOfSession(parts.ledger, parts.holds, session, damage);
  const holds = all.filter(
    (hold) => (state === undefined || hold.state.status === state) && (id === undefined || hold.id === id),
  );
  // The one whose time runs out first comes first.
  holds.sort((a, b) => a.state.terms.expiresAtMs - b.state.terms.expiresAtMs || a.seq - b.seq);
  // By its key and not by its place, so that holds that come or end between two pages move no other.
  const from = after === undefined ? 0 : holds.findIndex((hold) => isBehind(hold, after));
  const page = from === -1 ? [] : holds.slice(from, from + limit);
  // One after the other, as they were sealed: those of one block are read with it, and calls are answered in between.
  const items: HoldSummary[] = [];
  for (const hold of page) items.push(await summaryOf(parts, hold, identity));
  const last = from === -1 || from + limit >= holds.length ? undefined : page.at(-1);
  const next = last === undefined ? null : `${last.state.terms.expiresAtMs}-${last.seq}`;
  const lost = { unreadable: damage.told(), unreadableEntries: damage.entries() };
  sendJson(res, 200, { items, total: holds.length, next, ...lost });
}

function isBehind(hold: Hold, { expiresAtMs, seq }: { expiresAtMs: number; seq: number }): boolean {
  const mine = hold.state.terms.expiresAtMs;
  return mine > expiresAtMs || (mine === expiresAtMs && hold.seq > seq);
}

async function show(parts: ControlParts, { req, res, params, identity }: ControlRequest): Promise<void> {
  const hold = await holdOf(parts, params['id']);
  if (!mayReadContent(identity, parts.roles)) {
    sendJson(res, 200, await detailOf(parts, hold, identity, { exchange: null, unread: '' }));
    return;
  }
  const damage = createDamage(parts.ledger);
  const held = await heldShown(parts, hold, damage);
  await sealAccess(parts.ledger, { identity, req }, 'read hold', hold.decision);
  sendJson(res, 200, await detailOf(parts, hold, identity, held, damage));
}

/** One that waits is shown without what cannot be read: somebody has to be able to deny it. */
async function heldShown({ ledger }: ControlParts, hold: Hold, damage: Damage): Promise<HeldShown> {
  let at = hold.decision;
  const part = (seq: number, name: string): Promise<Buffer> => {
    at = seq;
    return ledger.part(seq, name);
  };
  try {
    const entries = await entriesOf(ledger, hold, damage.tell);
    const known = hold.phase === 'request' ? beforeAnswer(entries) : entries;
    return { exchange: await readExchange({ part }, known), unread: '' };
  } catch (error) {
    const isDamage = error instanceof HoldpointError && error.code === 'ledger_damaged';
    if (!isDamage || hold.state.status !== 'pending') throw error;
    const why = error instanceof UnreadableEntry ? error : new UnreadableEntry(at, error);
    damage.tell(why);
    return { exchange: null, unread: `${why.message} ${error.next}` };
  }
}

async function rule(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, params, identity } = request;
  const hold = await holdOf(parts, params['id']);
  const { order, signed } = takeOrder(await readJsonBody(request), parts.rulings === 'signed');
  await ruleOn(parts, hold, identity, checkOrder(rulingSchema, order), signed, request.requireStanding);
  sendJson(res, 201, await summaryOf(parts, hold, identity));
}
