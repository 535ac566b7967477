/** Who may do what on the control port: the whole table, and every role held against every operation of the description. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Role, roles } from '../../src/core/roles.ts';
import { type Description, descriptionSchema } from './support/described.ts';
import { type House, startHouse } from './support/sidecar.ts';

const all = [...roles];
/** Who only reports decisions sees nothing. */
const everybody = roles.filter((role) => role !== 'reporter');
const content: readonly Role[] = ['reviewer', 'auditor', 'privacy', 'admin'];
const ledger: readonly Role[] = ['auditor', 'admin'];
const erasing: readonly Role[] = ['privacy', 'admin'];
const open: readonly Role[] | null = null;

/** By operation; null needs no token. What a role sees of content beyond that is in security.test.ts. */
const table: Readonly<Record<string, readonly Role[] | null>> = {
  healthz: open,
  readyz: open,
  metrics: open,
  openapi: open,
  console: open,
  whoami: all,
  showPolicy: everybody,
  showPolicyRules: everybody,
  listPolicyVersions: everybody,
  showPolicyVersion: everybody,
  // Content is read, though none of it is answered.
  backtestPolicy: ledger,
  showSummary: everybody,
  events: everybody,
  listHolds: everybody,
  showHold: everybody,
  // Which roles rule was fixed by the policy when the hold opened.
  ruleOnHold: everybody,
  ruleOnHolds: everybody,
  commentOnHold: content,
  assignHold: content,
  lookAtHold: content,
  listReviews: everybody,
  reviewHold: content,
  listDelegations: everybody,
  beginDelegation: ['reviewer', 'privacy', 'admin'],
  endDelegation: ['reviewer', 'privacy', 'admin'],
  listReviewerKeys: everybody,
  enrolReviewerKey: content,
  withdrawReviewerKey: content,
  listDecisions: everybody,
  showDecision: everybody,
  reportDecisions: ['reporter', 'admin'],
  readBodies: content,
  readDecisionExchange: content,
  showCheckpoint: everybody,
  listEntries: ledger,
  // Hashes alone: whoever may see that there is an entry may check that it is in the ledger.
  proveInclusion: everybody,
  proveConsistency: everybody,
  listAnchors: everybody,
  readCheckpoint: ledger,
  readTile: ledger,
  readEntryBundle: ledger,
  startErasure: erasing,
  stopErasure: erasing,
  placeLegalHold: erasing,
  liftLegalHold: erasing,
  showErasure: ['privacy', 'auditor', 'admin'],
  listErasures: ['privacy', 'auditor', 'admin'],
  showRetention: ['privacy', 'auditor', 'admin'],
  lookAtRetention: erasing,
  listLegalHolds: ['privacy', 'auditor', 'admin'],
  listNotifications: ['reviewer', 'auditor', 'admin'],
  replayNotification: ['admin'],
  testNotification: ['admin'],
  changeKeys: ['admin'],
};

let house: House;
let description: Description;
beforeAll(async () => {
  house = await startHouse();
  description = descriptionSchema.parse((await house.call('/openapi.json', { as: null })).json);
});
afterAll(() => house.close());

const operations = () =>
  Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      path: path.replaceAll(/\{[^}]*\}/g, 'x'),
    })),
  );

/** The status alone: an answer may be a stream without end, and an empty object is no order that anything takes. */
async function statusOf(method: string, path: string, token: string | null): Promise<number> {
  const stop = new AbortController();
  const response = await fetch(`${house.sidecar.controlUrl}${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(method === 'POST' ? { body: '{}' } : {}),
    signal: stop.signal,
  });
  stop.abort();
  return response.status;
}

describe('the table of permissions', () => {
  it('has every operation of the description and no other', () => {
    expect(
      operations()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(Object.keys(table).sort());
  });

  it('refuses each operation without a token, where it needs one', async () => {
    for (const { id, method, path } of operations()) {
      const status = await statusOf(method, path, null);
      if (table[id] === null) expect([200, 503], id).toContain(status);
      else expect(status, id).toBe(401);
    }
  });

  it.each(roles)('lets %s do what it says and nothing else', async (role) => {
    for (const { id, method, path } of operations()) {
      const allowed = table[id] === null || table[id]?.includes(role) === true;
      const status = await statusOf(method, path, house.tokens[role]);
      // Beyond the check of the role an empty order is not valid, and `x` names nothing.
      if (allowed) expect([200, 400, 404], `${role} ${id}`).toContain(status);
      else expect(status, `${role} ${id}`).toBe(403);
    }
  });
});
