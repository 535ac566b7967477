/** What was reported is found as such, erased as others, and never taken for exchanges. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { verifyDirectory } from '../../../src/store/verify-directory.ts';
import { eventually, type House, outcomeOf, startHouse } from '../support/sidecar.ts';
import { chat, report, sealedOne } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

describe('what was reported', () => {
  it('is found by its outcome, and by its subject', async () => {
    const id = await sealedOne(house, chat('r-find', { subject: 'customer-find' }));
    await outcomeOf(house, id);
    const listed = z.object({ items: z.array(z.object({ id: z.string(), reported: z.unknown() })) });
    const found = async (query: string) =>
      listed.parse((await house.call(`/api/v1/decisions?${query}`)).json).items;
    expect((await found('subject=customer-find')).map((item) => item.id)).toEqual([id]);
    const reported = await found('outcome=reported&limit=200');
    expect(reported.map((item) => item.id)).toContain(id);
    for (const item of reported) expect(item.reported).not.toBeNull();
  });

  it('is in none of the numbers of what passed here', async () => {
    const fresh = await startHouse();
    const body = [1, 2, 3].map((i) => JSON.stringify(chat(`s-${i}`))).join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    await fresh.call('/api/v1/decisions:batch', { as: 'reporter', headers, body });
    const { json } = await fresh.call('/api/v1/summary?hours=1');
    const { buckets, ...summary } = z
      .looseObject({ buckets: z.array(z.looseObject({ decisions: z.number(), inputTokens: z.number() })) })
      .parse(json);
    expect(summary).toMatchObject({ reported: 3, models: [], latencyMs: { count: 0 } });
    expect(buckets.reduce((sum, one) => sum + one.decisions + one.inputTokens, 0)).toBe(0);
    await fresh.sidecar.stop('to verify');
    const verdict = await verifyDirectory(fresh.dataDir, {});
    expect(verdict.findings).toEqual([]);
    expect(verdict.decisions).toMatchObject({ total: 0, reported: 3, byOutcome: { reported: 3 } });
    expect(verdict.notes.join(' ')).toContain('3 decisions were made elsewhere');
    await fresh.close();
  });

  it('is erased like anything else, and does not come back when it is sent again', async () => {
    const id = await sealedOne(house, chat('r-erase', { subject: 'customer-erase' }));
    await outcomeOf(house, id);
    const order = { scope: { subject: 'customer-erase' }, basis: 'objection', reason: 'request 90' };
    await house.call('/api/v1/erasures', { as: 'privacy', json: order });
    await eventually(async () => (await house.call(`/api/v1/decisions/${id}/body`)).status === 410);
    const { results } = await report(house, [chat('r-erase', { subject: 'customer-erase' })]);
    expect(results).toMatchObject([{ status: 'known', decision: id }]);
    expect((await house.call(`/api/v1/decisions/${id}/body`)).status).toBe(410);
  });

  it('is replayed by a backtest as flags', async () => {
    const draft = `version: "draft"
rules:
  - id: loans
    title: Loans
    phase: response
    when: request.workload == "loans" && response.text == "No."
    action: hold
    tests:
      - { name: hit, expect: match, request: { workload: loans }, response: { text: No. } }
      - { name: miss, expect: no-match, response: { text: Yes. } }
`;
    const { json } = await house.call('/api/v1/policy/backtest', {
      as: 'auditor',
      json: { policy: draft, reason: 'x', limit: 2_000 },
    });
    const page = z
      .looseObject({
        rules: z.array(z.looseObject({ rule: z.string(), now: z.number() })),
        verdicts: z.array(z.object({ before: z.string(), now: z.string() })),
      })
      .parse(json);
    expect(page.rules.find(({ rule }) => rule === 'loans')?.now).toBeGreaterThan(0);
    expect(page.verdicts.filter(({ now }) => now === 'hold')).toEqual([]);
  });
});

describe('a report', () => {
  it('is answered while it is sent, as fast as its lines become durable', async () => {
    const { hostname, port } = new URL(house.sidecar.controlUrl);
    const sent = request({
      ...{ host: hostname, port, method: 'POST', path: '/api/v1/decisions:batch' },
      headers: { authorization: `Bearer ${house.tokens.reporter}`, 'content-type': 'application/x-ndjson' },
    });
    const { promise, resolve } = Promise.withResolvers<string>();
    sent.once('response', (res) => res.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8'))));
    for (let i = 0; i < 64; i++) sent.write(`${JSON.stringify(chat(`live-${i}`))}\n`);
    expect(await promise).toContain('"id":"live-0","status":"sealed"');
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    sent.once('close', () => close());
    sent.destroy();
    await closed;
  });

  it('of thousands of lines is sealed whole', { timeout: 60_000 }, async () => {
    const lines = Array.from({ length: 3_000 }, (_, i) => chat(`many-${i}`));
    expect((await report(house, lines)).summary).toEqual({
      ...{ lines: 3_000, sealed: 3_000, known: 0, refused: 0, complete: true },
    });
  });

  it('of more lines than one may have says so to whoever reads nothing before all is sent', async () => {
    const { hostname, port } = new URL(house.sidecar.controlUrl);
    const body = ['{}\n'.repeat(20_000), `${' '.repeat(1024 * 1024)}\n`.repeat(16)].join('');
    const fields = {
      ...{ host: `${hostname}:${port}`, authorization: `Bearer ${house.tokens.reporter}` },
      ...{ 'content-type': 'application/x-ndjson', 'content-length': body.length, connection: 'close' },
    };
    const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(Number(port), hostname);
    const sent = Promise.withResolvers<void>();
    socket.once('error', sent.reject);
    socket.write(`POST /api/v1/decisions:batch HTTP/1.1\r\n${head.join('')}\r\n${body}`, () =>
      sent.resolve(),
    );
    await sent.promise;
    const answer = (await text(socket)).split('\n');
    expect(answer.filter((line) => line.includes('"refused"'))).toHaveLength(20_001);
    const summary = { lines: 20_000, sealed: 0, known: 0, refused: 20_000, complete: false };
    expect(answer).toContain(JSON.stringify({ summary }));
  });

  it('has to say that it is lines', async () => {
    const answer = await house.call('/api/v1/decisions:batch', { as: 'reporter', json: {} });
    expect([answer.status, answer.json]).toMatchObject([400, { code: 'invalid_argument' }]);
  });
});
