/** A draft policy over the record of a running sidecar: what it would match, what it cannot know, and that the read is sealed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sha256Hex } from '../../src/core/bytes.ts';
import { playSidecar } from '../support/played-sidecar.ts';
import { stallingMachine } from './support/failing-machine.ts';
import { run } from './support/process.ts';
import { eventually, type House, outcomeOf, policyText, startHouse } from './support/sidecar.ts';

const noted = z.object({ decisions: z.number(), examples: z.array(z.string()) });
const pageSchema = z.object({
  decisions: z.number(),
  replayed: z.object({ request: z.number(), response: z.number() }),
  rules: z.array(
    z.object({
      rule: z.string(),
      action: z.string().nullable(),
      now: z.number(),
      before: z.number(),
      newly: noted,
      noLonger: noted,
      failed: noted,
      unknown: noted,
    }),
  ),
  verdicts: z.array(z.object({ before: z.string(), now: z.string(), decisions: z.number() })),
  notReplayed: z.array(z.object({ reason: z.string(), phase: z.string(), ...noted.shape })),
  next: z.number().nullable(),
});

function draftOf(
  ...rules: readonly {
    id: string;
    phase: string;
    when: string;
    action?: string;
    match: string;
    none: string;
  }[]
) {
  const text = rules.map(
    ({ id, phase, when, action = 'hold', match, none }) => `  - id: ${id}
    title: ${id} as drafted
    phase: ${phase}
    when: ${when}
    action: ${action}
    tests:
      - { name: hit, expect: match, ${phase}: ${match} }
      - { name: miss, expect: no-match, ${phase}: ${none} }
`,
  );
  return `version: "draft"\nrules:\n${text.join('')}`;
}

const gardens = {
  id: 'gardens',
  phase: 'request',
  when: 'request.text.contains("garden")',
  match: '{ text: garden }',
  none: '{ text: x }',
};
const subjects = {
  id: 'subjects',
  phase: 'request',
  when: 'request.subject == "customer-1"',
  match: '{ subject: customer-1 }',
  none: '{ subject: other }',
};

let house: House;
/** What is sealed waits for it. */
let disk = Promise.resolve();
const ids: Record<'garden' | 'denied' | 'subject', string> = { garden: '', denied: '', subject: '' };
beforeAll(async () => {
  house = await startHouse({
    machine: stallingMachine(() => disk),
  });
  ids.garden = await decide('a garden');
  ids.denied = await decide('the forbidden topic');
  ids.subject = await decide('hello', { 'holdpoint-subject': 'customer-1' });
});
afterAll(() => house.close());

async function decide(prompt: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await house.ask(prompt, { headers });
  await answer.text();
  const id = answer.headers.get('holdpoint-decision') ?? '';
  await outcomeOf(house, id);
  return id;
}

async function backtest(policy: string, order: object = {}) {
  const answer = await house.call('/api/v1/policy/backtest', {
    as: 'auditor',
    json: { policy, reason: 'stricter?', ...order },
  });
  expect([answer.status, answer.text]).toEqual([200, answer.text]);
  return pageSchema.parse(answer.json);
}

const ruleOf = (page: z.output<typeof pageSchema>, id: string) => page.rules.find(({ rule }) => rule === id);
const none = { decisions: 0, examples: [] };

const accessSchema = z.object({
  type: z.literal('access'),
  parts: z.array(z.object({ name: z.string() })),
  data: z.object({
    action: z.literal('backtest'),
    by: z.string(),
    role: z.string(),
    draft: z.string(),
    decisions: z.number(),
    newest: z.number(),
    oldest: z.number(),
  }),
});

async function sealedReads() {
  const { json } = await house.call('/api/v1/ledger/entries?limit=1000', { as: 'auditor' });
  const { items } = z.object({ items: z.array(z.unknown()) }).parse(json);
  return items.flatMap((item) => {
    const parsed = accessSchema.safeParse(item);
    return parsed.success ? [parsed.data] : [];
  });
}

describe('a draft over the record', () => {
  it('says what it would match that did not match, with the decisions', async () => {
    const page = await backtest(draftOf(gardens));
    expect(ruleOf(page, 'gardens')).toMatchObject({
      now: 1,
      before: 0,
      newly: { decisions: 1, examples: [ids.garden] },
      noLonger: none,
    });
    expect(page.verdicts).toContainEqual({ before: 'pass', now: 'hold', decisions: 1 });
  });

  it('says what it would no longer match, of rules that it does not even have', async () => {
    const page = await backtest(draftOf(gardens));
    expect(ruleOf(page, 'forbidden-topic')).toMatchObject({
      action: null,
      now: 0,
      before: 1,
      noLonger: { decisions: 1, examples: [ids.denied] },
    });
  });

  it('finds nothing changed where it is the policy that was in force', async () => {
    const { rules, notReplayed } = await backtest(policyText);
    expect(notReplayed).toEqual([]);
    expect(rules.map(({ newly, noLonger, unknown }) => [newly, noLonger, unknown])).toEqual(
      rules.map(() => [none, none, none]),
    );
  });

  it('knows a data subject by the name that the ledger only has a fingerprint of in its entries', async () => {
    expect(ruleOf(await backtest(draftOf(subjects)), 'subjects')?.newly.examples).toEqual([ids.subject]);
  });

  it('counts a rule that cannot be decided as one that holds, and apart', async () => {
    const failing = {
      ...{ id: 'failing', phase: 'request', action: 'flag' },
      when: 'request.model == "" || num(request.params["absent"]) > 1.0',
      match: '{ model: "" }',
      none: '{ model: m, params: { absent: 0 } }',
    };
    const page = await backtest(draftOf(failing));
    expect(ruleOf(page, 'failing')).toMatchObject({ now: 3, failed: { decisions: 3 } });
    expect(page.verdicts).toContainEqual({ before: 'pass', now: 'hold', decisions: 2 });
  });

  it('is the same page by page', async () => {
    const whole = await backtest(draftOf(gardens));
    let before: number | null = null;
    let decisions = 0;
    let newly = 0;
    do {
      const page: z.output<typeof pageSchema> = await backtest(draftOf(gardens), {
        limit: 1,
        ...(before === null ? {} : { before }),
      });
      decisions += page.decisions;
      newly += ruleOf(page, 'gardens')?.newly.decisions ?? 0;
      before = page.next;
    } while (before !== null);
    expect([decisions, newly]).toEqual([whole.decisions, 1]);
  });

  it('keeps to the time that is asked for', async () => {
    expect(
      (await backtest(draftOf(gardens), { since: new Date(Date.now() + 60_000).toISOString() })).decisions,
    ).toBe(0);
    expect((await backtest(draftOf(gardens), { until: '2020-01-01T00:00:00Z' })).decisions).toBe(0);
  });
});

describe('the read of a backtest', () => {
  it('is sealed with who read what and why, and with the draft', async () => {
    const draft = draftOf(gardens);
    await backtest(draft, { reason: 'as sealed' });
    const last = (await sealedReads()).at(-1);
    expect(last?.data).toMatchObject({
      by: 'auditor-1',
      role: 'auditor',
      draft: sha256Hex(draft),
      decisions: 3,
    });
    expect(last?.parts.map(({ name }) => name)).toEqual(['reason', 'source']);
  });

  it('needs a reason', async () => {
    const answer = await house.call('/api/v1/policy/backtest', { as: 'admin', json: { policy: policyText } });
    expect([answer.status, answer.json]).toMatchObject([400, { code: 'invalid_argument' }]);
  });

  it('does not happen for a draft that does not load, which is told why', async () => {
    const sealed = (await sealedReads()).length;
    const answer = await house.call('/api/v1/policy/backtest', {
      as: 'admin',
      json: { policy: draftOf({ ...gardens, when: 'request.nothing == 1' }), reason: 'x' },
    });
    expect([answer.status, answer.json]).toMatchObject([400, { code: 'policy_invalid' }]);
    expect(answer.text).toContain('rule gardens');
    expect((await sealedReads()).length).toBe(sealed);
  });

  it('happens one at a time: the others are told when to ask again', async () => {
    const slow = Promise.withResolvers<void>();
    disk = slow.promise;
    const order = { as: 'admin', json: { policy: policyText, reason: 'x' } } as const;
    const ask = () => house.call('/api/v1/policy/backtest', order);
    const asked = [ask(), ask()];
    const { status, headers, json } = await Promise.race(asked);
    slow.resolve();
    expect([status, headers.get('retry-after'), json]).toMatchObject([503, '2', { code: 'overloaded' }]);
    expect((await Promise.all(asked)).map((answer) => answer.status).toSorted()).toEqual([200, 503]);
  });

  it('holds nothing and changes no decision', async () => {
    await backtest(draftOf(gardens));
    const { json } = await house.call('/api/v1/holds?state=pending');
    expect(json).toMatchObject({ items: [] });
  });
});

describe('holdpoint policy backtest', () => {
  it('adds the pages up, for people and for programs', async () => {
    const file = join(house.directory, 'draft.yaml');
    writeFileSync(file, draftOf(gardens));
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.admin };
    const words = ['policy', 'backtest', file, '--reason', 'stricter?'];
    const told = await run(words, env);
    expect([told.code, told.err]).toEqual([0, '']);
    expect(told.out).toContain(`gardens, newly: ${ids.garden}`);
    expect(told.out).toContain('pass then, hold now: 1 decisions');
    const { out } = await run([...words, '--json'], env);
    expect(pageSchema.parse(JSON.parse(out))).toMatchObject({ decisions: 3, next: null });
  });

  it('waits where another backtest gets between two of its pages, and goes on', async () => {
    const page = {
      draft: { version: 'v', digest: 'd', rules: 0 },
      decisions: 1,
      verdicts: [],
      notReplayed: [],
    };
    const replayed = { request: 1, response: 1 };
    const pageOf = (next: number | null) => ({ ...page, replayed, rules: [], next, unreadable: [] });
    const busy = {
      code: 'overloaded',
      detail: 'Another backtest runs.',
      next: 'Ask again in a few seconds.',
    };
    const answers = [pageOf(7), busy, pageOf(null)];
    const sidecar = await playSidecar((req, res) => {
      req.resume();
      const answer = answers.shift();
      res.writeHead(answer === busy ? 503 : 200, { 'retry-after': '1' }).end(JSON.stringify(answer));
    });
    const order = ['policy', 'backtest', house.policyFile, '--reason', 'x'];
    const { code, out, err } = await run(order, sidecar.env);
    sidecar.close();
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('version v over 2 decisions: 2 requests and 2 answers replayed');
  });

  it('exits 2 without a reason', async () => {
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.admin };
    expect((await run(['policy', 'backtest', house.policyFile], env)).code).toBe(2);
  });

  it('names the file it was given where that does not load, and the place in it', async () => {
    const file = join(house.directory, 'broken.yaml');
    writeFileSync(file, 'version: "1"\nrules:\n\t- id: a\n');
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.admin };
    const { code, err } = await run(['policy', 'backtest', file, '--reason', 'x'], env);
    expect(code).toBe(2);
    expect(err).toContain(`${file}:3:1 is indented with a tab; expected spaces`);
    expect(err).toContain(`Correct ${file} and try again.`);
    expect(err).not.toContain('the draft');
  });
});

describe('what was erased', () => {
  it('is not replayed, and is named', async () => {
    const order = { scope: { decision: ids.garden }, basis: 'objection', reason: 'request 88' };
    await house.call('/api/v1/erasures', { as: 'privacy', json: order });
    const stopped = await eventually(async () => {
      const { notReplayed } = await backtest(draftOf(gardens));
      return notReplayed.length === 2 ? notReplayed : null;
    });
    expect(stopped).toEqual([
      { reason: 'erased', phase: 'request', decisions: 1, examples: [ids.garden] },
      { reason: 'erased', phase: 'response', decisions: 1, examples: [ids.garden] },
    ]);
  });
});
