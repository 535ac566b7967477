/** The ledger itself: its checkpoint and its entries, for people who verify. */

import type { Entry } from '../../ledger/entry.ts';
import { entryQuerySchema, listEntries, readCheckpoint, showCheckpoint } from '../api/ledger.ts';
import { type ControlRequest, type Route, sendJson, sendText } from '../http.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';

export function ledgerRoutes(parts: ControlParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/ledger/checkpoint',
      operation: showCheckpoint,
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
      operation: listEntries,
      handle: (request) => entries(parts, request),
    },
    {
      method: 'GET',
      path: '/checkpoint',
      operation: readCheckpoint,
      handle: ({ res }) => {
        sendText(res, 200, parts.ledger.durable().note, 'text/plain; charset=utf-8');
      },
    },
  ];
}

async function entries(parts: ControlParts, { res, query }: ControlRequest): Promise<void> {
  const { from, limit } = readQuery(query, entryQuerySchema);
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
