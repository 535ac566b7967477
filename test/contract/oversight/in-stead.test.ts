/** A ruling in the stead of somebody who is away. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemRandom } from '../../../src/core/clock.ts';
import { addToken, replaceToken } from '../../../src/store/token-file.ts';
import { run } from '../support/process.ts';
import { eventually, type House, nextHold, startHouse } from '../support/sidecar.ts';
import { closeVerified, codeOf, deny, enrolReviewer, linesNow } from './scene.ts';

let house: House;
let keyFile: string;
beforeAll(async () => {
  house = await startHouse();
  keyFile = await enrolReviewer(house);
});
afterAll(() => closeVerified(house));

describe('a ruling in the stead of somebody who is away', () => {
  const until = (ms: number) => new Date(Date.now() + ms).toISOString();
  const lend = (as: 'reviewer' | 'admin' | 'auditor', to: string, ms = 3_600_000) =>
    house.call('/api/v1/delegations', { as, json: { to, until: until(ms) } });

  it('is offered to whoever it was lent to, with what they may do, until their word is given', async () => {
    const caller = house.ask('delete 7 records');
    const { id, digest } = await nextHold(house);
    const offered = async () => {
      const { json } = await house.call(`/api/v1/holds/${id}`, { as: 'privacy' });
      return z.looseObject({ inStead: z.array(z.unknown()) }).parse(json).inStead;
    };
    expect(await offered()).toEqual([]);
    const { seq } = z.looseObject({ seq: z.number() }).parse((await lend('admin', 'privacy-1')).json);
    const rule = { verdict: 'release', reason: 'Seen.', digest, inStead: 'admin-1' };
    const several = expect.stringContaining('several approvals');
    const actions = { release: '', deny: '', amend: several, breakGlass: expect.stringContaining('stead') };
    expect(await offered()).toMatchObject([{ name: 'admin-1', role: 'admin', actions }]);
    expect(codeOf(await house.call(`/api/v1/holds/${id}/rulings`, { as: 'privacy', json: rule }))).toBe(
      '201',
    );
    expect(await offered()).toEqual([]);
    await house.call(`/api/v1/delegations/${seq}/end`, { as: 'admin', json: {} });
    const json = { verdict: 'deny', reason: 'No.', digest };
    expect(codeOf(await house.call(`/api/v1/holds/${id}/rulings`, { as: 'reviewer', json }))).toBe('201');
    await caller;
  });

  it('is made in the role that was lent, by one voice, while it is lent, and never alone', async () => {
    const caller = house.ask('delete 5 records');
    const { id, digest } = await nextHold(house);
    const rule = (as: 'reviewer' | 'privacy' | 'admin', more: object = {}) =>
      house
        .call(`/api/v1/holds/${id}/rulings`, {
          as,
          json: { verdict: 'release', reason: 'Seen.', digest, ...more },
        })
        .then(codeOf);
    expect(await rule('privacy')).toBe('403 forbidden');
    expect(await rule('privacy', { inStead: 'admin-1' })).toBe('403 forbidden');
    expect(codeOf(await lend('auditor', 'privacy-1'))).toBe('403 forbidden');
    expect(codeOf(await lend('admin', 'admin-1'))).toBe('400 invalid_argument');
    expect(codeOf(await lend('admin', 'viewer-1'))).toBe('400 invalid_argument');
    expect(codeOf(await lend('admin', 'privacy-1', -1))).toBe('400 invalid_argument');
    expect(codeOf(await lend('admin', 'privacy-1', 91 * 86_400_000))).toBe('400 invalid_argument');
    const begun = await lend('admin', 'privacy-1');
    expect(codeOf(begun)).toBe('201');
    expect(codeOf(await lend('admin', 'reviewer-1'))).toBe('400 invalid_argument');
    const alone = { inStead: 'admin-1', breakGlass: true };
    expect(await rule('privacy', alone)).toBe('400 invalid_argument');
    expect(await rule('privacy', { inStead: 'admin-1' })).toBe('201');
    expect(await rule('privacy', { inStead: 'admin-1' })).toBe('409 already_ruled');
    // Their word was given.
    expect(await rule('admin')).toBe('409 already_ruled');
    expect(await rule('reviewer')).toBe('201');
    await caller;
    const { rulings } = z
      .looseObject({ rulings: z.array(z.unknown()) })
      .parse((await house.call(`/api/v1/holds/${id}`)).json);
    expect(rulings).toMatchObject([
      { by: 'privacy-1', role: 'admin', inStead: 'admin-1' },
      { by: 'reviewer-1', role: 'reviewer', inStead: '' },
    ]);
    const { seq } = z.looseObject({ seq: z.number() }).parse(begun.json);
    const end = `/api/v1/delegations/${seq}/end`;
    expect(codeOf(await house.call(end, { as: 'privacy', json: {} }))).toBe('403 forbidden');
    expect(codeOf(await house.call(end, { as: 'admin', json: {} }))).toBe('200');
    const next = house.ask('please escalate: no stead');
    const [line] = await eventually(async () => {
      const all = await linesNow(house);
      return all.length === 1 && all;
    });
    if (line === undefined) throw new Error('it is held');
    const late = { verdict: 'deny', reason: 'No.', digest: line.digest, inStead: 'admin-1' };
    expect(codeOf(await house.call(`/api/v1/holds/${line.id}/rulings`, { as: 'privacy', json: late }))).toBe(
      '403 forbidden',
    );
    await deny(house, line, next);
  });

  it('is not made by who has a role that does not rule by now, whatever was lent', async () => {
    const file = join(house.dataDir, 'tokens.json');
    addToken(file, { name: 'helper', role: 'reviewer' }, Date.now(), systemRandom);
    const begun = await lend('admin', 'helper');
    expect(codeOf(begun)).toBe('201');
    const { token } = replaceToken(
      file,
      { name: 'helper', role: 'viewer' },
      Date.now(),
      systemRandom,
      'test',
    );
    const caller = house.ask('delete 8 records');
    const { id, digest } = await nextHold(house);
    const json = { verdict: 'deny', reason: 'No.', digest, inStead: 'admin-1' };
    expect(codeOf(await house.call(`/api/v1/holds/${id}/rulings`, { token, json }))).toBe('403 forbidden');
    const { seq } = z.looseObject({ seq: z.number() }).parse(begun.json);
    const end = `/api/v1/delegations/${seq}/end`;
    expect(codeOf(await house.call(end, { as: 'admin', json: { seq } }))).toBe('400 invalid_argument');
    expect(codeOf(await house.call(end, { as: 'admin', json: {} }))).toBe('200');
    const own = { verdict: 'deny', reason: 'No.', digest };
    expect(codeOf(await house.call(`/api/v1/holds/${id}/rulings`, { json: own }))).toBe('201');
    await caller;
  });

  it('is signed as such', async () => {
    expect(codeOf(await lend('admin', 'reviewer-1'))).toBe('201');
    const caller = house.ask('delete 6 records');
    const { id } = await nextHold(house);
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.reviewer };
    const args = ['--reason', 'No.', '--in-stead', 'admin-1', '--key', keyFile];
    expect(await run(['holds', 'deny', id, ...args], env)).toEqual({
      code: 0,
      err: '',
      out: `${id} is denied.\n`,
    });
    await caller;
    const listed = await run(['delegations', 'list'], env);
    expect(listed.out).toMatch(/ admin-1 +admin +reviewer-1 .* in force\n/);
  });
});
