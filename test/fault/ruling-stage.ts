/** A hold on which somebody rules while the disk keeps what is sealed waiting. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { writeReviewerKey } from '../../src/cli/reviewer-key.ts';
import type { AmendmentInput } from '../../src/control/amend.ts';
import { withdrawKey } from '../../src/control/routes/reviewer-keys.ts';
import { ruleOn } from '../../src/control/ruling.ts';
import type { Caller } from '../../src/control/sign-in/caller.ts';
import { encodeHttpMessage } from '../../src/core/http-message.ts';
import { createPeople } from '../../src/core/people.ts';
import { createRoleBook } from '../../src/core/roles.ts';
import { createDelegations } from '../../src/hold/delegations.ts';
import { createHoldQueue } from '../../src/hold/queue.ts';
import { loadPolicy } from '../../src/policy/compile.ts';
import { chatRequest } from '../proxy/answers.ts';
import { createManualTime } from '../support/time.ts';
import { createLedgerUnderTest } from './ledger-under-test.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdpoint-withdrawn-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

export const ada = { name: 'ada', role: 'reviewer' } as const;
const key = writeReviewerKey(join(directory, 'ada.pem'));

const message = encodeHttpMessage({
  startLine: 'POST /v1/chat/completions HTTP/1.1',
  headers: ['Content-Type', 'application/json'],
  body: Buffer.from(chatRequest()),
});

/** A hold that waits and an enrolled key; nothing that is sealed from now on is durable before `letCommits`. */
export async function stage() {
  const house = createLedgerUnderTest();
  const time = createManualTime();
  const { schedule } = time;
  let apartMs = 0;
  const clock = { ...time.clock, nowMs: () => time.clock.nowMs() + apartMs };
  let gate: PromiseWithResolvers<void> | null = null;
  let waiting = Promise.withResolvers<void>();
  const ledger = await house.open({
    clock,
    openStore: async () => {
      const store = await house.disk.open();
      return {
        ...store,
        commit: async (records, sync) => {
          waiting.resolve();
          await gate?.promise;
          return store.commit(records, sync);
        },
      };
    },
  });
  const errors: unknown[] = [];
  const holds = createHoldQueue({ ledger, clock, schedule, onError: (_what, error) => errors.push(error) });
  const possession = key.possession(`holdpoint/${ledger.id}`, 'ada');
  const enrolment = { action: 'enrol', by: 'ada', key: key.publicKey, owner: 'ada', possession };
  await ledger.seal({ type: 'key', data: { ...enrolment, reason: 'first', role: 'reviewer' } }).durable;
  const request = ledger.seal({
    type: 'request',
    data: {
      ...{ method: 'POST', operation: 'chat.completions', path: '/v1/chat/completions', provider: 'openai' },
      ...{ rules: [], verdict: 'hold', workload: 'w' },
    },
    parts: [{ name: 'request', bytes: message }],
  });
  await request.durable;
  const digest = request.parts()[0]?.c ?? '';
  let inForce = loadPolicy('policy.yaml', 'version: "1"\nrules: []\n');
  const policy = inForce.digest;
  const hold = await holds.open(
    {
      ...{ decision: request.seq, phase: 'request', rules: [], policyDigest: policy, policyVersion: '1' },
      ...{ openedAtMs: clock.nowMs(), retryKey: 'one call', response: null, passedBytes: 0 },
    },
    {
      ...{ approvals: 1, roles: ['reviewer'], notRequester: false, requester: '', digest },
      breakGlass: { roles: ['reviewer'], collectInMs: 60_000 },
      expiresAtMs: clock.nowMs() + 3_600_000,
    },
  );
  const delegations = createDelegations({
    ledger,
    clock,
    schedule,
    roleOf: (name) => (name === 'bob' ? 'reviewer' : null),
    onError: () => undefined,
  });
  const lent = await delegations.begin({ by: 'bob', role: 'reviewer' }, 'ada', clock.nowMs() + 30_000);
  gate = Promise.withResolvers();
  waiting = Promise.withResolvers();
  const parts = {
    ...{ ledger, holds, delegations, clock, withdrawnKeys: new Set<string>() },
    roles: createRoleBook(),
    otherNames: createPeople([]),
    roleOf: () => 'reviewer',
    policy: () => inForce,
  };
  const order = { verdict: 'release', reason: 'Seen.', digest } as const;
  const { signed } = key.signOrder(order, {
    ...{ by: 'ada', verdict: 'release', digest, hold: hold.id, policy, policyVersion: '1', rules: [] },
    decision: ledger.decisionId(hold.decision),
  });
  return {
    /** Ada in the stead of Bob, unsigned; she has not the role herself. */
    ruleInStead: () =>
      ruleOn(
        parts,
        hold,
        { name: 'ada', role: 'privacy' },
        { ...order, inStead: 'bob', breakGlass: false },
        null,
        () => undefined,
      ),
    breakGlass: () => ruleOn(parts, hold, ada, { ...order, breakGlass: true }, null, () => undefined),
    endDelegation: () => delegations.end({ by: 'bob', role: 'reviewer' }, lent.seq),
    rule: (requireStanding = (): void => undefined) =>
      ruleOn(parts, hold, ada, { ...order, breakGlass: false }, signed, requireStanding),
    amend: (by: Caller, amendment: AmendmentInput) =>
      ruleOn(
        parts,
        hold,
        by,
        { ...order, verdict: 'amend', amendment, breakGlass: false },
        null,
        () => undefined,
      ),
    deny: () =>
      ruleOn(parts, hold, ada, { ...order, verdict: 'deny', breakGlass: false }, null, () => undefined),
    /** From now on the role that Ada has, and that Bob lent, does not rule. */
    takeRule: () => {
      parts.roles = createRoleBook({ reviewer: { permissions: ['see'] } });
    },
    changePolicy: () => {
      inForce = loadPolicy('policy.yaml', 'version: "2"\nrules: []\n');
    },
    withdraw: () => withdrawKey(parts, ada, { key: key.publicKey, reason: 'lost' }),
    comment: () => holds.comment(hold, { by: 'bob', role: 'reviewer' }, 'Wait.'),
    /** What was sealed so far is on its way to the disk: what comes now is in a later commit. */
    isCommitting: () => waiting.promise,
    letCommits: () => gate?.resolve(),
    /** Sets the clock of the sidecar, and not the one that was signed by. */
    setClock: (ms: number) => {
      apartMs = ms;
    },
    /** What a process knows beside the ledger ends with it. */
    forget: () => parts.withdrawnKeys.clear(),
    hold,
    findings: async () => {
      holds.stop();
      delegations.stop();
      await ledger.close('test over');
      expect(errors).toEqual([]);
      return (await house.verify()).findings;
    },
  };
}
