/** What the control calls do: queue, rulings, decisions, ledger, events. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { leafHash } from '../../src/ledger/tree.ts';
import { provesConsistency, provesInclusion } from '../../src/ledger/verify/proof.ts';
import {
  type Answer,
  eventually,
  type Held,
  type House,
  nextHold,
  outcomeOf,
  startHouse,
} from './support/sidecar.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

const rule = (held: Held, ruling: object, as: 'reviewer' | 'admin' = 'reviewer'): Promise<Answer> =>
  house.call(`/api/v1/holds/${held.id}/rulings`, { as, json: { digest: held.digest, ...ruling } });

async function holdOn(prompt: string) {
  const asked = house.ask(prompt);
  return { asked, held: await nextHold(house) };
}

const entrySchema = z.object({ seq: z.number(), type: z.string(), data: z.record(z.string(), z.unknown()) });
async function entriesOf(decisionId: string) {
  const { json } = await house.call(`/api/v1/decisions/${decisionId}`);
  return z.object({ entries: z.array(entrySchema) }).parse(json).entries;
}

const linesSchema = z.object({
  items: z.array(z.looseObject({ id: z.string(), decisionId: z.string(), digest: z.string() })),
  next: z.string().nullable(),
});

describe('the queue', () => {
  it('lists what waits, with what a reviewer needs to choose', async () => {
    const { asked, held } = await holdOn('transfer 25000 EUR');
    expect(held).toMatchObject({
      state: 'pending',
      phase: 'response',
      severity: 'high',
      rules: [{ id: 'large-transfer', title: 'Transfers need a reviewer', severity: 'high' }],
      headline: expect.stringContaining('transfer_funds amount=25000'),
      model: 'gpt-test',
      workload: 'billing-agent',
      approvals: { needed: 1, given: [] },
      roles: ['reviewer'],
      caller: 'waiting',
      outcome: null,
    });
    await rule(held, { verdict: 'release' });
    await asked;
  });

  it('shows the one that expires first in front, and counts all', async () => {
    const first = await holdOn('transfer 1 EUR');
    const second = house.ask('delete records');
    const { json } = await eventually(async () => {
      const answer = await house.call('/api/v1/holds?state=pending&limit=1');
      return z.object({ total: z.literal(2) }).safeParse(answer.json).success ? answer : null;
    });
    expect(json).toMatchObject({ items: [{ id: first.held.id }], total: 2 });
    await rule(first.held, { verdict: 'release' });
    await first.asked;
    const other = await nextHold(house);
    await rule(other, { verdict: 'deny', reason: 'no' });
    await second;
  });

  it('is read page by page, each hold once, and one line of it by its id', async () => {
    const opened = [await holdOn('transfer 9102 EUR')];
    for (const prompt of ['transfer 9103 EUR', 'transfer 9104 EUR']) {
      const asked = house.ask(prompt);
      const held = await eventually(async () => {
        const { items } = linesSchema.parse((await house.call('/api/v1/holds?state=pending')).json);
        return items.find(({ id }) => !opened.some((known) => known.held.id === id)) ?? null;
      });
      opened.push({ asked, held });
    }
    const seen: string[] = [];
    let after: string | null = '';
    while (after !== null) {
      const query: string = after === '' ? '' : `&after=${after}`;
      const page: z.output<typeof linesSchema> = linesSchema.parse(
        (await house.call(`/api/v1/holds?state=pending&limit=1${query}`)).json,
      );
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    }
    expect(seen).toEqual(opened.map(({ held }) => held.id));
    const one = linesSchema.parse((await house.call(`/api/v1/holds?id=${seen[1]}`)).json);
    expect(one.items.map(({ id }) => id)).toEqual([seen[1]]);
    for (const { asked, held } of opened) {
      await rule(held, { verdict: 'deny', reason: 'seen' });
      await asked;
    }
  });

  it('says when the caller has gone', async () => {
    const leave = new AbortController();
    const asked = house.ask('transfer 2 EUR', { signal: leave.signal }).catch(() => null);
    const held = await nextHold(house);
    leave.abort();
    await asked;
    await eventually(async () => {
      const { json } = await house.call(`/api/v1/holds/${held.id}`);
      return z.object({ caller: z.literal('gone') }).safeParse(json).success;
    });
    await rule(held, { verdict: 'deny', reason: 'nobody waits' });
  });
});

describe('a ruling', () => {
  it('to release delivers, and the decision says by whom and how it ended', async () => {
    const { asked, held } = await holdOn('transfer 3 EUR');
    const ruled = await rule(held, { verdict: 'release', reason: 'approved' });
    expect([ruled.status, ruled.json]).toMatchObject([
      201,
      { state: 'released', approvals: { given: ['reviewer-1'] } },
    ]);
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('holdpoint-decision')).toBe(held.decisionId);
    expect(await outcomeOf(house, held.decisionId)).toBe('delivered');
    expect((await entriesOf(held.decisionId)).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['request', 'response', 'hold', 'ruling', 'delivery']),
    );
  });

  it('to deny refuses the call with 403', async () => {
    const { asked, held } = await holdOn('transfer 4 EUR');
    expect((await rule(held, { verdict: 'deny', reason: 'not today' })).json).toMatchObject({
      state: 'denied',
    });
    expect((await asked).status).toBe(403);
    expect(await outcomeOf(house, held.decisionId)).toBe('denied');
  });

  it('to amend delivers the amended call', async () => {
    const { asked, held } = await holdOn('transfer 5 EUR');
    const { json } = await house.call(`/api/v1/holds/${held.id}`);
    const shown = z.object({
      exchange: z.object({ response: z.object({ toolCalls: z.array(z.object({ id: z.string() })) }) }),
    });
    const id = shown.parse(json).exchange.response.toolCalls[0]?.id ?? '';
    const amendment = { toolCalls: [{ id, arguments: { amount: 1 } }] };
    expect((await rule(held, { verdict: 'amend', reason: 'less', amendment })).json).toMatchObject({
      state: 'amended',
    });
    expect(await (await asked).text()).toContain('{\\"amount\\":1}');
  });

  it('to amend a request sends the amended body', async () => {
    const { asked, held } = await holdOn('please escalate');
    const body = { model: 'gpt-test', messages: [{ role: 'user', content: 'about gardens' }] };
    expect((await rule(held, { verdict: 'amend', reason: 'softer', amendment: { body } })).status).toBe(201);
    expect(await (await asked).text()).toContain('gardens');
  });

  it.each([
    ['of a call that is not there', { toolCalls: [{ id: 'call_none', arguments: {} }] }],
    ['of the whole body of an answer', { body: {} }],
    ['of nothing', {}],
    ['with a field of its own', { txt: 'x' }],
  ])('is refused for an amendment %s, and the hold stays', async (_, amendment) => {
    const { asked, held } = await holdOn('transfer 6 EUR');
    expect((await rule(held, { verdict: 'amend', reason: 'x', amendment })).status).toBe(400);
    expect((await house.call(`/api/v1/holds/${held.id}`)).json).toMatchObject({ state: 'pending' });
    await rule(held, { verdict: 'release' });
    await asked;
  });

  it('on other bytes than the held ones is 409', async () => {
    const { asked, held } = await holdOn('transfer 7 EUR');
    const other = await rule(held, { verdict: 'release', digest: 'f'.repeat(64) });
    expect([other.status, other.json]).toMatchObject([409, { code: 'digest_mismatch' }]);
    await rule(held, { verdict: 'release' });
    await asked;
    const again = await rule(held, { verdict: 'deny', reason: 'late' });
    expect([again.status, again.json]).toMatchObject([409, { code: 'already_ruled' }]);
  });

  it('of two at once is used once', async () => {
    const { asked, held } = await holdOn('transfer 8 EUR');
    const both = await Promise.all([
      rule(held, { verdict: 'release' }),
      rule(held, { verdict: 'deny', reason: 'no' }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect([200, 403]).toContain((await asked).status);
  });

  it('needs as many people as the rule says, distinct ones', async () => {
    const { asked, held } = await holdOn('delete records of 1001');
    expect((await rule(held, { verdict: 'release' })).json).toMatchObject({
      state: 'pending',
      approvals: { needed: 2, given: ['reviewer-1'] },
    });
    expect((await rule(held, { verdict: 'release' })).status).toBe(409);
    expect((await rule(held, { verdict: 'release' }, 'admin')).json).toMatchObject({ state: 'released' });
    expect((await asked).status).toBe(200);
  });
});

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
    const { items } = await list(query);
    expect(items.length).toBeGreaterThan(0);
    expect(items.every(fits)).toBe(true);
    const all = (await list('limit=200')).items;
    expect(items).toHaveLength(all.filter(fits).length);
  });

  it('are found by a rule, and by a span of time', async () => {
    const all = (await list('limit=200')).items;
    const rule = all.flatMap(({ rules }) => rules)[0] ?? '';
    expect(rule).not.toBe('');
    const matched = all.filter(({ rules }) => rules.includes(rule));
    expect((await list(`rule=${rule}`)).items.map(({ id }) => id)).toEqual(matched.map(({ id }) => id));
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

  it.each([
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
    const access = (await entriesOf(id)).filter(({ type }) => type === 'access');
    expect(access.map(({ data }) => data)).toMatchObject([
      { action: 'read body', by: 'privacy-1', role: 'privacy' },
    ]);
    const { bodies } = z
      .object({ bodies: z.array(z.looseObject({ name: z.string(), text: z.string() })) })
      .parse(json);
    expect(bodies.map(({ name }) => name)).toEqual(['request', 'response']);
    expect(bodies[0]?.text).toContain('say it');
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

describe('the ledger', () => {
  const entriesSchema = z.object({ items: z.array(entrySchema), next: z.number().nullable() });
  const read = async (query: string) =>
    entriesSchema.parse((await house.call(`/api/v1/ledger/entries?${query}`, { as: 'auditor' })).json);

  it('gives its entries in order, dense, from any place', async () => {
    const first = await read('limit=5');
    expect(first.items.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4]);
    expect(first.items[0]?.type).toBe('genesis');
    expect((await read('from=3&limit=4')).items.map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
    expect(first.next).toBe(5);
  });

  it('ends where it ends', async () => {
    const { json } = await house.call('/api/v1/ledger/checkpoint');
    const { size, note, key } = z.object({ size: z.number(), note: z.string(), key: z.string() }).parse(json);
    expect(note.split('\n')[1]).toBe(String(size));
    expect(note.startsWith(`${key.split('+')[0]}\n`)).toBe(true);
    expect(await read(`from=${size + 1000}`)).toEqual({ items: [], next: null });
    expect((await house.call('/checkpoint', { as: 'auditor' })).text.split('\n')[0]).toBe(key.split('+')[0]);
  });
});

describe('proofs', () => {
  const as = 'auditor' as const;
  const proofSchema = z.object({
    size: z.number(),
    leafHash: z.base64(),
    root: z.base64(),
    hashes: z.array(z.base64()),
    note: z.string().nullable(),
  });
  const bytes = (text: string) => Buffer.from(text, 'base64');

  it('lead from the leaf of an entry bundle to the root of the checkpoint', async () => {
    const { controlUrl } = house.sidecar;
    const headers = { authorization: `Bearer ${house.tokens.auditor}` };
    const bundle = Buffer.from(
      await (await fetch(`${controlUrl}/tile/entries/000.p/2`, { headers })).arrayBuffer(),
    );
    const second = bundle.subarray(4 + bundle.readUInt16BE(0));
    const { json } = await house.call('/api/v1/ledger/proofs/inclusion?seq=1', { as });
    const { size, leafHash: stated, root, hashes, note } = proofSchema.parse(json);
    expect(bytes(stated)).toEqual(leafHash(second));
    expect(provesInclusion(leafHash(second), 1, size, hashes.map(bytes), bytes(root))).toBe(true);
    expect(note?.split('\n').slice(1, 3)).toEqual([String(size), root]);
  });

  it('show that an older tree is the beginning of a later one', async () => {
    const { json } = await house.call('/api/v1/ledger/proofs/consistency?from=2&to=5', { as });
    const proof = z
      .object({ fromRoot: z.base64(), toRoot: z.base64(), hashes: z.array(z.base64()) })
      .parse(json);
    const [older, newer] = [bytes(proof.fromRoot), bytes(proof.toRoot)];
    expect(provesConsistency(2, older, 5, newer, proof.hashes.map(bytes))).toBe(true);
  });

  it.each([
    'inclusion',
    'inclusion?seq=-1',
    'inclusion?seq=99999999',
    'inclusion?seq=3&size=3',
    'inclusion?seq=0&size=99999999',
    'consistency?from=0',
    'consistency?from=3&to=2',
    'consistency?from=1&to=99999999',
  ])('%s is refused', async (query) => {
    const answer = await house.call(`/api/v1/ledger/proofs/${query}`, { as });
    expect([answer.status, answer.json]).toMatchObject([400, { code: 'invalid_argument' }]);
  });

  it.each([
    '/tile/0/x001/000',
    '/tile/0/x001/000.p/1',
    '/tile/2/000.p/1',
    '/tile/00/000.p/1',
    '/tile/0/0.p/1',
    '/tile/0/000.p/0',
    '/tile/0/000.p/256',
    '/tile/64/000.p/1',
    '/tile/entries/x001/000',
    '/tile/entries/000.p/',
    '/tile/data/000.p/1',
    '/tile/0/000.p/1/',
  ])('there is nothing at %s', async (path) => {
    expect((await house.call(path, { as })).status).toBe(404);
  });
});

describe('events', () => {
  it('tell that a hold opened, was approved, ruled and settled, by ids and states only', async () => {
    const response = await fetch(`${house.sidecar.controlUrl}/api/v1/events`, {
      headers: { authorization: `Bearer ${house.tokens.viewer}` },
    });
    let text = '';
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const readUntil = async (wanted: string) => {
      while (!text.includes(wanted)) text += (await reader?.read())?.value ?? '';
    };
    await readUntil(': connected');
    const { asked, held } = await holdOn('delete records of 1002, canary-prompt');
    await readUntil('event: hold.opened');
    await rule(held, { verdict: 'release', reason: 'canary-reason' });
    await readUntil('event: hold.approved');
    await rule(held, { verdict: 'release' }, 'admin');
    await readUntil('event: hold.settled');
    await asked;
    await reader?.cancel();
    const data = [...text.matchAll(/^data: (.+)$/gm)].map(([, json = '']) => JSON.parse(json));
    expect(data[0]).toEqual({
      kind: 'opened',
      id: held.id,
      state: 'pending',
      caller: 'waiting',
      outcome: null,
      roles: ['reviewer', 'admin'],
      by: '',
    });
    expect(data.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['opened', 'approved', 'ruled', 'settled']),
    );
    for (const event of data)
      expect(Object.keys(event)).toEqual(['kind', 'id', 'state', 'caller', 'outcome', 'roles', 'by']);
    expect(text).not.toMatch(/canary|delete_records|gpt-test/);
  });

  it('tell that a caller left', async () => {
    const response = await fetch(`${house.sidecar.controlUrl}/api/v1/events`, {
      headers: { authorization: `Bearer ${house.tokens.viewer}` },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const leave = new AbortController();
    const asked = house.ask('transfer 9 EUR', { signal: leave.signal }).catch(() => null);
    const held = await nextHold(house);
    leave.abort();
    let text = '';
    while (!text.includes('"caller":"gone"')) text += (await reader?.read())?.value ?? '';
    expect(text).toContain('event: hold.caller');
    await reader?.cancel();
    await rule(held, { verdict: 'deny', reason: 'gone' });
    await asked;
  });
});
