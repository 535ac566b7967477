/** One person by several ways in, whose names the configuration lists together: they count once. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeReviewerKey } from '../../src/cli/reviewer-key.ts';
import { peopleSchema } from '../../src/config/people.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { type House, nextHold, startHouse } from './support/sidecar.ts';

const people = [
  ['reviewer-1', 'admin-1', 'oidc:https://id.example.com#248289761001'],
  ['privacy-1', 'certificate:cn=ops desk'],
];

let house: House;
beforeAll(async () => {
  house = await startHouse({ settings: { control: { listen: '127.0.0.1:0', people } } });
});
afterAll(() => house.close());

const entriesSchema = z.object({
  items: z.array(z.looseObject({ type: z.string(), data: z.record(z.string(), z.unknown()) })),
});
const path = (id: string, what = 'rulings'): string => `/api/v1/holds/${id}/${what}`;

const configured = (given: unknown): string => {
  const parsed = peopleSchema.safeParse(given);
  return parsed.success ? '' : z.prettifyError(parsed.error);
};

describe('a configuration of people', () => {
  it('has each name once, and names as they are sealed', () => {
    expect(configured(people)).toBe('');
    expect(
      configured([
        ['ada', 'bob'],
        ['bob', 'cleo'],
      ]),
    ).toContain('expected each name once');
    expect(configured([['ada', 'ada']])).toContain('expected each name once');
    expect(configured([['ada', 'saml:ada']])).toContain('expected a name as it is sealed');
    const many = Array.from({ length: 60 }, (_, at) => [`ada${at}`, `certificate:${'x'.repeat(900)}${at}`]);
    expect(configured(many.slice(0, 50))).toBe('');
    expect(configured(many)).toContain('bytes of names at most');
  });
});

describe('somebody with two names', () => {
  it('gives one approval, and is told so before they try the other name', async () => {
    const asked = house.ask('delete all records');
    const { id, digest } = await nextHold(house);
    const release = { verdict: 'release', digest };
    expect((await house.call(path(id), { as: 'reviewer', json: release })).status).toBe(201);
    const shown = await house.call(`/api/v1/holds/${id}`, { as: 'admin' });
    expect(shown.json).toMatchObject({
      state: 'pending',
      actions: { release: expect.stringContaining('reviewer-1, who is the same person, has ruled') },
    });
    const second = await house.call(path(id), { as: 'admin', json: release });
    expect([second.status, second.json]).toMatchObject([409, { code: 'already_ruled' }]);
    const deny = { verdict: 'deny', reason: 'over', digest };
    expect((await house.call(path(id), { as: 'admin', json: deny })).status).toBe(409);
    const glass = { ...release, reason: 'nobody else is there', breakGlass: true };
    expect((await house.call(path(id), { as: 'admin', json: glass })).status).toBe(201);
    await (await asked).text();
    const finding = { verdict: 'justified', text: 'I was right.' };
    const review = await house.call(path(id, 'review'), { as: 'reviewer', json: finding });
    expect([review.status, review.json]).toMatchObject([403, { code: 'forbidden' }]);
    expect((await house.call(path(id, 'review'), { as: 'privacy', json: finding })).status).toBe(201);
  });

  it('is not told that they look at it themselves by the other', async () => {
    const asked = house.ask('delete what is looked at');
    const { id, digest } = await nextHold(house);
    const look = (as: 'reviewer' | 'admin' | 'auditor') =>
      house.call(path(id, 'looking'), { as, json: { here: true } }).then(({ json }) => json);
    expect(await look('reviewer')).toEqual({ others: [] });
    expect(await look('admin')).toEqual({ others: [] });
    expect(await look('auditor')).toEqual({ others: ['reviewer-1', 'admin-1'] });
    await house.call(path(id), { json: { verdict: 'deny', reason: 'over', digest } });
    await (await asked).text();
  });

  it('does not rule on what they asked for by the other', async () => {
    const gone = new AbortController();
    const asked = house.ask('please transfer 25000', {
      headers: { 'holdpoint-workload': 'admin-1' },
      signal: gone.signal,
    });
    const { id, digest } = await nextHold(house);
    const release = { verdict: 'release', digest, reason: 'mine' };
    const refused = await house.call(path(id), { as: 'reviewer', json: release });
    expect([refused.status, refused.json]).toMatchObject([
      403,
      { detail: 'The requester of a call cannot rule on it.' },
    ]);
    gone.abort();
    await expect(asked).rejects.toThrow();
  });

  it('lends nothing to themselves, and enrols no key for themselves as somebody else', async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const lent = await house.call('/api/v1/delegations', { as: 'reviewer', json: { to: 'admin-1', until } });
    expect([lent.status, lent.json]).toMatchObject([400, { detail: 'Nobody stands in for themselves.' }]);
    const key = Buffer.alloc(32, 1).toString('base64');
    const enrolment = {
      owner: 'reviewer-1',
      key,
      possession: Buffer.alloc(64).toString('base64'),
      reason: 'r',
    };
    const enrolled = await house.call('/api/v1/reviewer-keys', { as: 'admin', json: enrolment });
    expect([enrolled.status, enrolled.json]).toMatchObject([403, { code: 'forbidden' }]);
  });

  it('has one first key by their own word, and needs an admin who is somebody else for another name’s', async () => {
    const enrol = (as: 'reviewer' | 'admin', owner: string) => {
      const key = writeReviewerKey(join(house.dataDir, `${owner}.pem`));
      const possession = key.possession(house.sidecar.ledger.origin, owner);
      const json = { owner, key: key.publicKey, possession, reason: 'mine' };
      return house.call('/api/v1/reviewer-keys', { as, json });
    };
    expect((await enrol('reviewer', 'reviewer-1')).status).toBe(201);
    const second = await enrol('admin', 'admin-1');
    expect([second.status, second.json]).toMatchObject([403, { code: 'forbidden' }]);
  });

  it('is sealed under the name they came by, beside which names are whose, and the ledger verifies', async () => {
    const { items } = entriesSchema.parse(
      (await house.call('/api/v1/ledger/entries?limit=10', { as: 'auditor' })).json,
    );
    expect(items.find(({ type }) => type === 'start')?.data['people']).toEqual(people);
    const { findings, notes } = await verifyDirectory(house.dataDir, {});
    expect(findings).toEqual([]);
    expect(notes.join()).toContain('5 names are those of 2 people');
  });
});
