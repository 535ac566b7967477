/** A right that ends while a ruling under it is on its way, a token's, a key's or a delegation's: what is sealed verifies, in any order. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeReviewerKey } from '../../src/cli/reviewer-key.ts';
import { withdrawKey } from '../../src/control/routes/reviewer-keys.ts';
import { ruleOn } from '../../src/control/ruling.ts';
import { HoldpointError } from '../../src/core/errors.ts';
import { createPeople } from '../../src/core/people.ts';
import { createRoleBook } from '../../src/core/roles.ts';
import { createDelegations } from '../../src/hold/delegations.ts';
import { createHoldQueue } from '../../src/hold/queue.ts';
import { loadPolicy } from '../../src/policy/compile.ts';
import { createManualTime } from '../support/time.ts';
import { createLedgerUnderTest } from './ledger-under-test.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdpoint-withdrawn-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const ada = { name: 'ada', role: 'reviewer' } as const;
const key = writeReviewerKey(join(directory, 'ada.pem'));

/** A hold that waits and an enrolled key; nothing that is sealed from now on is durable before `letCommits`. */
async function stage() {
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
    data: { verdict: 'hold' },
    parts: [{ name: 'request', bytes: Buffer.from('pay') }],
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
    endDelegation: () => delegations.end({ by: 'bob', role: 'reviewer' }, lent.seq),
    rule: (requireStanding = (): void => undefined) =>
      ruleOn(parts, hold, ada, { ...order, breakGlass: false }, signed, requireStanding),
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

it('a key does not count once its withdrawal is sealed, although the ruling was checked before', async () => {
  const { rule, withdraw, comment, isCommitting, letCommits, hold, findings } = await stage();
  const said = comment();
  await isCommitting();
  // Checked now, and sealed when the comment is.
  const ruled = rule();
  const withdrawn = withdraw();
  letCommits();
  await expect(ruled).rejects.toMatchObject({ code: 'signature_invalid' });
  await Promise.all([said, withdrawn]);
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a key counts in a ruling that is sealed before its withdrawal is', async () => {
  const { rule, withdraw, letCommits, hold, findings } = await stage();
  const ruled = rule();
  const withdrawn = withdraw();
  letCommits();
  await Promise.all([ruled, withdrawn]);
  expect(hold.state.status).toBe('released');
  expect(await findings()).toEqual([]);
});

it('a release does not count once the policy that it was judged by is in force no more', async () => {
  const { rule, changePolicy, comment, isCommitting, letCommits, hold, findings } = await stage();
  const said = comment();
  await isCommitting();
  const ruled = rule();
  changePolicy();
  letCommits();
  await expect(ruled).rejects.toMatchObject({ code: 'policy_changed' });
  await said;
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a delegation does not count once its end is sealed, although the ruling was checked before', async () => {
  const { ruleInStead, endDelegation, comment, isCommitting, letCommits, hold, findings } = await stage();
  const said = comment();
  await isCommitting();
  const ruled = ruleInStead().catch((error: unknown) => error);
  const ended = endDelegation();
  letCommits();
  expect(await ruled).toMatchObject({ code: 'forbidden' });
  await Promise.all([said, ended]);
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a delegation counts in a ruling that is sealed before its end is', async () => {
  const { ruleInStead, endDelegation, letCommits, hold, findings } = await stage();
  const ruled = ruleInStead();
  const ended = endDelegation();
  letCommits();
  await Promise.all([ruled, ended]);
  expect(hold.state.status).toBe('released');
  expect(await findings()).toEqual([]);
});

it('a token does not count once it ended, although the ruling was checked before', async () => {
  const { rule, comment, isCommitting, letCommits, hold, findings } = await stage();
  const said = comment();
  await isCommitting();
  let hasEnded = false;
  const ruled = rule(() => {
    if (hasEnded)
      throw new HoldpointError('unauthenticated', 'The right to ask for this has ended meanwhile.');
  }).catch((error: unknown) => error);
  hasEnded = true;
  letCommits();
  expect(await ruled).toMatchObject({ code: 'unauthenticated' });
  await said;
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it.each([290_000, -290_000])('a key counts in a ruling that was signed %i ms from now', async (apart) => {
  const { rule, letCommits, setClock, hold, findings } = await stage();
  letCommits();
  setClock(apart);
  await rule();
  expect(hold.state.status).toBe('released');
  expect(await findings()).toEqual([]);
});

it.each([310_000, -310_000])('a ruling that was signed %i ms from now is refused', async (apart) => {
  const { rule, letCommits, setClock, hold, findings } = await stage();
  letCommits();
  setClock(apart);
  await expect(rule()).rejects.toMatchObject({ code: 'signature_invalid' });
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a key that was withdrawn in an earlier run does not count', async () => {
  const { rule, withdraw, forget, letCommits, hold, findings } = await stage();
  letCommits();
  await withdraw();
  forget();
  await expect(rule()).rejects.toMatchObject({ code: 'signature_invalid' });
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});
