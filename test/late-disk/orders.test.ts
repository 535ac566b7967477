/** What people order and read at the control port is answered, and takes effect, when the entry about it is on disk. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { writeReviewerKey } from '../../src/cli/reviewer-key.ts';
import { systemClock, systemRandom, systemSchedule } from '../../src/core/clock.ts';
import { roles } from '../../src/core/roles.ts';
import type { Entry } from '../../src/ledger/entry.ts';
import { systemLookUp } from '../../src/proxy/intercept/address.ts';
import { addToken } from '../../src/store/token-file.ts';
import { openPage } from '../contract/support/page.ts';
import {
  type Answer,
  type CallInit,
  type House,
  nextHold,
  outcomeOf,
  startHouse,
} from '../contract/support/sidecar.ts';
import { answerAfter, createLateDisk, isEntry, type LateEntry } from './late-disk.ts';

const disk = createLateDisk();
let house: House;
beforeAll(async () => {
  const machine = {
    clock: systemClock,
    schedule: systemSchedule,
    lookUp: systemLookUp,
    openLedgerStore: disk.openLedgerStore,
  };
  house = await startHouse({ machine });
  // What a token is first used for is sealed, and would wait for the disk too.
  for (const role of roles) await house.call('/api/v1/whoami', { as: role });
});
afterAll(() => house.close());

const keepBack = (isLate: (entry: Entry) => boolean): LateEntry => disk.keepBack(house.sidecar, isLate);

/** The order, answered after its entry. */
function ordered(isLate: (entry: Entry) => boolean, path: string, init: CallInit): Promise<Answer> {
  const entry = keepBack(isLate);
  return answerAfter(entry, house.call(path, init));
}

async function decided(): Promise<string> {
  const id = (await house.ask('What is a hold point?')).headers.get('holdpoint-decision') ?? '';
  await outcomeOf(house, id);
  return id;
}

describe('a ruling', () => {
  test('is answered, and wakes the caller who waits for it, when it is on disk', async () => {
    const asked = house.ask('transfer 25000 EUR');
    const held = await nextHold(house);
    const entry = keepBack(isEntry('ruling'));
    const order = { verdict: 'deny', reason: 'no', digest: held.digest };
    const ruled = house.call(`/api/v1/holds/${held.id}/rulings`, { json: order });
    await answerAfter(entry, Promise.race([ruled, asked]));
    expect((await ruled).status).toBe(201);
    expect((await asked).status).toBe(403);
  });

  test('of many at once is answered when all of them are on disk', async () => {
    const asked = house.ask('please escalate that');
    await nextHold(house);
    const { json } = await house.call('/api/v1/holds?state=pending');
    const line = z.object({ items: z.array(z.object({ id: z.string(), contentDigest: z.string() })) });
    const [held] = line.parse(json).items;
    const order = { verdict: 'deny', reason: 'no', contentDigest: held?.contentDigest, holds: [held?.id] };
    expect((await ordered(isEntry('ruling'), '/api/v1/rulings', { json: order })).json).toMatchObject({
      ruled: 1,
    });
    expect((await asked).status).toBe(403);
  });
});

describe('about a hold', () => {
  test('comments, assignments and looks at it are answered when they are on disk', async () => {
    const asked = house.ask('please escalate this');
    const held = await nextHold(house);
    const path = `/api/v1/holds/${held.id}`;
    const said = await ordered(isEntry('access'), `${path}/comments`, { json: { text: 'Who is this?' } });
    expect(said.status).toBe(201);
    const given = await ordered(isEntry('access'), `${path}/assignment`, { json: { to: 'reviewer-1' } });
    expect(given.status).toBe(201);
    expect((await ordered(isEntry('access'), path, { as: 'admin' })).status).toBe(200);
    const order = { verdict: 'deny', reason: 'no', digest: held.digest };
    await house.call(`${path}/rulings`, { json: order });
    await asked;
  });

  test('the review of a release by one person alone is answered when it is on disk', async () => {
    const asked = house.ask('delete 7 records');
    const held = await nextHold(house);
    const path = `/api/v1/holds/${held.id}`;
    const json = { verdict: 'release', reason: 'fire', digest: held.digest, breakGlass: true };
    expect((await ordered(isEntry('ruling'), `${path}/rulings`, { as: 'admin', json })).status).toBe(201);
    await asked;
    const finding = { verdict: 'justified', text: 'It burned.' };
    expect((await ordered(isEntry('access'), `${path}/review`, { json: finding })).status).toBe(201);
  });
});

test.each(['exchange', 'body'])(
  'the content of a decision (%s) is sent when it is on disk who reads it',
  async (part) => {
    const answer = await ordered(isEntry('access'), `/api/v1/decisions/${await decided()}/${part}`, {});
    expect(answer.status).toBe(200);
  },
);

test('a backtest reads bodies when it is on disk who asks for it', async () => {
  const json = { policy: readFileSync(house.policyFile, 'utf8'), reason: 'a look' };
  const answer = await ordered(isEntry('access'), '/api/v1/policy/backtest', { as: 'admin', json });
  expect(answer.status).toBe(200);
});

test('a session has its cookie when it is on disk who signed in', async () => {
  const page = openPage(house.sidecar.controlUrl);
  const entry = keepBack(isEntry('access', { action: 'sign in' }));
  const answer = await answerAfter(entry, page.signIn(house.tokens.viewer));
  expect(answer.status).toBe(201);
  expect(page.setCookies).toHaveLength(1);
});

test('a token is honoured when it is on disk to whom it was given', async () => {
  const file = join(house.dataDir, 'tokens.json');
  const token = addToken(file, { name: 'newcomer', role: 'viewer' }, systemClock.nowMs(), systemRandom);
  const entry = keepBack(isEntry('access', { action: 'grant' }));
  expect((await answerAfter(entry, house.call('/api/v1/whoami', { token }))).status).toBe(200);
});

test('a role is lent, and taken back, when that is on disk', async () => {
  const json = { to: 'privacy-1', until: new Date(Date.now() + 3_600_000).toISOString() };
  const begun = await ordered(isEntry('access', { action: 'delegate' }), '/api/v1/delegations', { json });
  expect(begun.status).toBe(201);
  const { seq } = z.object({ seq: z.number() }).parse(begun.json);
  const ended = `/api/v1/delegations/${seq}/end`;
  const isEnd = isEntry('access', { action: 'delegation_end' });
  expect((await ordered(isEnd, ended, { json: {} })).status).toBe(200);
});

test('the key of a reviewer is enrolled, and withdrawn, when that is on disk', async () => {
  const made = writeReviewerKey(join(house.directory, 'late.pem'));
  const possession = made.possession(`holdpoint/${house.sidecar.ledger.id}`, 'reviewer-1');
  const json = { owner: 'reviewer-1', key: made.publicKey, possession, reason: 'first key' };
  const path = '/api/v1/reviewer-keys';
  expect((await ordered(isEntry('key', { action: 'enrol' }), path, { json })).status).toBe(201);
  const gone = { key: made.publicKey, reason: 'lost' };
  const isGone = isEntry('key', { action: 'withdraw' });
  expect((await ordered(isGone, `${path}/withdraw`, { json: gone })).status).toBe(200);
});

test.each(['rotate', 'epoch'])('a change of keys (%s) is answered when it is on disk', async (action) => {
  const json = { action, reason: 'yearly' };
  expect((await ordered(isEntry('key'), '/api/v1/keys', { as: 'admin', json })).status).toBe(200);
});

test('a legal hold stands, and ends, when that is on disk', async () => {
  const json = { scope: { decision: await decided() }, reason: 'a case' };
  const placed = await ordered(isEntry('erasure'), '/api/v1/legal-holds', { as: 'privacy', json });
  expect(placed.status).toBe(201);
  const { id } = z.object({ id: z.string() }).parse(placed.json);
  const lift = `/api/v1/legal-holds/${id}/lift`;
  const lifted = await ordered(isEntry('erasure'), lift, { as: 'privacy', json: { reason: 'closed' } });
  expect(lifted.status).toBe(200);
});

test('a body is there until the erasure of it is on disk', async () => {
  const decision = await decided();
  const entry = keepBack(isEntry('erasure', { action: 'erase' }));
  const json = { basis: 'objection', reason: 'request 1', scope: { decision } };
  expect((await house.call('/api/v1/erasures', { as: 'privacy', json })).status).toBe(202);
  await entry.awaited();
  const { ledger } = house.sidecar;
  const request = () => ledger.part(Number(decision.split('-').at(-1)), 'request');
  expect((await request()).toString()).toContain('What is a hold point?');
  entry.arrive();
  await expect.poll(async () => (await house.call(`/api/v1/decisions/${decision}/body`)).status).toBe(410);
});

test('a line of a report is confirmed when its decision is on disk', async () => {
  const line = {
    id: 'late-1',
    at: '2026-11-26T08:15:00Z',
    decider: 'rules',
    outcome: 'denied',
    request: 'x',
  };
  const headers = { 'content-type': 'application/x-ndjson' };
  const init: CallInit = { as: 'reporter', headers, body: `${JSON.stringify(line)}\n` };
  const answer = await ordered(isEntry('request'), '/api/v1/decisions:batch', init);
  expect(answer.text).toContain('late-1');
});
