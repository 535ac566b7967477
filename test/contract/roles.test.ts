/** Roles that a configuration adds: for tokens, for rules to ask for, and with the permissions it names, no others. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createRoleBook, type Permission, permissions } from '../../src/core/roles.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { type Description, descriptionSchema } from './support/described.ts';
import { run } from './support/process.ts';
import { eventually, type House, nextHold, outcomeOf, policyText, startHouse } from './support/sidecar.ts';

const financePolicy = policyText
  .replace('roles: [reviewer], notRequester: true', 'notRequester: true')
  .replace('approvals: 1,', 'approvals: { finance: 1 },');

/** What a permission needs beside it. */
const companionsOf = (permission: Permission): readonly string[] =>
  permission === 'backtest' ? ['see', 'read_content'] : ['see'];
/** One role for each permission, with what it needs. */
const roleOf = (permission: Permission): string => `only-${permission.replaceAll('_', '-')}`;
const single = Object.fromEntries(
  permissions.map((permission) => [
    roleOf(permission),
    { permissions: [...new Set([...companionsOf(permission), permission])] },
  ]),
);
const roles = { finance: { like: 'reviewer' }, ...single };

let house: House;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  house = await startHouse({ settings: { control: { listen: '127.0.0.1:0', roles } } });
  for (const role of ['finance', ...Object.keys(single)]) {
    const words = ['token', 'new', '--config', house.configFile, '--name', `${role}-1`, '--role', role];
    const { code, out } = await run(words);
    expect(code).toBe(0);
    tokens[role] = out.trim();
  }
  writeFileSync(house.policyFile, financePolicy);
  await house.sidecar.reloadPolicy();
});
afterAll(() => house.close());

describe('a configured role', () => {
  it('is said to whoever has it', async () => {
    const { json } = await house.call('/api/v1/whoami', { token: tokens['finance'] ?? '' });
    expect(json).toEqual({
      ...{ name: 'finance-1', role: 'finance' },
      permissions: createRoleBook().permissionsOf('reviewer'),
    });
  });

  it('rules where a rule asks for it, others do not, and the ledger verifies', async () => {
    const asked = house.ask('please transfer 25000');
    const hold = await nextHold(house);
    expect(hold).toMatchObject({ roles: ['finance'] });
    const ruling = { verdict: 'release', reason: 'checked', digest: hold.digest };
    const path = `/api/v1/holds/${hold.id}/rulings`;
    expect((await house.call(path, { as: 'reviewer', json: ruling })).status).toBe(403);
    expect((await house.call(path, { as: 'admin', json: ruling })).status).toBe(403);
    const answer = await house.call(path, { token: tokens['finance'] ?? '', json: ruling });
    expect([answer.status, answer.text]).toEqual([201, answer.text]);
    await (await asked).text();
    expect(await outcomeOf(house, hold.decisionId)).toBe('delivered');
    expect((await verifyDirectory(house.dataDir, {})).findings).toEqual([]);
  });

  it('may do nothing once it is taken out of the configuration', async () => {
    const words = ['token', 'new', '--config', house.configFile, '--name', 'gone-1', '--role', 'finance'];
    const token = (await run(words)).out.trim();
    const settings = { control: { listen: '127.0.0.1:0' } };
    const other = await startHouse({ settings });
    const file = join(other.dataDir, 'tokens.json');
    const { readFileSync } = await import('node:fs');
    const mine = z.object({ tokens: z.array(z.looseObject({ name: z.string() })) });
    const known = mine.parse(JSON.parse(readFileSync(join(house.dataDir, 'tokens.json'), 'utf8')));
    const gone = known.tokens.filter(({ name }) => name === 'gone-1');
    writeFileSync(file, JSON.stringify({ version: 1, tokens: gone }));
    const refusal = [403, expect.stringContaining('not in control.roles any more')];
    for (const path of ['/api/v1/holds', '/api/v1/whoami']) {
      const answer = await other.call(path, { token });
      expect([answer.status, answer.text]).toEqual(refusal);
    }
    await other.close();
  });
});

describe('the permissions of a configured role', () => {
  let description: Description;
  beforeAll(async () => {
    description = descriptionSchema.parse((await house.call('/openapi.json', { as: null })).json);
  });

  it.each(permissions)('with %s are what the description says and nothing else', async (permission) => {
    const role = roleOf(permission);
    for (const [path, methods] of Object.entries(description.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.security?.length === 0 || operation.operationId === 'events') continue;
        const needed = operation['x-permission'];
        const isAllowed = ['any', ...companionsOf(permission), permission].includes(needed ?? '');
        const { status } = await house.call(path.replaceAll(/\{[^}]*\}/g, 'x'), {
          method: method.toUpperCase(),
          token: tokens[role] ?? '',
          ...(method === 'post' ? { json: {} } : {}),
        });
        // Beyond the check of the role an empty order is not valid, and `x` names nothing.
        if (isAllowed) expect([200, 400, 404], `${role} ${operation.operationId}`).toContain(status);
        else expect(status, `${role} ${operation.operationId}`).toBe(403);
      }
    }
  });

  it('show nowhere what anybody said or wrote without read_content', async () => {
    const canary = 'canaryQ8';
    const as = (role: string) => ({ token: tokens[role] ?? '' });
    const askedOf = async (prompt: string) => {
      const asked = house.ask(`${prompt} for ${canary}`, { headers: { 'holdpoint-workload': 'desk' } });
      return { asked, hold: await nextHold(house) };
    };
    // One that somebody released alone and others reviewed, one of a request, and one that waits, of the same workload.
    const alone = await askedOf('delete the records');
    const glass = { verdict: 'release', breakGlass: true, reason: canary, digest: alone.hold.digest };
    const path = (id: string, what: string): string => `/api/v1/holds/${id}/${what}`;
    expect((await house.call(path(alone.hold.id, 'rulings'), { as: 'admin', json: glass })).status).toBe(201);
    await (await alone.asked).text();
    const finding = { verdict: 'justified', text: canary };
    expect((await house.call(path(alone.hold.id, 'review'), { json: finding })).status).toBe(201);
    const early = await askedOf('please escalate');
    const denial = { verdict: 'deny', reason: canary, digest: early.hold.digest };
    expect((await house.call(path(early.hold.id, 'rulings'), { json: denial })).status).toBe(201);
    await (await early.asked).text();
    const { asked, hold } = await askedOf('please transfer 25000');
    expect((await house.call(path(hold.id, 'comments'), { json: { text: canary } })).status).toBe(201);
    const kept = { scope: { decision: hold.decisionId }, reason: canary };
    expect((await house.call('/api/v1/legal-holds', { as: 'privacy', json: kept })).status).toBe(201);

    const paths = Object.entries(description.paths).flatMap(([one, methods]) => {
      if (methods['get'] === undefined || methods['get'].operationId === 'events') return [];
      if (!one.startsWith('/api/v1/holds/'))
        return [one.replace('{id}', hold.decisionId).replace(/\{[^}]*\}/g, '0')];
      return [hold, alone.hold, early.hold].map(({ id }) => one.replace('{id}', id));
    });
    const textsFor = async (role: string): Promise<string[]> => {
      const answers = await Promise.all(paths.map((one) => house.call(one, as(role))));
      return answers.map(({ text }, at) => (text.includes(canary) ? (paths[at] ?? '') : ''));
    };
    const blind = permissions.filter((permission) => !['read_content', 'backtest'].includes(permission));
    for (const permission of blind)
      expect((await textsFor(roleOf(permission))).join(''), roleOf(permission)).toBe('');
    expect((await textsFor(roleOf('read_content'))).join(' ')).toContain(path(hold.id, '').slice(0, -1));
    const ruling = { verdict: 'deny', reason: 'no', digest: hold.digest };
    await house.call(path(hold.id, 'rulings'), { ...as('finance'), json: ruling });
    await (await asked).text();
  });

  it('show content only with read_content', async () => {
    const asked = house.ask('please transfer 25000');
    const hold = await nextHold(house);
    const seen = async (role: string) =>
      (await house.call(`/api/v1/holds/${hold.id}`, { token: tokens[role] ?? '' })).json;
    // Who knows the hash of what they guess knows whether it is that.
    expect(await seen(roleOf('see'))).toMatchObject({ exchange: null, contentDigest: '' });
    expect(await seen(roleOf('read_content'))).toMatchObject({ exchange: { request: {} } });
    const ruling = { verdict: 'deny', reason: 'no', digest: hold.digest };
    await house.call(`/api/v1/holds/${hold.id}/rulings`, { token: tokens['finance'] ?? '', json: ruling });
    await (await asked).text();
  });
});

describe('a role that rules and reads no content', () => {
  const policy = financePolicy.replace('{ finance: 1 }', '{ only-rule: 1 }').replace('"test"', '"blind"');

  it('releases or denies what it is told of, and neither amends nor compares it', async () => {
    writeFileSync(house.policyFile, policy);
    await house.sidecar.reloadPolicy();
    const asked = house.ask('please transfer 31000');
    const hold = await nextHold(house);
    const { contentDigest } = z.looseObject({ contentDigest: z.string() }).parse(hold);
    const order = (path: string, json: object) =>
      house
        .call(path, { token: tokens[roleOf('rule')] ?? '', json })
        .then(({ status, text }) => [status, text]);
    const path = `/api/v1/holds/${hold.id}/rulings`;
    const shared = { reason: 'unseen', digest: hold.digest };
    const notRead = expect.stringContaining('Your role does not read what is held.');
    expect(await order(path, { ...shared, verdict: 'amend', amendment: { text: 'x' } })).toEqual([
      403,
      notRead,
    ]);
    expect(await order(path, { ...shared, verdict: 'release', calls: ['guess'] })).toEqual([403, notRead]);
    expect(
      await order('/api/v1/rulings', { contentDigest, verdict: 'release', reason: 'one', holds: [hold.id] }),
    ).toEqual([200, notRead]);
    expect((await order(path, { ...shared, verdict: 'deny' }))[0]).toBe(201);
    await (await asked).text();
    writeFileSync(house.policyFile, financePolicy);
    await house.sidecar.reloadPolicy();
  });
});

describe('a rule that asks for a role that is not there', () => {
  const unknown = financePolicy.replace('{ finance: 1 }', '{ financ: 1 }').replace('"test"', '"typo"');

  it('is refused at a reload, and the old policy stays in force', async () => {
    writeFileSync(house.policyFile, unknown);
    await house.sidecar.reloadPolicy();
    const refused = await eventually(async () => {
      const { json } = await house.call('/api/v1/policy/versions?limit=1');
      const { items } = z.object({ items: z.array(z.object({ result: z.string() })) }).parse(json);
      return items[0]?.result === 'refused';
    });
    expect(refused).toBe(true);
    expect((await house.call('/api/v1/policy')).json).toMatchObject({ version: 'test' });
  });

  it('is refused by policy check, with its line and the roles there are', async () => {
    const file = join(house.directory, 'typo.yaml');
    writeFileSync(file, unknown);
    const told = await run(['policy', 'check', file, '--config', house.configFile]);
    expect(told.code).toBe(2);
    expect(told.err).toMatch(/typo\.yaml:\d+:\d+ rules\[0\]\.hold\.approvals/);
    expect(told.err).toContain('financ');
  });

  it('is refused by policy check without the configuration that has it', async () => {
    const file = join(house.directory, 'finance.yaml');
    writeFileSync(file, financePolicy.replace('approvals: { finance: 1 }', 'roles: [finance]'));
    expect((await run(['policy', 'check', file, '--config', house.configFile])).code).toBe(0);
    const told = await run(['policy', 'check', file]);
    expect([told.code, told.err]).toEqual([2, expect.stringContaining('reviewer, privacy, admin')]);
  });
});

describe('a configuration of roles', () => {
  it.each([
    ['a permission that there is not', 'finance: { permissions: [sea] }', 'did you mean see?'],
    ['a role to be like that has more', 'finance: { like: admin }', 'viewer, reviewer, auditor, reporter'],
    ['a name of the house', 'admin: { like: viewer }', 'admin'],
    ['a name that is none', 'Finance: { like: viewer }', 'Finance'],
    ['both ways at once', 'finance: { like: viewer, permissions: [see] }', 'either like or permissions'],
    ['neither way', 'finance: {}', 'either like or permissions'],
    ['what needs see without it', 'finance: { permissions: [read_content] }', 'expected see'],
    [
      'conditions on content without the right to read it',
      'controlling: { permissions: [see, backtest] }',
      'expected read_content with backtest',
    ],
    ['a key that there is not', 'finance: { likes: viewer }', 'likes'],
  ])('is refused with %s, with file and line', async (_, text, said) => {
    const file = join(house.directory, 'wrong.yaml');
    writeFileSync(
      file,
      `control:\n  roles:\n    ${text}\nupstreams:\n  openai: { url: "http://127.0.0.1:9", protocol: openai, mount: / }\n`,
    );
    const told = await run(['token', 'new', '--config', file, '--name', 'a', '--role', 'viewer']);
    expect(told.code).toBe(2);
    expect(told.err).toMatch(/wrong\.yaml:3:\d+ /);
    expect(told.err).toContain(said);
  });

  it('says which roles there are to whoever asks for another', async () => {
    const told = await run(['token', 'new', '--config', house.configFile, '--name', 'x', '--role', 'finanz']);
    expect([told.code, told.err]).toEqual([2, expect.stringContaining('finance')]);
  });
});
