/** Decisions that were made elsewhere: sealed as reported, found as such, erased as others, and never taken for exchanges. */
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { run } from './support/process.ts';
import { eventually, type House, outcomeOf, startHouse } from './support/sidecar.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

const resultSchema = z.object({
  line: z.number(),
  id: z.string(),
  status: z.enum(['sealed', 'known', 'refused']),
  decision: z.string().optional(),
  rules: z.array(z.string()).optional(),
  code: z.string().optional(),
  next: z.string().optional(),
});
const summarySchema = z.object({
  summary: z.object({
    lines: z.number(),
    sealed: z.number(),
    known: z.number(),
    refused: z.number(),
    complete: z.boolean(),
  }),
});

const plain = { at: '2026-11-26T08:15:00Z', decider: 'loan-engine 4.2', outcome: 'denied' };
const chat = (id: string, others: object = {}) => ({
  ...{ id, ...plain, provider: 'openai', path: '/v1/chat/completions', workload: 'loans' },
  request: { model: 'gpt-4.1', messages: [{ role: 'user', content: `question ${id}` }] },
  answer: {
    id: 'c1',
    object: 'chat.completion',
    model: 'gpt-4.1-2025',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'No.' } }],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
  },
  ...others,
});

async function report(lines: readonly (object | string)[]) {
  const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const answer = await house.call('/api/v1/decisions:batch', {
    as: 'reporter',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
  const values: unknown[] = answer.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { summary } = summarySchema.parse(values.at(-1));
  return { results: z.array(resultSchema).parse(values.slice(0, -1)), summary };
}

async function sealedOne(line: object): Promise<string> {
  const { results } = await report([line]);
  expect(results).toMatchObject([{ line: 1, status: 'sealed' }]);
  return results[0]?.decision ?? '';
}

const shown = async (id: string) =>
  z
    .looseObject({
      outcome: z.string().nullable(),
      verdict: z.string(),
      rules: z.array(z.string()),
      reported: z.record(z.string(), z.string()).nullable(),
      entries: z.array(z.looseObject({ type: z.string(), data: z.record(z.string(), z.unknown()) })),
    })
    .parse((await house.call(`/api/v1/decisions/${id}`)).json);

describe('a line', () => {
  it('is a decision that says it was reported, by whom, who decided and when', async () => {
    const id = await sealedOne(chat('r-1', { class: 'loan', subject: 'customer-1' }));
    expect(await outcomeOf(house, id)).toBe('reported');
    const decision = await shown(id);
    expect(decision).toMatchObject({
      ...{ provider: 'openai', operation: 'chat.completions', method: 'REPORT', workload: 'loans' },
      ...{ model: 'gpt-4.1-2025', status: 200, holds: [], verdict: 'pass' },
      usage: { source: 'provider', input: 3, output: 1, total: 4 },
      reported: {
        ...{ by: 'reporter-1', id: 'r-1', decider: 'loan-engine 4.2', outcome: 'denied', class: 'loan' },
        at: '2026-11-26T08:15:00.000Z',
      },
    });
    const [request, response] = decision.entries;
    expect(request?.data).not.toHaveProperty('elapsedUs');
    expect(response?.data).toMatchObject({ reported: true });
    expect(response?.data).not.toHaveProperty('elapsedUs');
    expect(JSON.stringify(decision.entries)).not.toContain('customer-1');
  });

  it('of what passed here says that it was not', async () => {
    const answer = await house.ask('hello');
    await answer.text();
    expect((await shown(answer.headers.get('holdpoint-decision') ?? '')).reported).toBeNull();
  });

  it('keeps request and answer as they are written, spaces and numbers included', async () => {
    const line = `{"id":"r-spelt","at":"${plain.at}","decider":"d","outcome":"allowed","request":{"n": 1.0,"big":12345678901234567890}, "answer" : "yes" }`;
    const { results } = await report([line]);
    const { json } = await house.call(`/api/v1/decisions/${results[0]?.decision}/body`, { as: 'auditor' });
    const { bodies } = z.object({ bodies: z.array(z.object({ text: z.string() })) }).parse(json);
    expect(bodies.map(({ text }) => text)).toEqual(['{"n": 1.0,"big":12345678901234567890}', '"yes"']);
  });

  it('is read as its API says, or as the text that it is', async () => {
    const ids = [
      await sealedOne(chat('r-read')),
      await sealedOne({ id: 'r-text', ...plain, request: 'May they?', answer: 'No.', model: 'house-model' }),
    ];
    const read = await Promise.all(
      ids.map(async (id) => (await house.call(`/api/v1/decisions/${id}/exchange`, { as: 'auditor' })).json),
    );
    expect(read).toMatchObject([
      { request: { text: 'question r-read' }, response: { text: 'No.' }, defects: [] },
      { request: { text: 'May they?', model: 'house-model' }, response: { text: 'No.' }, defects: [] },
    ]);
  });

  it('is flagged by the rules in force, and never held or denied by them', async () => {
    const { results } = await report([
      chat('r-flag', { request: { model: 'm', messages: [{ role: 'user', content: 'a forbidden topic' }] } }),
    ]);
    expect(results[0]?.rules).toEqual(['forbidden-topic']);
    expect(await shown(results[0]?.decision ?? '')).toMatchObject({
      verdict: 'flag',
      rules: ['forbidden-topic'],
    });
    expect((await house.call('/api/v1/holds?state=pending')).json).toMatchObject({ items: [] });
  });

  it('has the credentials in its bodies taken out before it is sealed', async () => {
    const tools = [
      { type: 'mcp', server_label: 's', server_url: 'https://s', authorization: 'secret-token' },
    ];
    const id = await sealedOne(
      chat('r-secret', {
        path: '/v1/responses',
        request: { model: 'm', input: 'x', tools },
        answer: undefined,
      }),
    );
    const { text } = await house.call(`/api/v1/decisions/${id}/body`, { as: 'auditor' });
    expect(text).toContain('[removed]');
    expect(text).not.toContain('secret-token');
  });
});

describe('lines that cannot be taken', () => {
  it('are refused by themselves, with what to do, and the others are sealed', async () => {
    const { results, summary } = await report([
      'not JSON',
      chat('r-ok'),
      '',
      { id: 'r-none', ...plain },
      { id: 'r-half', ...plain, request: 1, provider: 'openai' },
      { id: 'r-more', ...plain, request: 1, extra: true },
      '{"id":"a","id":"b"}',
      `{"id":"r-long","request":"${'x'.repeat(4 * 1024 * 1024)}"}`,
    ]);
    expect(results.map(({ line, status, code }) => [line, status, code])).toEqual([
      [1, 'refused', 'invalid_argument'],
      [2, 'sealed', undefined],
      [4, 'refused', 'invalid_argument'],
      [5, 'refused', 'invalid_argument'],
      [6, 'refused', 'invalid_argument'],
      [7, 'refused', 'invalid_argument'],
      [8, 'refused', 'body_too_large'],
    ]);
    for (const { status, next } of results) if (status === 'refused') expect(next).not.toBe('');
    expect(summary).toEqual({ lines: 7, sealed: 1, known: 0, refused: 6, complete: true });
  });
});

describe('a line that is sent again', () => {
  it('is known by its id and not sealed twice, within one report and in a later one', async () => {
    const { results } = await report([chat('r-twice'), chat('r-twice')]);
    const again = await report([chat('r-twice')]);
    expect([...results, ...again.results].map(({ status }) => status)).toEqual(['sealed', 'known', 'known']);
    expect(new Set([...results, ...again.results].map(({ decision }) => decision)).size).toBe(1);
  });

  it('is refused where it says something else, and what is sealed stays', async () => {
    await report([chat('r-other')]);
    const { results } = await report([
      chat('r-other', { outcome: 'allowed' }),
      chat('r-other', { answer: {} }),
    ]);
    expect(results.map(({ code }) => code)).toEqual(['report_differs', 'report_differs']);
  });

  it('is another one from another reporter', async () => {
    await report([chat('r-whose')]);
    const answer = await house.call('/api/v1/decisions:batch', {
      as: 'admin',
      headers: { 'content-type': 'application/x-ndjson' },
      body: JSON.stringify(chat('r-whose')),
    });
    expect(answer.text).toContain('"status":"sealed"');
  });

  it('in two reports at once is sealed once', async () => {
    const lines = Array.from({ length: 100 }, (_, i) => chat(`r-race-${i}`));
    const [a, b] = await Promise.all([report(lines), report(lines)]);
    expect([a.summary.sealed + b.summary.sealed, a.summary.known + b.summary.known]).toEqual([100, 100]);
  });
});

describe('what was reported', () => {
  it('is found by its outcome, and by its subject', async () => {
    const id = await sealedOne(chat('r-find', { subject: 'customer-find' }));
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
    const id = await sealedOne(chat('r-erase', { subject: 'customer-erase' }));
    await outcomeOf(house, id);
    const order = { scope: { subject: 'customer-erase' }, basis: 'objection', reason: 'request 90' };
    await house.call('/api/v1/erasures', { as: 'privacy', json: order });
    await eventually(async () => (await house.call(`/api/v1/decisions/${id}/body`)).status === 410);
    const { results } = await report([chat('r-erase', { subject: 'customer-erase' })]);
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
    expect((await report(lines)).summary).toEqual({
      ...{ lines: 3_000, sealed: 3_000, known: 0, refused: 0, complete: true },
    });
  });

  it('has to say that it is lines', async () => {
    const answer = await house.call('/api/v1/decisions:batch', { as: 'reporter', json: {} });
    expect([answer.status, answer.json]).toMatchObject([400, { code: 'invalid_argument' }]);
  });
});

describe('holdpoint decisions report', () => {
  it('puts nothing that is no text into other words', async () => {
    const file = join(house.directory, 'latin1.ndjson');
    const line = JSON.stringify({
      ...chat('latin-1'),
      request: { messages: [{ role: 'user', content: 'Zoë' }] },
    });
    writeFileSync(file, Buffer.from(`${line}\n`, 'latin1'));
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.reporter };
    const { code, out } = await run(['decisions', 'report', file], env);
    expect(code).toBe(1);
    expect(out).toContain(`${file}:1: invalid_argument: the line is not valid UTF-8.`);
  });

  it('seals a file and says which lines it refused; again, all is known', async () => {
    const file = join(house.directory, 'decisions.ndjson');
    writeFileSync(file, `${JSON.stringify(chat('cli-1'))}\n\nnot JSON\n${JSON.stringify(chat('cli-2'))}\n`);
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.reporter };
    const first = await run(['decisions', 'report', file], env);
    expect(first.code).toBe(1);
    expect(first.out).toContain(`${file}:3: invalid_argument`);
    expect(first.out).toContain('2 sealed as reported, 0 known before, 1 refused');
    expect((await run(['decisions', 'report', file], env)).out).toContain('0 sealed as reported, 2 known');
    const listed = await run(['decisions', 'list', '--limit', '2'], {
      ...env,
      HOLDPOINT_TOKEN: house.tokens.viewer,
    });
    expect(listed.out.match(/reported by reporter-1/g)).toHaveLength(2);
  });

  const reporterEnv = () => ({
    HOLDPOINT_URL: house.sidecar.controlUrl,
    HOLDPOINT_TOKEN: house.tokens.reporter,
  });

  it.each([
    [
      'a table',
      'id,outcome\nx-1,allowed\nx-2,denied\n',
      'none of its 3 lines is a JSON object, from line 1 on',
      '',
    ],
    ['one JSON array', JSON.stringify([chat('in-array')], null, 1), 'from line 1 on', "jq -c '.[]'"],
    ['one object over many lines', JSON.stringify(chat('in-object'), null, 1), 'from line 1 on', 'jq -c .'],
    ['one number', '\n\n42\n', 'its only line is no JSON object, from line 3 on', ''],
  ])('says once of %s what the file must be, and exits 2', async (_, text, said, hint) => {
    const file = join(house.directory, 'no-lines.ndjson');
    writeFileSync(file, text);
    const { code, out, err } = await run(['decisions', 'report', file], reporterEnv());
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`${file} is no file of decisions: `);
    expect(err).toContain(said);
    expect(err).toContain('It must be NDJSON: one JSON object a line');
    expect(err).toContain(hint);
    expect(err.trimEnd().split('\n')).toHaveLength(2);
  });

  it('names twenty refused lines of a file of decisions, and says how many more there are', async () => {
    const file = join(house.directory, 'many-refused.ndjson');
    const wrong = Array.from({ length: 30 }, (_, i) => `wrong ${i}\n`).join('');
    writeFileSync(file, `${wrong}${JSON.stringify(chat('among-wrong'))}\n`);
    const { code, out } = await run(['decisions', 'report', file], reporterEnv());
    expect(code).toBe(1);
    expect(out.split('\n').filter((line) => line.startsWith(`${file}:`))).toHaveLength(20);
    expect(out).toContain(`${file}:20: invalid_argument`);
    expect(out).toContain('and 10 more lines refused; --json names each');
    expect(out).toContain('1 sealed as reported, 0 known before, 30 refused');
  });
});
