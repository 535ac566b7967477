/** What was decided, found again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { waitFor } from '../../support/wait-for.ts';
import { type House, outcomeOf, startHouse } from '../support/sidecar.ts';
import { entriesOf, holdOn, rule } from './scene.ts';

let house: House;
/** Decisions of each kind are there to be found. */
beforeAll(async () => {
  house = await startHouse();
  for (const prompt of ['transfer 25000 EUR', 'transfer 26000 EUR']) {
    const { asked, held } = await holdOn(house, prompt);
    await rule(house, held, { verdict: 'deny', reason: 'No.' });
    await asked;
  }
  for (const prompt of ['good morning', 'good night']) await house.ask(prompt);
});
afterAll(() => house.close());

describe('decisions', () => {
  const listSchema = z.object({
    items: z.array(
      z.looseObject({
        id: z.string(),
        seq: z.number(),
        at: z.string(),
        operation: z.string(),
        rules: z.array(z.string()),
        verdict: z.string(),
        outcome: z.string().nullable(),
      }),
    ),
    next: z.number().nullable(),
  });
  const list = async (query: string) =>
    listSchema.parse((await house.call(`/api/v1/decisions?${query}`)).json);

  it('know an id from the moment its header was sent', async () => {
    const id = (await house.ask('what is a garden?')).headers.get('holdpoint-decision') ?? '';
    expect((await house.call(`/api/v1/decisions/${id}`)).status).toBe(200);
    expect(await outcomeOf(house, id)).toBe('delivered');
  });

  it('denied by the policy are shown with the rule', async () => {
    const answer = await house.ask('a forbidden topic', { headers: { 'holdpoint-session': 's-7' } });
    expect(answer.status).toBe(403);
    const { items } = await list('session=s-7');
    expect(items).toMatchObject([{ verdict: 'deny', rules: ['forbidden-topic'], status: null, usage: null }]);
  });

  it.each([
    ['verdict=hold', (item: { verdict: string }) => item.verdict === 'hold'],
    ['verdict=pass', (item: { verdict: string }) => item.verdict === 'pass'],
    ['outcome=denied', (item: { outcome: string | null }) => item.outcome === 'denied'],
  ])('are found by %s as they are shown', async (query, fits) => {
    // How a call ended is sealed a moment after it did, which may be between the two questions.
    await waitFor(async () => {
      const { items } = await list(query);
      expect(items.length).toBeGreaterThan(0);
      expect(items.every(fits)).toBe(true);
      const all = (await list('limit=200')).items;
      expect(items).toHaveLength(all.filter(fits).length);
    });
  });

  it('that have not ended are found as open, as the command line shows them', async () => {
    const { asked, held } = await holdOn(house, 'please escalate this');
    const { items } = await list('outcome=open');
    expect(items.map(({ id, outcome }) => [id, outcome])).toEqual([[held.decisionId, null]]);
    await rule(house, held, { verdict: 'deny', reason: 'No.' });
    await asked;
    await outcomeOf(house, held.decisionId);
    expect((await list('outcome=open')).items).toEqual([]);
  });

  it('are found by a rule, and by a span of time', async () => {
    const all = (await list('limit=200')).items;
    const [known = ''] = all.flatMap(({ rules }) => rules);
    expect(known).not.toBe('');
    const matched = all.filter(({ rules }) => rules.includes(known));
    expect((await list(`rule=${known}`)).items.map(({ id }) => id)).toEqual(matched.map(({ id }) => id));
    const middle = all[Math.floor(all.length / 2)]?.at ?? '';
    const after = all.filter(({ at }) => at >= middle).map(({ id }) => id);
    const before = all.filter(({ at }) => at < middle).map(({ id }) => id);
    expect((await list(`limit=200&since=${middle}`)).items.map(({ id }) => id)).toEqual(after);
    expect((await list(`limit=200&until=${middle}`)).items.map(({ id }) => id)).toEqual(before);
    expect((await list('since=2999-01-01T00:00:00.000Z')).items).toEqual([]);
  });

  it('are found page by page, each once', async () => {
    const found: string[] = [];
    let next: number | null = null;
    do {
      const cursor: string = next === null ? '' : `&before=${next}`;
      const page = await list(`operation=chat.completions&limit=1${cursor}`);
      found.push(...page.items.map(({ id }) => id));
      next = page.next;
    } while (next !== null);
    const all = (await list('limit=200')).items.filter(({ operation }) => operation === 'chat.completions');
    expect(found).toEqual(all.map(({ id }) => id));
  });

  it('are found by whom they were ruled on by, and by nobody’s ruling', async () => {
    const { asked, held } = await holdOn(house, 'transfer 41 EUR');
    await rule(house, held, { verdict: 'release' });
    await asked;
    const [newest] = (await list('ruledBy=reviewer-1')).items;
    expect(newest).toMatchObject({ id: held.decisionId, ruledBy: ['reviewer-1'] });
    const unruled = (await list('ruledBy=&limit=200')).items;
    expect(unruled.length).toBeGreaterThan(0);
    expect(unruled.map(({ id }) => id)).not.toContain(held.decisionId);
  });

  it.each([
    'ruledBy=nobody',
    'workload=nobody',
    'subject=nobody',
    'rule=none',
    'model=none',
    'operation=messages',
    'provider=anthropic',
    'session=none',
  ])('are none for %s', async (query) => {
    expect((await list(query)).items).toEqual([]);
  });

  it.each([
    'workload=billing-agent',
    'model=gpt-test',
    'operation=chat.completions',
    'provider=openai',
    'session=',
  ])('are found by %s', async (query) => {
    expect((await list(query)).items.length).toBeGreaterThan(0);
  });

  it('are read as bodies, as they were said, and the read is sealed before it is answered', async () => {
    const id = (await house.ask('say it')).headers.get('holdpoint-decision') ?? '';
    const { json } = await house.call(`/api/v1/decisions/${id}/body`, { as: 'privacy' });
    // Answered: from now on the ledger knows who read, whatever happens next.
    const access = (await entriesOf(house, id)).filter(({ type }) => type === 'access');
    expect(access.map(({ data }) => data)).toMatchObject([
      { action: 'read body', by: 'privacy-1', role: 'privacy' },
    ]);
    const { bodies } = z
      .object({ bodies: z.array(z.looseObject({ name: z.string(), text: z.string() })) })
      .parse(json);
    expect(bodies.map(({ name }) => name)).toEqual(['request', 'response']);
    expect(bodies[0]?.text).toContain('say it');
  });

  it('are read as they were understood, and that read is sealed before it is answered, too', async () => {
    const id = (await house.ask('say it again')).headers.get('holdpoint-decision') ?? '';
    const { json } = await house.call(`/api/v1/decisions/${id}/exchange`, { as: 'auditor' });
    const access = (await entriesOf(house, id)).filter(({ type }) => type === 'access');
    expect(access.map(({ data }) => data)).toMatchObject([
      { action: 'read exchange', by: 'auditor-1', role: 'auditor', from: '127.0.0.1' },
    ]);
    expect(json).toMatchObject({ request: { text: expect.stringContaining('say it again') } });
  });

  it('come in pages that neither repeat nor miss one', async () => {
    const whole = (await list('limit=200')).items.map(({ id }) => id);
    const paged: string[] = [];
    let cursor = '';
    for (;;) {
      const page = await list(`limit=3${cursor}`);
      paged.push(...page.items.map(({ id }) => id));
      expect(page.items.length).toBeLessThanOrEqual(3);
      if (page.next === null) break;
      cursor = `&before=${page.next}`;
    }
    expect(paged).toEqual(whole);
    expect(new Set(paged).size).toBe(paged.length);
  });
});

describe('thousands of decisions', () => {
  it('are searched a bounded piece at a time, and to the end', async () => {
    const { ledger } = house.sidecar;
    const data = {
      bytes: 0,
      caller: '',
      method: 'POST',
      model: 'm',
      operation: 'chat.completions',
      path: '/v1/chat/completions',
      policy: '0'.repeat(64),
      provider: 'openai',
      rules: [],
      stream: false,
      upstream: 'openai',
      verdict: 'pass',
      workload: 'load',
    };
    const count = 2_500;
    const sealed = Array.from({ length: count }, () =>
      ledger.seal({ type: 'request', data, parts: [{ name: 'request', bytes: Buffer.from('x') }] }),
    );
    await sealed.at(-1)?.durable;
    for (const { seq } of sealed) ledger.settle(seq, 'interrupted');
    const pageSchema = z.object({
      items: z.array(z.object({ id: z.string() })),
      next: z.number().nullable(),
    });
    const pagesOf = async (query: string): Promise<{ found: number; pages: number }> => {
      const sum = { found: 0, pages: 0 };
      let cursor = '';
      for (;;) {
        const { json } = await house.call(`/api/v1/decisions?limit=200&workload=load&${query}${cursor}`);
        const page = pageSchema.parse(json);
        sum.pages += 1;
        sum.found += page.items.length;
        if (page.next === null) return sum;
        cursor = `&before=${page.next}`;
      }
    };
    // The index knows at once that there is none.
    expect(await pagesOf('verdict=deny')).toEqual({ found: 0, pages: 1 });
    // What has no model is in no index, and no single answer looks at all of them.
    const without = await pagesOf('model=');
    expect(without.found).toBe(0);
    expect(without.pages).toBeGreaterThanOrEqual(5);
  }, 30_000);
});
