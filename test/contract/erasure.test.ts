/** Erasing over the API while calls go on: what is gone, what stays, who may. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decodeBodies, isBodiesKey } from '../../src/ledger/block.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { filesWith } from '../support/files-with.ts';
import { run } from './support/process.ts';
import { eventually, type House, outcomeOf, startHouse } from './support/sidecar.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse({
    settings: {
      retention: {
        rules: [
          { id: 'books', match: { workload: 'bookkeeping' }, minimumDays: 3650 },
          { id: 'chat', match: { workload: 'chat-agent' }, keepDays: 90, minimumDays: 30 },
        ],
        exemptions: [{ id: 'claims', match: { workload: 'litigation' }, bases: ['objection'] }],
      },
    },
  });
});
afterAll(() => house.close());

const erasureSchema = z.object({
  id: z.string(),
  state: z.string(),
  decisions: z.number(),
  erased: z.number(),
  parts: z.number(),
  refused: z.record(z.string(), z.number()),
  entries: z.array(z.number()),
  bytesWiped: z.number(),
  error: z.string().nullable(),
});

/** Asks as a workload and waits for the outcome; gives the decision's id. */
async function decide(prompt: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await house.ask(prompt, { headers });
  await answer.text();
  const id = answer.headers.get('holdpoint-decision') ?? '';
  await outcomeOf(house, id);
  return id;
}

async function erase(scope: object, others: object = {}) {
  const order = { basis: 'objection', reason: 'request 88', scope, ...others };
  const begun = await house.call('/api/v1/erasures', { as: 'privacy', json: order });
  expect([begun.status, begun.text]).toEqual([202, begun.text]);
  const { id } = erasureSchema.parse(begun.json);
  return eventually(async () => {
    const { json } = await house.call(`/api/v1/erasures/${id}`, { as: 'auditor' });
    const erasure = erasureSchema.parse(json);
    return erasure.state === 'done' || erasure.state === 'failed' ? erasure : null;
  });
}

/** Ciphertexts, and wrapped keys of records, that are stored for entries from `from` to `to`. */
async function storedFor(seqs: readonly number[]): Promise<Buffer[]> {
  const copy = await openLedgerCopy(join(house.dataDir, 'ledger'));
  const found: Buffer[] = [];
  try {
    for await (const { key, value } of copy.scan({})) {
      if (!isBodiesKey(key)) continue;
      const { items, wrapped } = decodeBodies(value);
      const mine = items.filter((item) => seqs.includes(item.seq));
      if (mine.length > 0)
        found.push(Buffer.from(wrapped), ...mine.map(({ ciphertext }) => Buffer.from(ciphertext)));
    }
  } finally {
    await copy.close();
  }
  return found;
}

const seqOf = (id: string): number => Number(id.split('-')[2]);
const entriesOf = async (id: string) => {
  const { json } = await house.call(`/api/v1/decisions/${id}`);
  return z
    .object({
      entries: z.array(
        z.looseObject({ seq: z.number(), type: z.string(), data: z.record(z.string(), z.unknown()) }),
      ),
    })
    .parse(json).entries;
};

describe('erasing a data subject while calls go on', () => {
  it('leaves no key, ciphertext or plaintext in any file, everything else readable, and the ledger intact', async () => {
    const subject = { 'holdpoint-subject': 'customer-4711' };
    const mine = [
      await decide('my secret is xylophone-one', subject),
      await decide('my secret is xylophone-two', subject),
    ];
    const other = await decide('nothing secret', { 'holdpoint-subject': 'customer-9' });
    const seqs = (await Promise.all(mine.map(entriesOf))).flat().map(({ seq }) => seq);
    const traces = await storedFor(seqs);
    expect(traces.length).toBeGreaterThanOrEqual(4);
    expect(filesWith(house.dataDir, traces)).not.toEqual([]);

    let calling = true;
    const answered: string[] = [];
    const calls = (async () => {
      while (calling) answered.push(await decide('meanwhile'));
    })();
    const erasure = await erase({ subject: 'customer-4711' });
    calling = false;
    await calls;

    expect(erasure).toMatchObject({ state: 'done', decisions: 2, erased: 2, parts: 4 });
    expect(erasure.bytesWiped).toBeGreaterThan(0);
    expect(answered.length).toBeGreaterThan(0);
    expect(
      filesWith(house.dataDir, [...traces, Buffer.from('xylophone'), Buffer.from('customer-4711')]),
    ).toEqual([]);
    for (const id of mine) {
      const { status, json } = await house.call(`/api/v1/decisions/${id}/body`);
      expect([status, json]).toMatchObject([410, { code: 'erased' }]);
      expect(JSON.stringify(json)).toMatch(/was erased on 20\S+Z by privacy-1/);
    }
    expect((await house.call(`/api/v1/decisions/${other}/body`)).text).toContain('nothing secret');
    const verdict = await verifyDirectory(house.dataDir, {});
    expect(verdict.findings).toEqual([]);
    expect(verdict.bodies.erased).toBe(4);
    expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
  });

  it('finds what was said of one whose name is not ASCII, whichever bytes a client has for it', async () => {
    const name = 'José Ångström';
    for (const sent of [name, Buffer.from(name).toString('latin1')])
      await decide('hers', { 'holdpoint-subject': sent });
    expect(await erase({ subject: name })).toMatchObject({ state: 'done', decisions: 2, erased: 2 });
  });

  it('shows on the decision who erased it, on what basis', async () => {
    const id = await decide('to be shown');
    const { entries } = await erase({ decision: id }, { basis: 'consent_withdrawn' });
    const erasures = (await entriesOf(id)).filter(({ type }) => type === 'erasure');
    expect(erasures).toHaveLength(1);
    expect(erasures[0]).toMatchObject({
      seq: entries[0],
      data: { action: 'erase', basis: 'consent_withdrawn', by: 'privacy-1', final: true, role: 'privacy' },
    });
    const again = await erase({ decision: id });
    expect(again).toMatchObject({ state: 'done', decisions: 0, parts: 0 });
  });

  it('on a dry run says what would be erased, and seals and erases nothing', async () => {
    const id = await decide('still here', { 'holdpoint-workload': 'trial' });
    const before = house.sidecar.ledger.durable().size;
    const erasure = await erase({ match: { workload: 'trial' } }, { dryRun: true });
    expect(erasure).toMatchObject({ state: 'done', erased: 1, parts: 2, bytesWiped: 0, entries: [] });
    expect(house.sidecar.ledger.durable().size).toBe(before);
    expect((await house.call(`/api/v1/decisions/${id}/body`)).text).toContain('still here');
  });
});

describe('what may not be erased', () => {
  it.each(['viewer', 'reviewer', 'auditor'] as const)('is not erased by a %s', async (role) => {
    const json = { basis: 'objection', reason: 'x', scope: { subject: 'x' } };
    expect((await house.call('/api/v1/erasures', { as: role, json })).status).toBe(403);
    const hold = { reason: 'x', scope: { subject: 'x' } };
    expect((await house.call('/api/v1/legal-holds', { as: role, json: hold })).status).toBe(403);
  });

  it('stays under a legal hold until that is lifted, and the refusal is sealed', async () => {
    const subject = { 'holdpoint-subject': 'party-1' };
    const id = await decide('evidence', subject);
    const placed = await house.call('/api/v1/legal-holds', {
      as: 'privacy',
      json: { scope: { subject: 'party-1' }, reason: 'case 7' },
    });
    const hold = z.object({ id: z.string(), seq: z.number() }).parse(placed.json);
    expect(await erase({ decision: id })).toMatchObject({ erased: 0, refused: { legal_hold: 1 } });
    const refusal = (await entriesOf(id)).find(({ type }) => type === 'erasure');
    expect(refusal?.data).toMatchObject({
      action: 'refuse',
      why: 'legal_hold',
      cites: String(hold.seq),
      decisions: [seqOf(id)],
    });
    expect((await house.call(`/api/v1/decisions/${id}/body`)).text).toContain('evidence');
    await house.call(`/api/v1/legal-holds/${hold.id}/lift`, { as: 'privacy', json: { reason: 'closed' } });
    expect(await erase({ decision: id })).toMatchObject({ erased: 1, refused: { legal_hold: 0 } });
  });

  it.each([
    ['bookkeeping', 'statutory_minimum', 'books'],
    ['litigation', 'exemption', 'claims'],
  ])('of %s stays for its %s, which the refusal cites', async (workload, why, cites) => {
    const id = await decide('kept', { 'holdpoint-workload': workload });
    expect(await erase({ decision: id })).toMatchObject({ erased: 0, refused: { [why]: 1 } });
    const refusal = (await entriesOf(id)).find(({ type }) => type === 'erasure');
    expect(refusal?.data).toMatchObject({ why, cites });
  });

  it('is a decision that is still open', async () => {
    const asked = house.ask('transfer 25000 EUR');
    const held = await eventually(async () => {
      const { json } = await house.call('/api/v1/holds?state=pending');
      const page = z.object({
        items: z.array(z.looseObject({ id: z.string(), decisionId: z.string(), digest: z.string() })),
      });
      return page.parse(json).items[0];
    });
    expect(await erase({ decision: held.decisionId })).toMatchObject({ erased: 0, refused: { open: 1 } });
    await house.call(`/api/v1/holds/${held.id}/rulings`, {
      json: { verdict: 'release', digest: held.digest },
    });
    await (await asked).text();
    await outcomeOf(house, held.decisionId);
    expect(await erase({ decision: held.decisionId })).toMatchObject({ erased: 1 });
    const { status } = await house.call(`/api/v1/holds/${held.id}`);
    expect(status).toBe(410);
    expect((await house.call('/api/v1/holds')).text).not.toContain('transfer_funds');
  });
});

describe('the list of erasures', () => {
  it('has the newest first, dry runs too, and says what each is about', async () => {
    const id = await decide('listed');
    const looked = await erase({ decision: id }, { dryRun: true });
    const before = '2026-01-01T00:00:00.000Z';
    const began = await erase({ match: { workload: 'chat-agent' }, before });
    const { json } = await house.call('/api/v1/erasures', { as: 'auditor' });
    expect(json).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({
          id: began.id,
          dryRun: false,
          scope: { match: { workload: 'chat-agent' }, before },
        }),
        expect.objectContaining({
          id: looked.id,
          dryRun: true,
          scope: { decision: seqOf(id) },
          by: 'privacy-1',
        }),
      ]),
    });
    const { items } = z.object({ items: z.array(erasureSchema) }).parse(json);
    expect(items.slice(0, 2).map((item) => item.id)).toEqual([began.id, looked.id]);
  });
});

describe('the list of legal holds', () => {
  it('says why each stands, to those who read content', async () => {
    const json = { scope: { subject: 'customer-12' }, reason: 'case 12' };
    const placed = await house.call('/api/v1/legal-holds', { as: 'privacy', json });
    expect(placed.json).toMatchObject({ reason: 'case 12' });
    const { json: listed } = await house.call('/api/v1/legal-holds', { as: 'auditor' });
    expect(listed).toMatchObject({ items: expect.arrayContaining([placed.json]) });
  });
});

describe('holdpoint erase', () => {
  const env = () => ({ HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.privacy });

  it('erases, tells what it did, and exits 1 where something was refused', async () => {
    const id = await decide('by hand');
    const why = ['--basis', 'unlawful', '--reason', 'request 9'];
    const placed = await run(['legal-hold', 'place', '--decision', id, '--reason', 'case 8'], env());
    expect(placed.out).toMatch(/^l-[0-9a-f]{8}-\d+ stands\n$/);
    const refused = await run(['erase', 'decision', id, ...why], env());
    expect([refused.code, refused.out]).toMatchObject([
      1,
      expect.stringContaining('refused 1 decision: legal hold'),
    ]);
    const hold = placed.out.split(' ')[0] ?? '';
    const listed = (await run(['legal-hold', 'list'], env())).out;
    expect(listed).toMatch(new RegExp(`${hold} +\\S+ +the decision of entry \\d+ +case 8\n`));
    expect((await run(['legal-hold', 'lift', hold, '--reason', 'closed'], env())).code).toBe(0);
    const dry = await run(['erase', 'decision', id, ...why, '--dry-run'], env());
    expect([dry.code, dry.out]).toMatchObject([
      0,
      expect.stringContaining('would erase 2 bodies of 1 decision'),
    ]);
    const done = await run(['erase', 'decision', id, ...why], env());
    expect([done.code, done.out]).toMatchObject([
      0,
      expect.stringContaining('erased 2 bodies of 1 decision'),
    ]);
    expect((await run(['verify', house.dataDir], {})).code).toBe(0);
  });

  it('lists what was asked for, of a subject without the name', async () => {
    await decide('hers', { 'holdpoint-subject': 'customer-list' });
    const why = ['--basis', 'unlawful', '--reason', 'request 10'];
    await run(['erase', 'subject', 'customer-list', ...why, '--dry-run'], env());
    const { code, out } = await run(['erase', 'list'], env());
    const [heads, newest] = out.split('\n');
    expect([code, heads]).toEqual([0, expect.stringMatching(/^ID +ASKED +BY +ON +STATE +BODIES +REFUSED$/)]);
    expect(newest).toMatch(/ the subject with the fingerprint [0-9a-f]{16} +done, a dry run +2 +0$/);
    expect(out).not.toContain('customer-list');
  });

  it('says so where nothing in the record is meant, so that a slip of the pen does not pass for an erasure', async () => {
    const { code, out } = await run(
      ['erase', 'subject', 'nobody', '--basis', 'objection', '--reason', 'x'],
      env(),
    );
    expect([code, out]).toEqual([0, expect.stringContaining('no decision whose content is still there')]);
  });

  it.each([
    [['erase', 'subject'], 'Name exactly one subject.'],
    [['erase', 'class', '--basis', 'objection', '--reason', 'x'], 'Name a class by at least one of'],
    [['erase', 'decision', 'd-1', '--reason', 'x'], '--basis is required.'],
    [['legal-hold', 'place', '--reason', 'x'], 'Name one of: --decision, --subject'],
  ])('%j is a mistake of usage', async (args, said) => {
    const { code, err } = await run(args, env());
    expect([code, err]).toMatchObject([2, expect.stringContaining(said)]);
  });
});

describe('holdpoint retention', () => {
  const env = () => ({ HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.privacy });

  it('lists what is kept how long, and when the schedule comes', async () => {
    const { code, out } = await run(['retention', 'list'], env());
    expect(code).toBe(0);
    expect(out).toMatch(/^books +workload bookkeeping +- +3650 d +-$/m);
    expect(out).toMatch(/^chat +workload chat-agent +90 d +30 d +none since the start$/m);
    expect(out).toContain('exempt (claims): workload litigation, from objection\n');
    expect(out).toMatch(/^every 24 h, next at 20\d\d-.*Z$/m);
  });

  it('looks at what each rule would erase next, and says so where none is due', async () => {
    await decide('young', { 'holdpoint-workload': 'chat-agent' });
    const looked = await run(['retention', 'dry-run'], env());
    expect([looked.code, looked.out]).toEqual([0, 'chat: nothing is due\n']);
    const { out } = await run(['retention', 'dry-run', 'chat', '--json'], env());
    const items = [{ rule: 'chat', erasure: { state: 'done', dryRun: true, decisions: 0 } }];
    expect(JSON.parse(out)).toMatchObject({ items });
  });

  it.each([
    ['nope', 'There is no such retention rule.'],
    ['books', 'The rule books has no keepDays: it erases nothing.'],
  ])('a look at %s is a mistake of usage', async (rule, said) => {
    const { code, err } = await run(['retention', 'dry-run', rule], env());
    expect([code, err]).toMatchObject([2, expect.stringContaining(said)]);
  });
});
