/** Everything recorded: search newest first, one decision, its bodies. */
import { HoldpointError } from '../../core/errors.ts';
import { decodeHttpMessage } from '../../core/http-message.ts';
import type { Entry } from '../../ledger/entry.ts';
import { outcomesOf } from '../../ledger/head.ts';
import { type ControlRequest, queryInteger, type Route, sendJson } from '../http.ts';
import type { ControlParts } from '../parts.ts';
import { requireContentReader, sealAccess } from '../permissions.ts';

const pageMax = 200;
/** A page ends, with a cursor, after this many entries were looked at. */
const scannedEntriesMax = 20_000;
const filters = ['model', 'operation', 'workload', 'verdict', 'provider', 'session'] as const;

export function decisionRoutes(parts: ControlParts): Route[] {
  return [
    { method: 'GET', path: '/api/v1/decisions', needsToken: true, handle: (request) => list(parts, request) },
    {
      method: 'GET',
      path: '/api/v1/decisions/{id}',
      needsToken: true,
      handle: (request) => show(parts, request),
    },
    {
      method: 'GET',
      path: '/api/v1/decisions/{id}/body',
      needsToken: true,
      handle: (request) => bodies(parts, request),
    },
  ];
}

async function list(parts: ControlParts, { res, query }: ControlRequest): Promise<void> {
  const limit = queryInteger(query, 'limit', 50, pageMax);
  let before = queryInteger(query, 'before', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const outcome = query.get('outcome');
  const items: ReturnType<typeof describe>[] = [];
  let scanned = 0;
  let more = false;
  outer: for await (const entries of parts.ledger.blocks({ fromSeq: before, reverse: true })) {
    for (const entry of entries.toReversed()) {
      if (entry.seq >= before) continue;
      if (items.length >= limit || scanned >= scannedEntriesMax) {
        more = true;
        break outer;
      }
      scanned += 1;
      before = entry.seq;
      if (entry.type !== 'request' || !filters.every((name) => matches(entry, name, query.get(name))))
        continue;
      const item = describe(parts, await parts.ledger.decision(entry.seq));
      if (outcome === null || item.outcome === outcome) items.push(item);
    }
  }
  sendJson(res, 200, { items, next: more ? before : null });
}

function matches(entry: Entry, name: (typeof filters)[number], wanted: string | null): boolean {
  return wanted === null || entry.data[name] === wanted;
}

/** One decision in a few fields; the whole is its entries. */
function describe(parts: ControlParts, entries: readonly Entry[]) {
  const [request] = entries;
  if (request === undefined) throw new HoldpointError('not_found', 'The decision is not sealed.');
  const response = entries.findLast((entry) => entry.type === 'response');
  const { data } = request;
  return {
    id: parts.ledger.decisionId(request.seq),
    seq: request.seq,
    at: request.at,
    provider: data['provider'],
    operation: data['operation'],
    method: data['method'],
    path: data['path'],
    model: response?.data['model'] || data['model'],
    workload: data['workload'],
    session: data['session'] ?? '',
    stream: data['stream'],
    verdict: stricter(String(data['verdict']), String(response?.data['verdict'] ?? 'pass')),
    rules: [...ruleIds(request), ...(response === undefined ? [] : ruleIds(response))],
    status: response?.data['status'] ?? null,
    usage: response?.data['usage'] ?? null,
    holds: entries.filter((entry) => entry.type === 'hold').map((entry) => parts.ledger.holdId(entry.seq)),
    outcome: outcomeOf(entries, request.seq),
  };
}

const strictness = ['pass', 'flag', 'hold', 'deny'];

function stricter(a: string, b: string): string {
  return strictness.indexOf(a) >= strictness.indexOf(b) ? a : b;
}

function ruleIds(entry: Entry): unknown[] {
  const rules = entry.data['rules'];
  return Array.isArray(rules) ? rules : [];
}

/** Null while the decision is in flight or held. */
function outcomeOf(entries: readonly Entry[], decision: number): string | null {
  for (const entry of entries) {
    const pair = outcomesOf(entry.data).find(([closed]) => closed === decision);
    if (pair !== undefined) return pair[1];
  }
  return null;
}

async function show(parts: ControlParts, { res, params }: ControlRequest): Promise<void> {
  const entries = await parts.ledger.decision(decisionSeq(parts, params['id']));
  sendJson(res, 200, { ...describe(parts, entries), entries });
}

async function bodies(parts: ControlParts, { res, params, identity }: ControlRequest): Promise<void> {
  requireContentReader(identity);
  const seq = decisionSeq(parts, params['id']);
  const entries = await parts.ledger.decision(seq);
  await sealAccess(parts.ledger, identity, 'read body', seq);
  const named = entries.flatMap((entry) => entry.parts.map((part) => ({ entry, part })));
  const bodiesRead = await Promise.all(
    named.map(async ({ entry, part }) => ({
      seq: entry.seq,
      type: entry.type,
      name: part.name,
      size: part.size,
      commitment: part.c,
      ...shown(part.name, await parts.ledger.part(entry.seq, part.name)),
    })),
  );
  sendJson(res, 200, { id: params['id'], bodies: bodiesRead });
}

/** Text where it is text, base64 where it is not: what is shown can always be turned back into the sealed bytes. */
function shown(name: string, bytes: Buffer) {
  if (name === 'reason' || name === 'source') return { text: bytes.toString('utf8') };
  const { startLine, headers, body } = decodeHttpMessage(bytes);
  const text = body.toString('utf8');
  return Buffer.from(text).equals(body)
    ? { startLine, headers, text }
    : { startLine, headers, base64: body.toString('base64') };
}

function decisionSeq(parts: ControlParts, id: string | undefined): number {
  const seq = parts.ledger.seqOfId('d', id ?? '');
  if (seq === null)
    throw new HoldpointError(
      'not_found',
      'There is no such decision here.',
      'List them with: holdpoint decisions list',
    );
  return seq;
}
