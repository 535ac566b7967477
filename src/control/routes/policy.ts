/** The policy in force rule by rule, and the versions that were sealed. A policy is no content: every role reads it. */
import { HoldpointError } from '../../core/errors.ts';
import type { Entry } from '../../ledger/entry.ts';
import { UnreadableEntry } from '../../ledger/reader.ts';
import { readRules, testPolicy } from '../../policy/compile.ts';
import type { Policy } from '../../policy/policy.ts';
import {
  listPolicyVersions,
  type PolicyRules,
  showPolicyRules,
  showPolicyVersion,
  versionQuerySchema,
} from '../api/policy.ts';
import { createDamage } from '../damage.ts';
import { type ControlRequest, type Route, sendJson } from '../http.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';

/** A page ends, with a cursor, after this many entries were looked at. */
const scannedEntriesMax = 20_000;

export function policyRoutes(parts: ControlParts): Route[] {
  let known: PolicyRules | null = null;
  return [
    {
      method: 'GET',
      path: '/api/v1/policy/rules',
      operation: showPolicyRules,
      handle: ({ res }) => {
        const policy = parts.policy();
        if (known?.digest !== policy.digest) known = describeRules(policy, parts.roles.rulers);
        sendJson(res, 200, known);
      },
    },
    {
      method: 'GET',
      path: '/api/v1/policy/versions',
      operation: listPolicyVersions,
      handle: (request) => versions(parts, request),
    },
    {
      method: 'GET',
      path: '/api/v1/policy/versions/{seq}',
      operation: showPolicyVersion,
      handle: (request) => version(parts, request),
    },
  ];
}

function describeRules({ version, digest, source }: Policy, rulers: readonly string[]): PolicyRules {
  const file = 'the policy in force';
  const results = testPolicy(file, source, rulers);
  const rules = readRules(file, source, rulers).map(({ tests: _, ...rule }) => ({
    ...rule,
    tests: results
      .filter((result) => result.rule === rule.id)
      .map(({ fixture: name, expected, actual, passed, message }) => ({
        name,
        expected,
        actual,
        passed,
        message,
      })),
  }));
  return { version, digest, rules };
}

async function versions(parts: ControlParts, { res, query }: ControlRequest): Promise<void> {
  const { before, limit } = readQuery(query, versionQuerySchema);
  const items: ReturnType<typeof describe>[] = [];
  let cursor = before;
  let next: number | null = null;
  let scanned = 0;
  const damage = createDamage(parts.ledger);
  for await (const entry of parts.ledger.newest(before)) {
    if (items.length >= limit || scanned >= scannedEntriesMax || damage.isFull()) {
      next = cursor;
      break;
    }
    scanned += 1;
    cursor = entry.seq;
    if (entry instanceof UnreadableEntry) damage.tell(entry);
    else if (entry.type === 'policy') items.push(describe(entry));
  }
  sendJson(res, 200, { items, next, unreadable: damage.told() });
}

async function version(parts: ControlParts, { res, params }: ControlRequest): Promise<void> {
  const given = params['seq'] ?? '';
  const seq = /^\d{1,15}$/.test(given) ? Number(given) : -1;
  const entry = seq >= 0 && seq < parts.ledger.durable().size ? await parts.ledger.entry(seq) : null;
  if (entry?.type !== 'policy')
    throw new HoldpointError(
      'not_found',
      'No policy is sealed there.',
      'List them: GET /api/v1/policy/versions.',
    );
  const source = await parts.ledger.part(seq, 'source');
  sendJson(res, 200, { ...describe(entry), source: source.toString('utf8') });
}

function describe({ seq, at, data }: Entry) {
  const { version: named, digest, result } = data;
  return {
    seq,
    at,
    version: typeof named === 'string' ? named : '',
    digest: typeof digest === 'string' ? digest : '',
    result: result === 'refused' ? ('refused' as const) : ('loaded' as const),
  };
}
