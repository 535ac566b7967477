/** Bodies larger than what is stored: they pass whole, are hashed whole, and the entry says what was not kept. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkUpstream, bulkHash, startBulkUpstream } from '../support/bulk-upstream.ts';
import { endAll } from '../support/endings.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';

const storedBytesMax = 128 * 1024;
const passedBytesMax = 4 * 1024 * 1024;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const holdUploads = `
version: "1"
rules:
  - id: uploads
    title: Uploads to somebody's files need a look
    phase: request
    when: request.path == "/v1/held"
    action: hold
    hold: { expiresIn: 15m, approvals: 1, roles: [reviewer] }
    tests:
      - { name: held, expect: match, request: { path: /v1/held } }
      - { name: other, expect: no-match, request: { path: /v1/blobs } }
`;

let upstream: BulkUpstream;
let sidecar: TestSidecar;

beforeAll(async () => {
  upstream = await startBulkUpstream();
  sidecar = await startTestSidecar({
    policy: holdUploads,
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    limits: { storedBytesMax, passedBytesMax, requestBytesMax: 64 * 1024 },
  });
});
afterAll(endAll);

const upload = (
  target: string,
  body: Buffer<ArrayBuffer>,
  type = 'application/octet-stream',
): Promise<Response> =>
  fetch(`${sidecar.proxyUrl}${target}`, { method: 'POST', headers: { 'content-type': type }, body });

async function entriesOf(answer: Response) {
  const id = answer.headers.get('holdpoint-decision') ?? '';
  const { entries } = await sidecar.ada.decision(id);
  const dataOf = (type: string) => entries.find((entry) => entry.type === type)?.data ?? {};
  return { id, request: dataOf('request'), response: dataOf('response') };
}

/** What the sealed message says of a body that is stored in part. */
async function wholeBodyOf(id: string, name: string): Promise<string> {
  const bodies = await sidecar.as('grace', 'auditor').bodies(id);
  const headers = bodies.find((body) => body.name === name)?.headers ?? [];
  return headers[headers.indexOf('holdpoint-whole-body') + 1] ?? '';
}

test('an upload beyond what is stored arrives whole and with its length', async () => {
  const body = Buffer.alloc(3_000_000, 'upload ');
  const answer = await upload('/v1/blobs', body);
  expect(await answer.json()).toEqual({ id: 'file-1' });
  expect(upstream.uploaded()).toEqual({
    bytes: body.length,
    sha256: sha256(body),
    length: String(body.length),
  });
});

test('its entry says how long it was and how much of it is stored, and the message holds its hash', async () => {
  const body = Buffer.alloc(1_000_000, 'hashed ');
  const { id, request } = await entriesOf(await upload('/v1/blobs', body));
  expect(request).toMatchObject({ bytes: body.length });
  expect(request['stored']).toBeLessThanOrEqual(storedBytesMax);
  expect(await wholeBodyOf(id, 'request')).toBe(`bytes=${body.length}; sha-256=${sha256(body)}`);
});

test('an upload that is stored whole says nothing of parts', async () => {
  const { request } = await entriesOf(await upload('/v1/blobs', Buffer.alloc(1000, 'x')));
  expect(request).toMatchObject({ bytes: 1000 });
  expect(request).not.toHaveProperty('stored');
});

test('an upload over the bound gets 413 and goes nowhere', async () => {
  const before = upstream.uploaded();
  const answer = await upload('/v1/blobs', Buffer.alloc(passedBytesMax + 1));
  expect(answer.status).toBe(413);
  expect(upstream.uploaded()).toBe(before);
});

test('the bound on what passes holds below what would be stored, too', async () => {
  const narrow = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    limits: { storedBytesMax: 64 * 1024, passedBytesMax: 2048 },
  });
  const before = upstream.uploaded();
  const answer = await fetch(`${narrow.proxyUrl}/v1/blobs`, { method: 'POST', body: Buffer.alloc(2049) });
  expect([answer.status, await answer.text()]).toEqual([
    413,
    expect.stringContaining('Raise limits.passedBytesMax'),
  ]);
  expect(upstream.uploaded()).toBe(before);
});

test('nothing of an upload is left on disk once it went through', async () => {
  await upload('/v1/blobs', Buffer.alloc(1_000_000));
  expect(readdirSync(join(sidecar.place.dataDir, 'spool'))).toEqual([]);
});

test.each([
  ['with a length', '&length'],
  ['in chunks', ''],
])('an answer beyond what is stored, %s, arrives whole and is hashed whole', async (_how, query) => {
  const pieces = 48;
  const answer = await fetch(`${sidecar.proxyUrl}/v1/blobs?pieces=${pieces}${query}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(sha256(bytes)).toBe(bulkHash(pieces));
  const { id, response } = await entriesOf(answer);
  expect(response).toMatchObject({ bytes: bytes.length, stored: storedBytesMax, result: 'ok' });
  expect(await wholeBodyOf(id, 'response')).toBe(`bytes=${bytes.length}; sha-256=${sha256(bytes)}`);
});

test('an answer over the bound is cut so that the caller sees it, and is sealed as too large', async () => {
  const answer = await fetch(`${sidecar.proxyUrl}/v1/blobs?pieces=200`);
  await expect(answer.arrayBuffer()).rejects.toThrow();
  await expect.poll(async () => (await entriesOf(answer)).response['result']).toBe('response_too_large');
});

test('a large upload that a rule holds waits, and goes out whole when it is released', async () => {
  const body = Buffer.alloc(2_000_000, 'held ');
  const before = upstream.uploaded();
  const answering = upload('/v1/held', body);
  const hold = await sidecar.ada.nextHold();
  expect(upstream.uploaded()).toBe(before);
  await sidecar.ada.rule(hold, { verdict: 'release', reason: 'fine' });
  expect((await answering).status).toBe(200);
  expect(upstream.uploaded().sha256).toBe(sha256(body));
});

test('what is stored in part cannot be amended', async () => {
  const answering = upload('/v1/held', Buffer.alloc(2_000_000, 'amend '));
  const hold = await sidecar.ada.nextHold();
  const amended = await sidecar.ada.rule(hold, { verdict: 'amend', reason: 'x', amendment: { body: {} } });
  expect(amended.status).toBe(409);
  await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'no' });
  expect((await answering).status).toBe(403);
});
