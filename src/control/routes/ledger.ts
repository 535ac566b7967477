/** The ledger itself: its checkpoint, its entries and proofs about them, for people who verify. */
import { HoldpointError } from '../../core/errors.ts';
import type { Entry } from '../../ledger/entry.ts';
import { UnreadableEntry } from '../../ledger/reader.ts';
import { parseTilePath } from '../../ledger/tiles.ts';
import {
  consistencyQuerySchema,
  entryQuerySchema,
  inclusionQuerySchema,
  listAnchors,
  listEntries,
  proveConsistency,
  proveInclusion,
  readCheckpoint,
  readEntryBundle,
  readTile,
  showCheckpoint,
} from '../api/ledger.ts';
import { createDamage } from '../damage.ts';
import { type ControlRequest, type Route, sendJson, sendText } from '../http.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';

const anchorsMax = 20;
/** Looked at for anchors, the newest first. */
const anchorEntriesMax = 20_000;

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
      path: '/api/v1/ledger/anchors',
      operation: listAnchors,
      handle: (request) => anchors(parts, request),
    },
    {
      method: 'GET',
      path: '/api/v1/ledger/proofs/inclusion',
      operation: proveInclusion,
      handle: (request) => inclusion(parts, request),
    },
    {
      method: 'GET',
      path: '/api/v1/ledger/proofs/consistency',
      operation: proveConsistency,
      handle: (request) => consistency(parts, request),
    },
    {
      method: 'GET',
      path: '/tile/entries/{n}',
      takesRest: true,
      operation: readEntryBundle,
      handle: (request) => tile(parts, 'entries', request),
    },
    {
      method: 'GET',
      path: '/tile/{level}/{n}',
      takesRest: true,
      operation: readTile,
      handle: (request) => tile(parts, request.params['level'] ?? '', request),
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

async function anchors(parts: ControlParts, { res }: ControlRequest): Promise<void> {
  const items: Entry[] = [];
  const damage = createDamage(parts.ledger);
  let scanned = 0;
  for await (const entry of parts.ledger.newest(Number.MAX_SAFE_INTEGER)) {
    if (items.length >= anchorsMax || scanned >= anchorEntriesMax) break;
    scanned += 1;
    if (entry instanceof UnreadableEntry) damage.tell(entry);
    else if (entry.type === 'anchor') items.push(entry);
  }
  const lost = { unreadable: damage.told(), unreadableEntries: damage.entries() };
  sendJson(res, 200, { items, ...lost });
}

async function inclusion(parts: ControlParts, { res, query }: ControlRequest): Promise<void> {
  const asked = readQuery(query, inclusionQuerySchema);
  const { seq, size, leafHash, root, hashes, note } = await parts.ledger.tree.inclusion(
    asked.seq,
    asked.size,
  );
  sendJson(res, 200, {
    seq,
    size,
    leafHash: leafHash.toString('base64'),
    root: root.toString('base64'),
    hashes: hashes.map((hash) => hash.toString('base64')),
    note: note?.toString('utf8') ?? null,
  });
}

async function consistency(parts: ControlParts, { res, query }: ControlRequest): Promise<void> {
  const asked = readQuery(query, consistencyQuerySchema);
  const { from, to, fromRoot, toRoot, hashes } = await parts.ledger.tree.consistency(asked.from, asked.to);
  sendJson(res, 200, {
    from,
    to,
    fromRoot: fromRoot.toString('base64'),
    toRoot: toRoot.toString('base64'),
    hashes: hashes.map((hash) => hash.toString('base64')),
  });
}

async function tile(parts: ControlParts, level: string, { res, params }: ControlRequest): Promise<void> {
  const name = parseTilePath(`tile/${level}/${params['n'] ?? ''}`);
  if (name === null)
    throw new HoldpointError(
      'not_found',
      'This is not the path of a tile.',
      'C2SP tlog-tiles says how they are written.',
    );
  sendText(res, 200, await parts.ledger.tree.tile(name), 'application/octet-stream');
}
