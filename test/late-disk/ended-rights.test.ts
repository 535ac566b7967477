/** An order that waits for another to be on disk is not carried out once the right of who gave it has ended meanwhile. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { writeReviewerKey } from '../../src/cli/reviewer-key.ts';
import { systemClock, systemRandom, systemSchedule } from '../../src/core/clock.ts';
import { type Role, roles } from '../../src/core/roles.ts';
import type { Entry } from '../../src/ledger/entry.ts';
import { systemLookUp } from '../../src/proxy/intercept/address.ts';
import { addToken, revokeToken } from '../../src/store/token-file.ts';
import { type Answer, type House, nextHold, outcomeOf, startHouse } from '../contract/support/sidecar.ts';
import { createLateDisk, isEntry } from './late-disk.ts';

const disk = createLateDisk();
let house: House;
let tokenFile: string;
beforeAll(async () => {
  const machine = {
    clock: systemClock,
    schedule: systemSchedule,
    lookUp: systemLookUp,
    openLedgerStore: disk.openLedgerStore,
  };
  house = await startHouse({ machine });
  tokenFile = join(house.dataDir, 'tokens.json');
  // What a token is first used for is sealed, and would wait for the disk too.
  for (const role of roles) await house.call('/api/v1/whoami', { as: role });
});
afterAll(() => house.close());

let people = 0;
/** Somebody who has been here before. */
async function newcomer(role: Role): Promise<{ readonly name: string; readonly token: string }> {
  const name = `${role}-late-${++people}`;
  const token = addToken(tokenFile, { name, role }, Date.now(), systemRandom);
  expect((await house.call('/api/v1/whoami', { token })).status).toBe(200);
  return { name, token };
}

/** The second order waits for the first; whose it is has no token any more when its turn comes. */
async function isRefused(
  name: string,
  isFirst: (entry: Entry) => boolean,
  first: () => Promise<Answer>,
  second: () => Promise<Answer>,
): Promise<void> {
  const { size } = house.sidecar.ledger.durable();
  const entry = disk.keepBack(house.sidecar, isFirst);
  const before = first();
  await entry.awaited();
  const waiting = second();
  await entry.awaited();
  revokeToken(tokenFile, name, 'test', Date.now());
  entry.arrive();
  expect((await waiting).status).toBe(401);
  expect((await before).status).toBeLessThan(300);
  for await (const block of house.sidecar.ledger.blocks({ fromSeq: size, reverse: false }))
    for (const { seq, data } of block)
      if (seq >= size && data['by'] === name) expect(data['action']).toMatch(/^(refused|revoke)$/);
}

async function held(text: string) {
  const caller = house.ask(text);
  const { id, digest } = await nextHold(house);
  const path = `/api/v1/holds/${id}`;
  const end = async (as: Role, order: object): Promise<void> => {
    const json = { ...order, digest };
    expect((await house.call(`${path}/rulings`, { as, json })).status).toBe(201);
    await (await caller).text();
  };
  return { path, digest, end };
}

function enrolment(owner: string): object {
  const key = writeReviewerKey(join(house.directory, `${owner}.pem`));
  const possession = key.possession(`holdpoint/${house.sidecar.ledger.id}`, owner);
  return { owner, key: key.publicKey, possession, reason: 'first key' };
}
const enrol = (json: object, token: string): Promise<Answer> =>
  house.call('/api/v1/reviewer-keys', { token, json });
const isEnrolment = isEntry('key', { action: 'enrol' });

test('the enrolment of a key', async () => {
  const [one, other] = [await newcomer('reviewer'), await newcomer('reviewer')];
  const [first, second] = [enrolment(one.name), enrolment(other.name)];
  const enrolled = (): Promise<Answer> => enrol(first, one.token);
  await isRefused(other.name, isEnrolment, enrolled, () => enrol(second, other.token));
});

test('the withdrawal of a key', async () => {
  const [one, other, admin] = [
    await newcomer('reviewer'),
    await newcomer('reviewer'),
    await newcomer('admin'),
  ];
  const known = z.looseObject({ key: z.string() }).parse(enrolment(one.name));
  expect((await enrol(known, one.token)).status).toBe(201);
  const next = enrolment(other.name);
  const json = { key: known.key, reason: 'lost' };
  const withdraw = (): Promise<Answer> =>
    house.call('/api/v1/reviewer-keys/withdraw', { token: admin.token, json });
  await isRefused(admin.name, isEnrolment, () => enrol(next, other.token), withdraw);
});

test.each([
  ['comment', '/comments', { text: 'Let it go.' }],
  ['assignment', '/assignment', null],
])('the %s on a hold', async (what, path, order) => {
  const hold = await held(`please escalate this ${what}`);
  const { name, token } = await newcomer('reviewer');
  const said = (): Promise<Answer> => house.call(`${hold.path}/comments`, { json: { text: 'Wait.' } });
  const json = order ?? { to: name };
  const isSaid = isEntry('access', { action: 'comment' });
  await isRefused(name, isSaid, said, () => house.call(hold.path + path, { token, json }));
  await hold.end('reviewer', { verdict: 'deny', reason: 'over' });
});

test('the review of a release by one person alone', async () => {
  const alone = async (text: string): Promise<string> => {
    const { path, end } = await held(text);
    await end('admin', { verdict: 'release', reason: 'fire', breakGlass: true });
    return `${path}/review`;
  };
  const [one, other] = [await alone('delete 7 records'), await alone('delete 8 records')];
  const { name, token } = await newcomer('reviewer');
  const json = { verdict: 'justified', text: 'It burned.' };
  const first = (): Promise<Answer> => house.call(one, { json });
  const isReview = isEntry('access', { action: 'review' });
  await isRefused(name, isReview, first, () => house.call(other, { token, json }));
});

test('a ruling', async () => {
  const { path, digest, end } = await held('delete 9 records');
  const { name, token } = await newcomer('reviewer');
  const json = { verdict: 'release', digest };
  const first = (): Promise<Answer> => house.call(`${path}/rulings`, { json });
  await isRefused(name, isEntry('ruling'), first, () => house.call(`${path}/rulings`, { token, json }));
  await end('admin', { verdict: 'deny', reason: 'over' });
});

const until = new Date(Date.now() + 3_600_000).toISOString();
const lend = (token: string): Promise<Answer> =>
  house.call('/api/v1/delegations', { token, json: { to: 'reviewer-1', until } });
const isLent = isEntry('access', { action: 'delegate' });

test('the loan of a role', async () => {
  const [one, other] = [await newcomer('reviewer'), await newcomer('reviewer')];
  await isRefused(
    other.name,
    isLent,
    () => lend(one.token),
    () => lend(other.token),
  );
});

test('the end of a loan', async () => {
  const [one, other, admin] = [
    await newcomer('reviewer'),
    await newcomer('reviewer'),
    await newcomer('admin'),
  ];
  const { seq } = z.object({ seq: z.number() }).parse((await lend(one.token)).json);
  const end = (): Promise<Answer> =>
    house.call(`/api/v1/delegations/${seq}/end`, { token: admin.token, json: {} });
  await isRefused(admin.name, isLent, () => lend(other.token), end);
});

test('a ruling in the stead of somebody who took the loan back', async () => {
  const { path, digest, end } = await held('delete 10 records');
  const [away, here] = [await newcomer('reviewer'), await newcomer('reviewer')];
  const lent = await house.call('/api/v1/delegations', { token: away.token, json: { to: here.name, until } });
  const { seq } = z.object({ seq: z.number() }).parse(lent.json);
  const json = { verdict: 'release', digest };
  const entry = disk.keepBack(house.sidecar, isEntry('ruling'));
  const first = house.call(`${path}/rulings`, { json });
  await entry.awaited();
  const inStead = { ...json, inStead: away.name };
  const second = house.call(`${path}/rulings`, { token: here.token, json: inStead });
  await entry.awaited();
  const ended = house.call(`/api/v1/delegations/${seq}/end`, { token: away.token, json: {} });
  await entry.awaited();
  entry.arrive();
  expect([(await first).status, (await second).status, (await ended).status]).toEqual([201, 403, 200]);
  await end('admin', { verdict: 'deny', reason: 'over' });
});

test('the change of a key', async () => {
  const { name, token } = await newcomer('admin');
  const change = (as: { readonly as: Role } | { readonly token: string }): Promise<Answer> =>
    house.call('/api/v1/keys', { ...as, json: { action: 'epoch', reason: 'a new quarter' } });
  const isEpoch = isEntry('key', { action: 'epoch' });
  await isRefused(
    name,
    isEpoch,
    () => change({ as: 'admin' }),
    () => change({ token }),
  );
});

test.each(['place', 'lift'])('the order to %s a legal hold', async (what) => {
  const decided = async (): Promise<string> => {
    const id = (await house.ask('What is a hold point?')).headers.get('holdpoint-decision') ?? '';
    await outcomeOf(house, id);
    return id;
  };
  const [kept, gone] = [await decided(), await decided()];
  const { name, token } = await newcomer('privacy');
  const place = (as: Pick<Parameters<House['call']>[1] & object, 'as' | 'token'>): Promise<Answer> =>
    house.call('/api/v1/legal-holds', { ...as, json: { scope: { decision: kept }, reason: 'a case' } });
  const { id } = z.object({ id: z.string() }).parse((await place({ as: 'privacy' })).json);
  const lift = (): Promise<Answer> =>
    house.call(`/api/v1/legal-holds/${id}/lift`, { token, json: { reason: 'closed' } });
  const erase = (): Promise<Answer> =>
    house.call('/api/v1/erasures', {
      as: 'privacy',
      json: { basis: 'objection', reason: 'request 1', scope: { decision: gone } },
    });
  const isErasure = isEntry('erasure', { action: 'erase' });
  await isRefused(name, isErasure, erase, what === 'lift' ? lift : () => place({ token }));
});
