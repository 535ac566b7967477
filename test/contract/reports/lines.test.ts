/** Decisions that were made elsewhere are sealed as reported, line by line, each once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type House, outcomeOf, startHouse } from '../support/sidecar.ts';
import { chat, plain, report, sealedOne, shown } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

describe('a line', () => {
  it('is a decision that says it was reported, by whom, who decided and when', async () => {
    const id = await sealedOne(house, chat('r-1', { class: 'loan', subject: 'customer-1' }));
    expect(await outcomeOf(house, id)).toBe('reported');
    const decision = await shown(house, id);
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
    expect((await shown(house, answer.headers.get('holdpoint-decision') ?? '')).reported).toBeNull();
  });

  it('keeps request and answer as they are written, spaces and numbers included', async () => {
    const line = `{"id":"r-spelt","at":"${plain.at}","decider":"d","outcome":"allowed","request":{"n": 1.0,"big":12345678901234567890}, "answer" : "yes" }`;
    const { results } = await report(house, [line]);
    const { json } = await house.call(`/api/v1/decisions/${results[0]?.decision}/body`, { as: 'auditor' });
    const { bodies } = z.object({ bodies: z.array(z.object({ text: z.string() })) }).parse(json);
    expect(bodies.map(({ text }) => text)).toEqual(['{"n": 1.0,"big":12345678901234567890}', '"yes"']);
  });

  it('is read as its API says, or as the text that it is', async () => {
    const ids = [
      await sealedOne(house, chat('r-read')),
      await sealedOne(house, {
        id: 'r-text',
        ...plain,
        request: 'May they?',
        answer: 'No.',
        model: 'house-model',
      }),
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
    const { results } = await report(house, [
      chat('r-flag', { request: { model: 'm', messages: [{ role: 'user', content: 'a forbidden topic' }] } }),
    ]);
    expect(results[0]?.rules).toEqual(['forbidden-topic']);
    expect(await shown(house, results[0]?.decision ?? '')).toMatchObject({
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
      house,
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
    const { results, summary } = await report(house, [
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
    const { results } = await report(house, [chat('r-twice'), chat('r-twice')]);
    const again = await report(house, [chat('r-twice')]);
    expect([...results, ...again.results].map(({ status }) => status)).toEqual(['sealed', 'known', 'known']);
    expect(new Set([...results, ...again.results].map(({ decision }) => decision)).size).toBe(1);
  });

  it('is refused where it says something else, and what is sealed stays', async () => {
    await report(house, [chat('r-other')]);
    const { results } = await report(house, [
      chat('r-other', { outcome: 'allowed' }),
      chat('r-other', { answer: {} }),
    ]);
    expect(results.map(({ code }) => code)).toEqual(['report_differs', 'report_differs']);
  });

  it.each<[string, object, object]>([
    ['another model, where the request names none', { model: 'scores-1' }, { model: 'scores-2' }],
    ['another operation', { operation: 'loan.grant' }, { operation: 'loan.refuse' }],
    ['no class any more', { class: 'loans' }, {}],
    ['a class', {}, { class: 'loans' }],
  ])('is refused where it says %s', async (what, first, second) => {
    const line = { id: `r-${what}`, ...plain, request: { score: 7 }, answer: 'no' };
    const { results } = await report(house, [
      { ...line, ...first },
      { ...line, ...second },
      { ...line, ...first },
    ]);
    expect(results.map(({ status, code }) => code ?? status)).toEqual(['sealed', 'report_differs', 'known']);
  });

  it('is refused where it says another model of an answer that names none', async () => {
    const line = chat('r-answered', { answer: { choices: [] }, model: 'gpt-4.1-2025' });
    const { results } = await report(house, [line, { ...line, model: 'gpt-4.1-2026' }]);
    expect(results.map(({ status, code }) => code ?? status)).toEqual(['sealed', 'report_differs']);
  });

  it('is another one from another reporter', async () => {
    await report(house, [chat('r-whose')]);
    const answer = await house.call('/api/v1/decisions:batch', {
      as: 'admin',
      headers: { 'content-type': 'application/x-ndjson' },
      body: JSON.stringify(chat('r-whose')),
    });
    expect(answer.text).toContain('"status":"sealed"');
  });

  it('in two reports at once is sealed once', async () => {
    const lines = Array.from({ length: 100 }, (_, i) => chat(`r-race-${i}`));
    const [a, b] = await Promise.all([report(house, lines), report(house, lines)]);
    expect([a.summary.sealed + b.summary.sealed, a.summary.known + b.summary.known]).toEqual([100, 100]);
  });
});
