/** Rulings signed with a reviewer's own key, against a real sidecar; the ledger it leaves is verified with its bodies opened. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readReviewerKey, writeReviewerKey } from '../../src/cli/reviewer-key.ts';
import { systemRandom } from '../../src/core/clock.ts';
import type { Role } from '../../src/core/roles.ts';
import { keyFingerprint } from '../../src/core/ruling-statement.ts';
import { addToken } from '../../src/store/token-file.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { run } from './support/process.ts';
import { type House, nextHold, startHouse } from './support/sidecar.ts';

let house: House;
const tokens = new Map<string, string>();

beforeAll(async () => {
  house = await startHouse({
    settings: { control: { listen: '127.0.0.1:0', rulings: 'signed' } },
  });
});
afterAll(() => house.close());

const tokenOf = (name: string, role: Role = 'reviewer'): string => {
  const known = tokens.get(name);
  if (known !== undefined) return known;
  const made = addToken(join(house.dataDir, 'tokens.json'), { name, role }, Date.now(), systemRandom);
  tokens.set(name, made);
  return made;
};
const fileOf = (name: string): string => join(house.directory, `${name}.pem`);
const keyOf = (name: string) => {
  const key = writeReviewerKey(fileOf(name));
  return {
    ...key,
    possessionBy: (owner: string) => key.possession(`holdpoint/${house.sidecar.ledger.id}`, owner),
  };
};
const post = (token: string, path: string, json: unknown) => house.call(`/api/v1/${path}`, { token, json });
const codeOf = ({ status, json }: { status: number; json: unknown }) =>
  `${status} ${z.looseObject({ code: z.string().default('') }).parse(json).code}`.trim();

const enrol = (by: string, owner: string, key: ReturnType<typeof keyOf>, role: Role = 'reviewer') =>
  post(tokenOf(by, role), 'reviewer-keys', {
    owner,
    key: key.publicKey,
    possession: key.possessionBy(owner),
    reason: 'test',
  });

const holdSchema = z.looseObject({
  id: z.string(),
  decisionId: z.string(),
  digest: z.string(),
  policy: z.object({ version: z.string(), digest: z.string() }),
  rules: z.array(z.looseObject({ id: z.string() })),
});

/** Holds a call; gives what a statement about it says and what ends it. */
async function held(by: string) {
  const caller = house.ask('Please transfer 25000');
  const { id } = await nextHold(house);
  const hold = holdSchema.parse((await house.call(`/api/v1/holds/${id}`, { token: tokenOf(by) })).json);
  const about = {
    ...{ by, verdict: 'release', digest: hold.digest, decision: hold.decisionId, hold: id },
    policy: hold.policy.digest,
    policyVersion: hold.policy.version,
    rules: hold.rules.map((rule) => rule.id),
  };
  const order = { verdict: 'release', reason: 'Invoice 4711.', digest: hold.digest };
  return { id, about, order, caller, path: `holds/${id}/rulings` };
}

async function finish({ id, caller }: { id: string; caller: Promise<Response> }): Promise<number> {
  const { code, err } = await run(['holds', 'release', id, '--key', fileOf('ada')], {
    HOLDPOINT_URL: house.sidecar.controlUrl,
    HOLDPOINT_TOKEN: tokenOf('ada'),
  });
  expect(err).toBe('');
  expect(code).toBe(0);
  return (await caller).status;
}

describe('a key for rulings', () => {
  it('is made by the command line in a file that only its owner reads, and enrolled by its token', async () => {
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: tokenOf('ada') };
    expect((await run(['reviewer', 'key', 'new', '--name', 'ada', '--out', fileOf('ada')], env)).code).toBe(
      0,
    );
    const enrolled = await run(['reviewer', 'key', 'enrol', '--key', fileOf('ada')], env);
    expect(enrolled.err).toBe('');
    expect(enrolled.out).toMatch(/^ada: the key [0-9a-f]{16} signs from now on\.\n$/);
  });

  it('is not taken without a proof that the private half is there', async () => {
    const key = keyOf('unproven');
    const json = { owner: 'bob', key: key.publicKey, possession: key.possessionBy('ada'), reason: 'test' };
    expect(codeOf(await post(tokenOf('bob'), 'reviewer-keys', json))).toBe('403 signature_invalid');
  });

  it('of small order, under which anybody signs, is refused', async () => {
    // The neutral point: R the same and S zero satisfy the equation for every message.
    const weak = `AQ${'A'.repeat(41)}=`;
    const anySignature = `AQ${'A'.repeat(84)}==`;
    const json = { owner: 'bob', key: weak, possession: anySignature, reason: 'test' };
    expect(codeOf(await post(tokenOf('bob'), 'reviewer-keys', json))).toBe('403 signature_invalid');
  });

  it('is withdrawn on the command line by the fingerprint that it is told by', async () => {
    const key = keyOf('gina');
    expect(codeOf(await enrol('gina', 'gina', key))).toBe('201');
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: tokenOf('gina') };
    const fingerprint = keyFingerprint(key.publicKey);
    const withdrawn = await run(['reviewer', 'key', 'withdraw', fingerprint, '--reason', 'lost'], env);
    expect([withdrawn.code, withdrawn.out]).toEqual([0, `gina: the key ${fingerprint} counts no more.\n`]);
    const unknown = await run(['reviewer', 'key', 'withdraw', '0123456789abcdef', '--reason', 'lost'], env);
    expect(unknown.code).toBe(2);
    expect(unknown.err).toContain('holdpoint reviewer key list');
  });

  it('of somebody else is enrolled by an admin alone', async () => {
    const key = keyOf('carl');
    expect(codeOf(await enrol('bob', 'carl', key))).toBe('403 forbidden');
    expect(codeOf(await enrol('root', 'carl', key, 'admin'))).toBe('201');
  });

  it('that is a second one needs an admin, so that a stolen token brings in none', async () => {
    const key = keyOf('second');
    expect(codeOf(await enrol('ada', 'ada', key))).toBe('403 forbidden');
  });

  it('is one where two first ones come at once', async () => {
    const keys = [keyOf('finn'), keyOf('finn-too')];
    tokenOf('finn');
    const codes = await Promise.all(keys.map(async (key) => codeOf(await enrol('finn', 'finn', key))));
    expect(codes.sort()).toEqual(['201', '403 forbidden']);
  });

  it('is withdrawn by whose it is or by an admin, and by nobody else', async () => {
    const withdraw = (by: string, key: string, role: Role = 'reviewer') =>
      post(tokenOf(by, role), 'reviewer-keys/withdraw', { key, reason: 'lost' }).then(codeOf);
    const key = keyOf('eve');
    expect(codeOf(await enrol('eve', 'eve', key))).toBe('201');
    const { publicKey } = key;
    expect(await withdraw('bob', publicKey)).toBe('403 forbidden');
    expect(await withdraw('root', publicKey, 'admin')).toBe('200');
    expect(await withdraw('eve', publicKey)).toBe('404 not_found');
  });

  it('never comes back', async () => {
    const key = keyOf('dora');
    expect(codeOf(await enrol('dora', 'dora', key))).toBe('201');
    const gone = await post(tokenOf('dora'), 'reviewer-keys/withdraw', {
      key: key.publicKey,
      reason: 'lost',
    });
    expect(codeOf(gone)).toBe('200');
    expect(codeOf(await enrol('root', 'dora', key, 'admin'))).toBe('400 invalid_argument');
  });
});

describe('a ruling where signatures are required', () => {
  it('is refused without one, and taken with one', async () => {
    const hold = await held('ada');
    expect(codeOf(await post(tokenOf('ada'), hold.path, hold.order))).toBe('403 signature_required');
    expect(await finish(hold)).toBe(200);
  });

  it('is refused without one on many holds too', async () => {
    const hold = await held('ada');
    const line = z
      .object({ items: z.array(z.object({ contentDigest: z.string() })) })
      .parse((await house.call(`/api/v1/holds?id=${hold.id}`, { token: tokenOf('ada') })).json).items[0];
    const many = {
      contentDigest: line?.contentDigest,
      verdict: 'release',
      reason: 'Seen.',
      holds: [hold.id],
    };
    expect(codeOf(await post(tokenOf('ada'), 'rulings', many))).toBe('403 signature_required');
    expect(await finish(hold)).toBe(200);
  });

  it.each([
    ['another hold', { hold: 'h-00000000-1' }],
    ['another decision', { decision: 'd-00000000-1' }],
    ['other bytes', { digest: '00'.repeat(32) }],
    ['another policy', { policy: '00'.repeat(32) }],
    ['another policy version', { policyVersion: 'other' }],
    ['another rule', { rules: ['other'] }],
    ['another verdict', { verdict: 'deny' }],
    ['another person', { by: 'bob' }],
  ])('is refused when the statement names %s', async (_, change) => {
    const hold = await held('ada');
    const body = readReviewerKey(fileOf('ada')).signOrder(hold.order, { ...hold.about, ...change });
    expect(codeOf(await post(tokenOf('ada'), hold.path, body))).toBe('403 signature_invalid');
    expect(await finish(hold)).toBe(200);
  });

  it('is refused when its order is not the one that was signed', async () => {
    const hold = await held('ada');
    const { signed } = readReviewerKey(fileOf('ada')).signOrder(hold.order, hold.about);
    const body = { signed: { ...signed, order: signed.order.replace('4711', '4712') } };
    expect(codeOf(await post(tokenOf('ada'), hold.path, body))).toBe('403 signature_invalid');
    expect(await finish(hold)).toBe(200);
  });

  it('is refused when its statement is written otherwise than it was signed, which nobody could check again', async () => {
    const hold = await held('ada');
    const { signed } = readReviewerKey(fileOf('ada')).signOrder(hold.order, hold.about);
    const more = signed.statement.replace('{', '{"aside":"by nobody",');
    for (const statement of [more, `${signed.statement} `]) {
      const body = { signed: { ...signed, statement } };
      expect(codeOf(await post(tokenOf('ada'), hold.path, body))).toBe('403 signature_invalid');
    }
    expect(await finish(hold)).toBe(200);
  });

  it('is refused when it is signed with a key that nobody enrolled', async () => {
    const hold = await held('ada');
    const body = keyOf('stranger').signOrder(hold.order, hold.about);
    expect(codeOf(await post(tokenOf('ada'), hold.path, body))).toBe('403 signature_invalid');
    expect(await finish(hold)).toBe(200);
  });

  it("is refused when it is signed with somebody else's enrolled key", async () => {
    const hold = await held('ada');
    const body = readReviewerKey(fileOf('carl')).signOrder(hold.order, hold.about);
    expect(codeOf(await post(tokenOf('ada'), hold.path, body))).toBe('403 signature_invalid');
    expect(await finish(hold)).toBe(200);
  });

  it('is refused when any bit of the signature is another', async () => {
    const hold = await held('ada');
    const { signed } = readReviewerKey(fileOf('ada')).signOrder(hold.order, hold.about);
    for (const at of [0, 31, 32, 63]) {
      const bytes = Buffer.from(signed.value, 'base64');
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      const body = { signed: { ...signed, value: bytes.toString('base64') } };
      expect(codeOf(await post(tokenOf('ada'), hold.path, body))).toBe('403 signature_invalid');
    }
    expect(await finish(hold)).toBe(200);
  });

  it('seals statement and signature, and verifies offline with its bodies opened', async () => {
    await house.sidecar.stop('test');
    const verdict = await verifyDirectory(house.dataDir, {});
    expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
    expect(verdict.findings).toEqual([]);
    expect(verdict.notes.join('\n')).toMatch(/15 of 15 rulings by people are signed/);
  });
});
