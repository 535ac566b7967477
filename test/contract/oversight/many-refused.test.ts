/** What one ruling on many holds does not do: each line that asks for more than to release or deny is refused. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ReviewerKeyFile, readReviewerKey, writeReviewerKey } from '../../../src/cli/reviewer-key.ts';
import { eventually, type House, startHouse } from '../support/sidecar.ts';
import { closeVerified, codeOf, deny, enrolReviewer, type Line, linesNow } from './scene.ts';

let house: House;
let reviewer: ReviewerKeyFile;
let admin: ReviewerKeyFile;
beforeAll(async () => {
  house = await startHouse();
  reviewer = readReviewerKey(await enrolReviewer(house));
  const file = join(house.directory, 'admin.pem');
  const { publicKey, possession } = writeReviewerKey(file);
  const proof = possession(`holdpoint/${house.sidecar.ledger.id}`, 'admin-1');
  const enrolment = { owner: 'admin-1', key: publicKey, possession: proof, reason: 'first key' };
  expect(codeOf(await house.call('/api/v1/reviewer-keys', { as: 'admin', json: enrolment }))).toBe('201');
  admin = readReviewerKey(file);
});
afterAll(() => closeVerified(house));

let asked = 0;
async function heldLine(what = 'transfer 5 EUR'): Promise<{ line: Line; caller: Promise<Response> }> {
  asked += 1;
  // What was denied is denied for a while to whoever asks the same.
  const caller = house.ask(`${what} for ${asked}`);
  const line = await eventually(async () => (await linesNow(house))[0]);
  return { line, caller };
}

/** A line with an order that somebody signed for this hold. */
async function signedLine(
  line: Line,
  by: string,
  key: ReviewerKeyFile,
  changes: { verdict: string; [name: string]: unknown },
) {
  const { id, digest, decisionId: decision } = line;
  const { policy, rules } = z
    .looseObject({
      policy: z.object({ version: z.string(), digest: z.string() }),
      rules: z.array(z.looseObject({ id: z.string() })),
    })
    .parse((await house.call(`/api/v1/holds/${id}`)).json);
  const order = { reason: 'Looked at.', digest, ...changes };
  const about = {
    ...{ by, verdict: changes.verdict, digest, decision, hold: id },
    ...{ policy: policy.digest, policyVersion: policy.version, rules: rules.map((rule) => rule.id) },
  };
  return { id, ...key.signOrder(order, about) };
}

const refusedAs = (code: string) => ({ ruled: 0, refused: 1, items: [{ hold: null, refusal: { code } }] });

describe('a signed line among many', () => {
  it('breaks no glass, whoever signs it', async () => {
    const { line, caller } = await heldLine('delete the records');
    const alone = await signedLine(line, 'admin-1', admin, { verdict: 'release', breakGlass: true });
    const json = { contentDigest: line.contentDigest, holds: [alone] };
    const { json: answer } = await house.call('/api/v1/rulings', { as: 'admin', json });
    expect(answer).toMatchObject(refusedAs('invalid_argument'));
    await deny(house, line, caller);
  });

  it.each<[string, (callId: string) => { verdict: string }]>([
    [
      'amends nothing',
      (id) => ({ verdict: 'amend', amendment: { toolCalls: [{ id, arguments: { amount: 1 } }] } }),
    ],
    ['names no calls', (id) => ({ verdict: 'release', calls: [id] })],
    ['is in nobody’s stead', () => ({ verdict: 'release', inStead: 'ada' })],
  ])('%s', async (_, changes) => {
    const { line, caller } = await heldLine();
    const { exchange } = z
      .object({
        exchange: z.object({ response: z.object({ toolCalls: z.array(z.object({ id: z.string() })) }) }),
      })
      .parse((await house.call(`/api/v1/holds/${line.id}`)).json);
    const asked = changes(exchange.response.toolCalls[0]?.id ?? '');
    const other = await signedLine(line, 'reviewer-1', reviewer, asked);
    const json = { contentDigest: line.contentDigest, holds: [other] };
    expect((await house.call('/api/v1/rulings', { json })).json).toMatchObject(refusedAs('invalid_argument'));
    await deny(house, line, caller);
  });

  it('is named once', async () => {
    const { line, caller } = await heldLine();
    const release = await signedLine(line, 'reviewer-1', reviewer, { verdict: 'release' });
    const json = { contentDigest: line.contentDigest, holds: [release, release] };
    expect(codeOf(await house.call('/api/v1/rulings', { json }))).toBe('400 invalid_argument');
    await deny(house, line, caller);
  });
});

describe('a line that is refused', () => {
  it('is one whose bytes are not all recorded: what is not may be another credential', async () => {
    const askWith = (authorization: string): Promise<Response> =>
      fetch(`${house.sidecar.proxyUrl}/v1/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          ...{ model: 'gpt-test', input: 'please escalate with a server' },
          tools: [{ type: 'mcp', server_label: 'desk', server_url: 'https://mcp.example', authorization }],
        }),
      });
    const callers = ['one', 'other'].map(askWith);
    const lines = await eventually(async () => {
      const all = await linesNow(house);
      return all.length === 2 && all;
    });
    expect(lines.map(({ contentDigest }) => contentDigest)).toEqual(['', '']);
    await Promise.all(lines.map((line, at) => deny(house, line, callers[at] ?? Promise.reject(new Error()))));
  });

  it('says nothing of the bytes to a role that does not rule on them', async () => {
    const { line, caller } = await heldLine();
    const json = { contentDigest: '0'.repeat(64), verdict: 'deny', reason: 'No.', holds: [line.id] };
    const codeFor = async (as: 'privacy' | 'reviewer') =>
      (await house.call('/api/v1/rulings', { as, json })).json;
    expect(await codeFor('privacy')).toMatchObject(refusedAs('forbidden'));
    expect(await codeFor('reviewer')).toMatchObject(refusedAs('digest_mismatch'));
    await deny(house, line, caller);
  });

  it('is on the record where its refusal by itself would be', async () => {
    const { line, caller } = await heldLine();
    const json = { contentDigest: line.contentDigest, verdict: 'release', reason: 'Mine.', holds: [line.id] };
    const { json: answer } = await house.call('/api/v1/rulings', { as: 'privacy', json });
    expect(answer).toMatchObject(refusedAs('forbidden'));
    const { text } = await house.call('/api/v1/ledger/entries?limit=1000', { as: 'auditor' });
    expect(text).toMatch(/"action":"refused"[^}]*"by":"privacy-1"[^}]*"code":"forbidden"[^}]*"ruleOnHolds"/);
    await deny(house, line, caller);
  });
});
