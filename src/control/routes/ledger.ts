/** The ledger itself: its checkpoint and its entries, for people who verify. */

import type { Entry } from '../../ledger/entry.ts';
import { type ControlRequest, queryInteger, type Route, sendJson, sendText } from '../http.ts';
import type { ControlParts } from '../parts.ts';
import { requireLedgerReader } from '../permissions.ts';

const pageMax = 1000;

export function ledgerRoutes(parts: ControlParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/ledger/checkpoint',
      needsToken: true,
      handle: ({ res }) => {
        const { size, note } = parts.ledger.durable();
        sendJson(res, 200, {
          origin: parts.ledger.origin,
          size,
          note: note.toString('utf8'),
          key: parts.ledger.verifierKey,
        });
      },
    },
    {
      method: 'GET',
      path: '/api/v1/ledger/entries',
      needsToken: true,
      handle: (request) => entries(parts, request),
    },
    {
      method: 'GET',
      path: '/checkpoint',
      needsToken: true,
      handle: ({ res, identity }) => {
        requireLedgerReader(identity);
        sendText(res, 200, parts.ledger.durable().note, 'text/plain; charset=utf-8');
      },
    },
  ];
}

async function entries(parts: ControlParts, { res, query, identity }: ControlRequest): Promise<void> {
  requireLedgerReader(identity);
  const from = queryInteger(query, 'from', 0, Number.MAX_SAFE_INTEGER);
  const limit = queryInteger(query, 'limit', 100, pageMax);
  const items: Entry[] = [];
  for await (const block of parts.ledger.blocks({ fromSeq: from, reverse: false })) {
    items.push(...block.filter((entry) => entry.seq >= from));
    if (items.length >= limit) break;
  }
  const page = items.slice(0, limit);
  const last = page.at(-1);
  sendJson(res, 200, {
    items: page,
    next: last === undefined || last.seq + 1 >= parts.ledger.durable().size ? null : last.seq + 1,
  });
}
