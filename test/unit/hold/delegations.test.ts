/** Delegations over a real ledger in memory: what is sealed of them, and when one covers a ruling. */
import { expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { createDelegations, delegationMsMax } from '../../../src/hold/delegations.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { createLedgerUnderTest } from '../../fault/ledger-under-test.ts';
import { createManualTime } from '../../support/time.ts';

const petra = { by: 'petra', role: 'privacy' };
const forMs = 3_600_000;
const settled = () => new Promise((resolve) => setTimeout(resolve));

async function stage() {
  const house = createLedgerUnderTest();
  const time = createManualTime();
  const tokens = new Map([
    ['petra', 'privacy'],
    ['otto', 'reviewer'],
  ]);
  const errors: unknown[] = [];
  let refuse = false;
  const open = async () => {
    const opened = await house.open({ clock: time.clock });
    const ledger: Ledger = {
      ...opened,
      seal: (draft) => {
        if (refuse) throw new HoldpointError('ledger_unavailable', 'The ledger cannot be written.');
        return opened.seal(draft);
      },
    };
    const delegations = createDelegations({
      ...{ ledger, clock: time.clock, schedule: time.schedule },
      roleOf: (name) => tokens.get(name) ?? null,
      onError: (_what, error) => errors.push(error),
    });
    return { ledger, delegations };
  };
  return {
    ...{ house, time, tokens, errors, open },
    refuseToSeal: (is: boolean) => {
      refuse = is;
    },
    begin: (delegations: ReturnType<typeof createDelegations>) =>
      delegations.begin(petra, 'otto', time.clock.nowMs() + forMs),
    ends: () => house.entries().filter(({ data }) => data['action'] === 'delegation_end'),
  };
}

it('ends at its time, which is sealed, and covers nothing from then on', async () => {
  const { house, time, errors, open, begin, ends } = await stage();
  const { ledger, delegations } = await open();
  const { seq } = await begin(delegations);
  time.advance(forMs - 1);
  await settled();
  expect(delegations.inForce('petra', 'otto')).toMatchObject({ seq, role: 'privacy' });
  expect(delegations.inForce('petra', 'rita')).toBeNull();
  expect(delegations.inForce('otto', 'petra')).toBeNull();
  time.advance(1);
  expect(delegations.inForce('petra', 'otto')).toBeNull();
  await settled();
  await ledger.close('test over');
  expect(ends().map(({ data }) => [data['by'], data['delegation']])).toEqual([['holdpoint', seq]]);
  expect((await house.verify()).findings).toEqual([]);
  expect(errors).toEqual([]);
});

it('covers nothing past its time while its end cannot be sealed, which is tried again', async () => {
  const { time, errors, open, begin, ends, refuseToSeal } = await stage();
  const { ledger, delegations } = await open();
  await begin(delegations);
  refuseToSeal(true);
  time.advance(forMs);
  await settled();
  expect(delegations.inForce('petra', 'otto')).toBeNull();
  expect(errors).toHaveLength(1);
  refuseToSeal(false);
  time.advance(60_000);
  await settled();
  // What was handed to it is durable once it is closed.
  await ledger.close('test over');
  expect(ends()).toHaveLength(1);
});

it('covers nothing from the moment its end is handed to the ledger', async () => {
  const { open, begin } = await stage();
  const { ledger, delegations } = await open();
  const { seq } = await begin(delegations);
  const ended = delegations.end(petra, seq);
  await Promise.resolve();
  expect(delegations.inForce('petra', 'otto')).toBeNull();
  await ended;
  await ledger.close('test over');
});

it('covers nothing once who is away has no token any more, or one of another role', async () => {
  const { tokens, open, begin } = await stage();
  const { ledger, delegations } = await open();
  await begin(delegations);
  tokens.set('petra', 'viewer');
  expect(delegations.inForce('petra', 'otto')).toBeNull();
  tokens.delete('petra');
  expect(delegations.inForce('petra', 'otto')).toBeNull();
  await ledger.close('test over');
});

it('survives a restart, and ends at its time after it', async () => {
  const { time, open, begin, ends } = await stage();
  const before = await open();
  const { seq } = await begin(before.delegations);
  before.delegations.stop();
  await before.ledger.close('restart');
  const { ledger, delegations } = await open();
  expect(delegations.inForce('petra', 'otto')).toMatchObject({ seq });
  time.advance(forMs);
  await settled();
  // What was handed to it is durable once it is closed.
  await ledger.close('test over');
  expect(ends()).toHaveLength(1);
});

it('of two at once by one person one is sealed', async () => {
  const { open, begin } = await stage();
  const { ledger, delegations } = await open();
  const both = await Promise.allSettled([begin(delegations), begin(delegations)]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  await ledger.close('test over');
});

it.each(['before', 'after'] as const)(
  'whose end failed with the disk, %s it was written, is ended for good once somebody asks again or it was',
  async (fate) => {
    const { house, open, begin, ends } = await stage();
    const { ledger, delegations } = await open();
    const { seq } = await begin(delegations);
    const reopened = new Promise<void>((resolve) => {
      house.onEvent = ({ kind }) => {
        if (kind === 'opened') resolve();
      };
    });
    const failing = house.disk.commits();
    house.disk.fateOf = (commit) => (commit === failing ? fate : 'written');
    await expect(delegations.end(petra, seq)).rejects.toMatchObject({ code: 'ledger_unavailable' });
    await reopened;
    expect(delegations.inForce('petra', 'otto')).toBeNull();
    const again = delegations.end(petra, seq);
    if (fate === 'before') expect(await again).toMatchObject({ seq, ended: expect.any(Number) });
    else await expect(again).rejects.toMatchObject({ code: 'not_found' });
    await ledger.close('test over');
    expect(ends()).toHaveLength(1);
    const restarted = await open();
    expect(restarted.delegations.inForce('petra', 'otto')).toBeNull();
    await restarted.ledger.close('test over');
  },
);

it('is ended by whoever is away or an admin, and by nobody else, nor by whose right has ended', async () => {
  const { open, begin, ends } = await stage();
  const { ledger, delegations } = await open();
  const { seq } = await begin(delegations);
  for (const other of [
    { by: 'otto', role: 'reviewer' },
    { by: 'rita', role: 'privacy' },
  ])
    await expect(delegations.end(other, seq)).rejects.toMatchObject({ code: 'forbidden' });
  const requireStanding = (): never => {
    throw new HoldpointError('unauthenticated', 'The right to ask for this has ended meanwhile.');
  };
  await expect(delegations.end({ ...petra, requireStanding }, seq)).rejects.toMatchObject({
    code: 'unauthenticated',
  });
  await expect(
    delegations.begin({ by: 'otto', role: 'reviewer', requireStanding }, 'petra', Number.MAX_SAFE_INTEGER),
  ).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(delegations.inForce('petra', 'otto')).toMatchObject({ seq });
  expect(await delegations.end({ by: 'ann', role: 'admin' }, seq)).toMatchObject({ seq });
  expect(delegations.inForce('petra', 'otto')).toBeNull();
  await ledger.close('test over');
  expect(ends()).toHaveLength(1);
});

it('begins for nobody who is the same person, and within 90 days', async () => {
  const { time, open } = await stage();
  const { ledger, delegations } = await open();
  const nowMs = time.clock.nowMs();
  const alsoCalled = ['oidc:petra'];
  for (const [to, untilMs] of [
    ['petra', nowMs + forMs],
    ['oidc:petra', nowMs + forMs],
    ['otto', nowMs],
    ['otto', nowMs + delegationMsMax + 1],
  ] as const)
    await expect(delegations.begin({ ...petra, alsoCalled }, to, untilMs)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  expect(await delegations.begin(petra, 'otto', nowMs + delegationMsMax)).toMatchObject({ to: 'otto' });
  await ledger.close('test over');
});

it('of which the time is over keeps nobody from another one, though its end is not sealed', async () => {
  const { time, open, begin, refuseToSeal } = await stage();
  const { ledger, delegations } = await open();
  const { seq } = await begin(delegations);
  refuseToSeal(true);
  time.advance(forMs);
  await settled();
  refuseToSeal(false);
  const next = await begin(delegations);
  expect(next.seq).toBeGreaterThan(seq);
  expect(delegations.inForce('petra', 'otto')).toMatchObject({ seq: next.seq });
  await ledger.close('test over');
});
