/** Everything recorded: search newest first, one decision, its bodies. */
import { HoldpointError } from '../../core/errors.ts';
import { decodeHttpMessage } from '../../core/http-message.ts';
import type { Json, JsonObject } from '../../ledger/canonical.ts';
import type { Entry, Outcome } from '../../ledger/entry.ts';
import { outcomesOf } from '../../ledger/head.ts';
import { UnreadableEntry } from '../../ledger/reader.ts';
import { type SearchTerms, searchNames } from '../../ledger/search.ts';
import { openTimeSpan } from '../../ledger/time-span.ts';
import {
  type Body,
  type DecisionSummary,
  decisionQuerySchema,
  listDecisions,
  readBodies,
  readDecisionExchange,
  showDecision,
} from '../api/decisions.ts';
import { createDamage } from '../damage.ts';
import { type Exchange, readExchange } from '../exchange.ts';
import { type ControlRequest, type Route, sendJson } from '../http.ts';
import { decisionOf } from '../named.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';
import { sealAccess } from '../permissions.ts';
import { readReportedExchange } from '../reported-view.ts';

/** A page ends, with a cursor, after this many entries were looked at or decisions read whole. */
const scannedEntriesMax = 20_000;
const readDecisionsMax = 500;
/** Known from the request entry alone, so that other decisions need not be read whole. */
const requestFilters = ['provider', 'operation', 'workload', 'session'] as const;

export function decisionRoutes(parts: ControlParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/decisions',
      operation: listDecisions,
      handle: (request) => list(parts, request),
    },
    {
      method: 'GET',
      path: '/api/v1/decisions/{id}',
      operation: showDecision,
      handle: (request) => show(parts, request),
    },
    {
      method: 'GET',
      path: '/api/v1/decisions/{id}/exchange',
      operation: readDecisionExchange,
      actsOnGet: true,
      handle: (request) => exchange(parts, request),
    },
    {
      method: 'GET',
      path: '/api/v1/decisions/{id}/body',
      operation: readBodies,
      actsOnGet: true,
      handle: (request) => bodies(parts, request),
    },
  ];
}

async function list(parts: ControlParts, { res, query }: ControlRequest): Promise<void> {
  const { since, until, subject, rule, ...wanted } = readQuery(query, decisionQuerySchema);
  const { ledger } = parts;
  const fingerprint = subject === undefined ? undefined : parts.fingerprint(subject);
  const untilMs = instantOf(until, Number.POSITIVE_INFINITY);
  const span = openTimeSpan(instantOf(since, Number.NEGATIVE_INFINITY), untilMs);
  const items: DecisionSummary[] = [];
  let before = until === undefined ? wanted.before : await ledger.countBefore(untilMs, wanted.before);
  let next: number | null = null;
  let scanned = 0;
  let read = 0;
  const damage = createDamage(ledger);
  // What has not ended is in no index by its end.
  const outcome = wanted.outcome === 'open' ? undefined : wanted.outcome;
  const terms = termsOf({ ...wanted, outcome, rule, subject: fingerprint });
  for await (const entry of ledger.newest(before, terms)) {
    const place = span.place(entry);
    if (place === 'over') break;
    const isFull = items.length >= wanted.limit || scanned >= scannedEntriesMax || read >= readDecisionsMax;
    if (isFull || damage.isFull()) {
      next = before;
      break;
    }
    scanned += 1;
    before = entry.seq;
    if (entry instanceof UnreadableEntry) {
      damage.tell(entry);
      continue;
    }
    if (place === 'outside') continue;
    const { data } = entry;
    const isAsked =
      entry.type === 'request' && requestFilters.every((name) => matches(wanted[name], data[name]));
    if (!isAsked || !matches(fingerprint, data['subject'])) continue;
    read += 1;
    const item = await damage.read(entry.seq, async () => describe(parts, await ledger.decision(entry.seq)));
    if (item === null) continue;
    const fits =
      matches(wanted.verdict, item.verdict) &&
      (wanted.outcome === undefined || wanted.outcome === (item.outcome ?? 'open')) &&
      (rule === undefined || item.rules.includes(rule)) &&
      isRuledBy(item, wanted.ruledBy) &&
      (matches(wanted.model, item.model) || matches(wanted.model, data['model']));
    if (fits) items.push(item);
  }
  sendJson(res, 200, { items, next, unreadable: damage.told() });
}

function instantOf(time: string | undefined, otherwiseMs: number): number {
  return time === undefined ? otherwiseMs : Date.parse(time);
}

/** What is asked for, as the index takes it; undefined where nothing is. */
function termsOf(wanted: SearchTerms): SearchTerms | undefined {
  // What has none of something is in no index.
  const names = searchNames.filter((name) => (wanted[name] ?? '') !== '');
  return names.length === 0 ? undefined : Object.fromEntries(names.map((name) => [name, wanted[name]]));
}

/** An absent value is the empty text: `session=` finds what has none. */
function matches(wanted: string | undefined, value: Json | null | undefined): boolean {
  return wanted === undefined || (value ?? '') === wanted;
}

function isRuledBy({ ruledBy }: DecisionSummary, wanted: string | undefined): boolean {
  if (wanted === '') return ruledBy.length === 0;
  return wanted === undefined || ruledBy.includes(wanted);
}

/** One decision in a few fields; the whole is its entries. */
function describe(parts: ControlParts, entries: readonly Entry[]): DecisionSummary {
  const [request] = entries;
  if (request === undefined) throw new HoldpointError('not_found', 'The decision is not sealed.');
  const response = entries.findLast((entry) => entry.type === 'response');
  const { data } = request;
  return {
    id: parts.ledger.decisionId(request.seq),
    seq: request.seq,
    at: request.at,
    provider: text(data['provider']),
    operation: text(data['operation']),
    method: text(data['method']),
    path: text(data['path']),
    model: text(response?.data['model']) || text(data['model']),
    workload: text(data['workload']),
    session: text(data['session']),
    stream: data['stream'] === true,
    verdict: stricter(text(data['verdict']), text(response?.data['verdict'])),
    rules: [...ruleIds(request), ...(response === undefined ? [] : ruleIds(response))],
    status: typeof response?.data['status'] === 'number' ? response.data['status'] : null,
    usage: usageOf(response?.data['usage']),
    holds: entries.filter((entry) => entry.type === 'hold').map((entry) => parts.ledger.holdId(entry.seq)),
    ruledBy: rulersIn(entries),
    outcome: outcomeOf(entries, request.seq),
    reported: reportOf(data['reported']),
  };
}

/** Each once, in the order in which they ruled. */
function rulersIn(entries: readonly Entry[]): string[] {
  return [...new Set(entries.filter(({ type }) => type === 'ruling').map(({ data }) => text(data['by'])))];
}

/** Null for an exchange that passed here. */
function reportOf(value: Json | undefined): DecisionSummary['reported'] {
  if (!isJsonObject(value)) return null;
  const told = (name: string): string => text(value[name]);
  const named = { by: told('by'), id: told('id'), decider: told('decider'), at: told('at') };
  return { ...named, outcome: told('outcome'), class: told('class') };
}

function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && !Array.isArray(value);
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function usageOf(value: Json | undefined): DecisionSummary['usage'] {
  if (!isJsonObject(value)) return null;
  const { input, output, total } = value;
  if (typeof input !== 'number' || typeof output !== 'number' || typeof total !== 'number')
    return { source: 'absent' };
  return { source: 'provider', input, output, total };
}

const strictness = ['deny', 'hold', 'flag', 'pass'] as const;

function stricter(a: string, b: string): DecisionSummary['verdict'] {
  return strictness.find((verdict) => verdict === a || verdict === b) ?? 'pass';
}

function ruleIds(entry: Entry): string[] {
  const rules = entry.data['rules'];
  return Array.isArray(rules) ? rules.map(text) : [];
}

/** Null while the decision is in flight or held. */
function outcomeOf(entries: readonly Entry[], decision: number): Outcome | null {
  for (const entry of entries) {
    const pair = outcomesOf(entry.data).find(([closed]) => closed === decision);
    if (pair !== undefined) return pair[1];
  }
  return null;
}

async function show(parts: ControlParts, { res, params }: ControlRequest): Promise<void> {
  const { entries } = await decisionOf(parts, params['id']);
  sendJson(res, 200, { ...describe(parts, entries), entries });
}

async function exchange(parts: ControlParts, { req, res, params, identity }: ControlRequest): Promise<void> {
  const { seq, entries } = await decisionOf(parts, params['id']);
  const content = await contentOfDecision(parts, entries);
  await sealAccess(parts.ledger, { identity, req }, 'read exchange', seq);
  sendJson(res, 200, content);
}

function contentOfDecision({ ledger }: ControlParts, entries: readonly Entry[]): Promise<Exchange> {
  const [first] = entries;
  if (first?.data['reported'] === undefined) return readExchange(ledger, entries);
  return readReportedExchange(
    ledger,
    first,
    entries.find((entry) => entry.type === 'response'),
  );
}

async function bodies(parts: ControlParts, { req, res, params, identity }: ControlRequest): Promise<void> {
  const { seq, entries } = await decisionOf(parts, params['id']);
  await sealAccess(parts.ledger, { identity, req }, 'read body', seq);
  const named = entries.flatMap((entry) => entry.parts.map((part) => ({ entry, part })));
  const bodiesRead: Body[] = await Promise.all(
    named.map(async ({ entry, part }) => ({
      seq: entry.seq,
      type: entry.type,
      name: part.name,
      size: part.size,
      commitment: part.c,
      ...(await contentOf(parts, entry.seq, part.name)),
    })),
  );
  const erased = bodiesRead.find((body) => body.erased !== undefined && body.type !== 'erasure');
  if (
    erased !== undefined &&
    bodiesRead.every((body) => body.erased !== undefined || body.type === 'erasure')
  )
    throw new HoldpointError(
      'erased',
      erased.erased ?? '',
      'What is left of it: holdpoint decisions show ID.',
    );
  sendJson(res, 200, { id: params['id'], bodies: bodiesRead });
}

/** The content of a part, or that it was erased. */
async function contentOf(parts: ControlParts, seq: number, name: string) {
  try {
    return shown(name, await parts.ledger.part(seq, name));
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'erased') return { erased: error.message };
    throw error;
  }
}

/** Parts that are HTTP messages; what people wrote, and what they signed, is text. */
const messageParts: readonly string[] = ['request', 'response', 'amendment'];

/** Text where it is text, base64 where it is not: what is shown can always be turned back into the sealed bytes. */
function shown(name: string, bytes: Buffer) {
  if (!messageParts.includes(name)) return { text: bytes.toString('utf8') };
  const { startLine, headers, body } = decodeHttpMessage(bytes);
  const text = body.toString('utf8');
  return Buffer.from(text).equals(body)
    ? { startLine, headers, text }
    : { startLine, headers, base64: body.toString('base64') };
}
