/** What reviewers do together: talk, hand over, rule on many at once, review what one person released alone. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readReviewerKey, writeReviewerKey } from '../../src/cli/reviewer-key.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { run } from './support/process.ts';
import { eventually, type House, nextHold, outcomeOf, startHouse } from './support/sidecar.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

const lineSchema = z.looseObject({
  id: z.string(),
  decisionId: z.string(),
  digest: z.string(),
  contentDigest: z.string(),
  assignee: z.string(),
  commentCount: z.number(),
});
type Line = z.output<typeof lineSchema>;

const linesNow = async (): Promise<readonly Line[]> =>
  z.object({ items: z.array(lineSchema) }).parse((await house.call('/api/v1/holds?state=pending')).json)
    .items;
const show = async (id: string, as: 'reviewer' | 'viewer' = 'reviewer') =>
  z
    .looseObject({ comments: z.array(z.unknown()), assignments: z.array(z.unknown()), review: z.unknown() })
    .parse((await house.call(`/api/v1/holds/${id}`, { as })).json);
const codeOf = ({ status, json }: { status: number; json: unknown }) =>
  `${status} ${z.looseObject({ code: z.string().default('') }).parse(json).code}`.trim();

/** Events from now on, until `done`. */
async function listen() {
  const stop = new AbortController();
  const response = await fetch(`${house.sidecar.controlUrl}/api/v1/events`, {
    headers: { authorization: `Bearer ${house.tokens.viewer}` },
    signal: stop.signal,
  });
  let text = '';
  const chunks = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const reading = (async () => {
    for (;;) {
      const next = await chunks?.read();
      if (next === undefined || next.done) return;
      text += next.value;
    }
  })().catch(() => undefined); // Ended by `done`.
  return {
    heard: (event: RegExp) => eventually(async () => event.exec(text)),
    done: async () => {
      stop.abort();
      await reading;
    },
  };
}

async function deny(line: Line, caller: Promise<Response>): Promise<void> {
  const json = { verdict: 'deny', reason: 'Enough.', digest: line.digest };
  expect((await house.call(`/api/v1/holds/${line.id}/rulings`, { as: 'reviewer', json })).status).toBe(201);
  await caller;
}

describe('a comment on a hold', () => {
  it('is shown to those who read content, counted for all, and told as an event without its text', async () => {
    const events = await listen();
    const caller = house.ask('please escalate: comment');
    const { id } = await nextHold(house);
    const json = { text: 'Is this ‮ our supplier?' };
    expect(codeOf(await house.call(`/api/v1/holds/${id}/comments`, { json }))).toBe('201');
    const [line] = await linesNow();
    expect(line).toMatchObject({ id, commentCount: 1 });
    expect((await show(id)).comments).toMatchObject([
      { by: 'reviewer-1', role: 'reviewer', text: json.text },
    ]);
    expect((await show(id, 'viewer')).comments).toMatchObject([{ by: 'reviewer-1', text: null }]);
    const [heard] = (await events.heard(/event: hold\.commented\ndata: .*\n/)) ?? [];
    expect(heard).toContain('"by":"reviewer-1"');
    expect(heard).not.toContain('supplier');
    await events.done();
    if (line !== undefined) await deny(line, caller);
  });

  it('is not for viewers, not empty, not endless, and not about a hold that was ruled on', async () => {
    const caller = house.ask('please escalate: bounds');
    const { id } = await nextHold(house);
    const path = `/api/v1/holds/${id}/comments`;
    const say = (text: string, as: 'viewer' | 'auditor' = 'auditor') =>
      house.call(path, { as, json: { text } }).then(codeOf);
    expect(await say('Hello', 'viewer')).toBe('403 forbidden');
    expect(await say(' \n ')).toBe('400 invalid_argument');
    expect(await say('x'.repeat(4_001))).toBe('400 invalid_argument');
    for (let at = 0; at < 100; at += 1) expect(await say(`No. ${at}`)).toBe('201');
    expect(await say('One more')).toBe('400 invalid_argument');
    const [line] = await linesNow();
    if (line !== undefined) await deny(line, caller);
    expect(await say('Late')).toBe('409 already_ruled');
  });

  it('is read with the bodies of its decision', async () => {
    const caller = house.ask('please escalate: bodies');
    const { id, decisionId } = await nextHold(house);
    await house.call(`/api/v1/holds/${id}/comments`, { json: { text: 'Seen\r\n\r\nbefore?' } });
    const [line] = await linesNow();
    if (line !== undefined) await deny(line, caller);
    const answer = await house.call(`/api/v1/decisions/${decisionId}/body`, { as: 'auditor' });
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    expect(answer.json).toMatchObject({
      bodies: expect.arrayContaining([
        expect.objectContaining({ name: 'comment', text: 'Seen\r\n\r\nbefore?' }),
      ]),
    });
  });

  it('is erased with its decision, and with nothing else of the ledger touched', async () => {
    const caller = house.ask('please escalate: erase me');
    const { id } = await nextHold(house);
    await house.call(`/api/v1/holds/${id}/comments`, { json: { text: 'Her name is Erika.' } });
    const [line] = await linesNow();
    if (line === undefined) throw new Error('it is held');
    await deny(line, caller);
    await outcomeOf(house, line.decisionId);
    const entry = house.sidecar.ledger.seqOfId('h', id) ?? -1;
    const comments = (
      await house.sidecar.ledger.decision(Number((await house.sidecar.ledger.entry(entry)).data['decision']))
    ).filter(({ data }) => data['action'] === 'comment');
    expect(comments).toHaveLength(1);
    const text = () => house.sidecar.ledger.part(comments[0]?.seq ?? -1, 'comment');
    expect((await text()).toString()).toBe('Her name is Erika.');
    const json = { scope: { decision: line.decisionId }, basis: 'objection', reason: 'asked for' };
    expect((await house.call('/api/v1/erasures', { as: 'privacy', json })).status).toBe(202);
    await eventually(() =>
      text().then(
        () => false,
        () => true,
      ),
    );
    await expect(text()).rejects.toMatchObject({ code: 'erased' });
  });
});

describe('who is on a hold', () => {
  it('is taken, handed over and given back, shown and told; and anybody entitled still rules', async () => {
    const events = await listen();
    const caller = house.ask('please escalate: mine');
    const { id } = await nextHold(house);
    const to = (name: string, as: 'reviewer' | 'auditor' | 'admin' = 'reviewer') =>
      house.call(`/api/v1/holds/${id}/assignment`, { as, json: { to: name } }).then(codeOf);
    expect(await to('auditor-1')).toBe('403 forbidden');
    expect(await to('reviewer-1')).toBe('201');
    expect(await to('reviewer-1')).toBe('400 invalid_argument');
    expect(await to('nobody-1')).toBe('400 invalid_argument');
    expect(await to('viewer-1')).toBe('400 invalid_argument');
    expect(await to('privacy-1', 'auditor')).toBe('403 forbidden');
    expect(await to('auditor-1')).toBe('201');
    expect(await to('', 'admin')).toBe('201');
    expect(await to('auditor-1', 'auditor')).toBe('201');
    const [line] = await linesNow();
    expect(line).toMatchObject({ id, assignee: 'auditor-1' });
    expect((await show(id)).assignments).toMatchObject([
      { to: 'reviewer-1', by: 'reviewer-1' },
      { to: 'auditor-1', by: 'reviewer-1' },
      { to: '', by: 'admin-1' },
      { to: 'auditor-1', by: 'auditor-1' },
    ]);
    await events.heard(/event: hold\.assigned\ndata: .*"by":"admin-1"/);
    await events.done();
    if (line !== undefined) await deny(line, caller);
  });
});

describe('who looks at a hold', () => {
  it('is told to the others who do, at once, and to nobody who may not read it', async () => {
    const events = await listen();
    const caller = house.ask('please escalate: who looks');
    const { id } = await nextHold(house);
    const look = (here: boolean, as: 'reviewer' | 'auditor' | 'viewer') =>
      house.call(`/api/v1/holds/${id}/looking`, { as, json: { here } });
    expect((await look(true, 'reviewer')).json).toEqual({ others: [] });
    await events.heard(/event: hold\.looking\ndata: .*"by":"reviewer-1"/);
    expect((await look(true, 'auditor')).json).toEqual({ others: ['reviewer-1'] });
    expect((await look(true, 'reviewer')).json).toEqual({ others: ['auditor-1'] });
    expect((await look(false, 'auditor')).json).toEqual({ others: ['reviewer-1'] });
    expect((await look(true, 'reviewer')).json).toEqual({ others: [] });
    expect(codeOf(await look(true, 'viewer'))).toBe('403 forbidden');
    await events.done();
    const [line] = await linesNow();
    if (line !== undefined) await deny(line, caller);
  });
});

describe('one ruling on many holds', () => {
  it('releases those of the same bytes, each sealed on its own, and refuses every other by line', async () => {
    const same = ['please escalate: same', 'please escalate: same', 'please escalate: same'];
    const callers = [...same, 'please escalate: other'].map((prompt) => house.ask(prompt));
    const lines = await eventually(async () => {
      const all = await linesNow();
      return all.length === 4 && all;
    });
    const byContent = Map.groupBy(lines, ({ contentDigest }) => contentDigest);
    const [digest = ''] = [...byContent].find(([, of]) => of.length === 3) ?? [];
    const other = lines.find(({ contentDigest }) => contentDigest !== digest);
    expect(new Set(lines.map((line) => line.digest)).size).toBe(4);
    const order = { verdict: 'release', reason: 'Seen.', contentDigest: digest };
    const holds = [...lines.map(({ id }) => id), 'h-00000000-9'];
    const json = { ...order, holds };
    expect(codeOf(await house.call('/api/v1/rulings', { as: 'viewer', json }))).toBe('200');
    expect(
      codeOf(await house.call('/api/v1/rulings', { json: { ...json, holds: [...holds, holds[0]] } })),
    ).toBe('400 invalid_argument');
    const answer = await house.call('/api/v1/rulings', { json });
    expect(answer.json).toMatchObject({ ruled: 3, refused: 2 });
    const { items } = z
      .object({
        items: z.array(z.object({ id: z.string(), refusal: z.looseObject({ code: z.string() }).nullable() })),
      })
      .parse(answer.json);
    expect(items.map(({ id }) => id)).toEqual(holds);
    for (const { id, refusal } of items) {
      const code = id === other?.id ? 'digest_mismatch' : id === 'h-00000000-9' ? 'not_found' : undefined;
      expect(refusal?.code).toBe(code);
    }
    const [again] = z
      .object({ items: z.array(z.looseObject({ refusal: z.looseObject({ code: z.string() }) })) })
      .parse(
        (
          await house.call('/api/v1/rulings', {
            json: { ...order, holds: holds.filter((id) => id !== other?.id).slice(0, 1) },
          })
        ).json,
      ).items;
    expect(again?.refusal.code).toBe('already_ruled');
    if (other !== undefined)
      await deny(
        other,
        Promise.all(callers).then(([first]) => first ?? Response.error()),
      );
  });

  it('takes a signature for each, and no signature of one hold for another', async () => {
    const file = join(house.directory, 'reviewer.pem');
    const key = writeReviewerKey(file);
    const possession = key.possession(`holdpoint/${house.sidecar.ledger.id}`, 'reviewer-1');
    const enrolment = { owner: 'reviewer-1', key: key.publicKey, possession, reason: 'first key' };
    expect(codeOf(await house.call('/api/v1/reviewer-keys', { json: enrolment }))).toBe('201');
    const callers = [1, 2, 3].map(() => house.ask('please escalate: signed'));
    const lines = await eventually(async () => {
      const all = await linesNow();
      return all.length === 3 && all;
    });
    const signedFor = async ({ id, digest, decisionId }: Line) => {
      const { policy, rules } = z
        .looseObject({
          policy: z.object({ version: z.string(), digest: z.string() }),
          rules: z.array(z.looseObject({ id: z.string() })),
        })
        .parse((await house.call(`/api/v1/holds/${id}`)).json);
      const order = { verdict: 'deny', reason: 'Not three times.', digest };
      const about = {
        ...{ by: 'reviewer-1', verdict: 'deny', digest, decision: decisionId, hold: id },
        ...{ policy: policy.digest, policyVersion: policy.version, rules: rules.map((rule) => rule.id) },
      };
      return { id, ...readReviewerKey(file).signOrder(order, about) };
    };
    const [first, second, third] = await Promise.all(lines.map(signedFor));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three are held');
    const json = {
      contentDigest: lines[0]?.contentDigest,
      holds: [first, { ...second, signed: third.signed }, third],
    };
    expect((await house.call('/api/v1/rulings', { json })).json).toMatchObject({
      ...{ ruled: 2, refused: 1 },
      items: [
        { refusal: null },
        { id: second.id, refusal: { code: 'signature_invalid' } },
        { refusal: null },
      ],
    });
    const line = lines.find(({ id }) => id === second.id);
    if (line !== undefined)
      await deny(
        line,
        Promise.all(callers).then(([one]) => one ?? Response.error()),
      );
  });
});

describe('a release by one person alone', () => {
  it('stays open until somebody else, who did not ask for it either, writes a finding', async () => {
    const caller = house.ask('delete 3 records');
    const { id, digest } = await nextHold(house);
    const json = { verdict: 'release', reason: 'The plant is on fire.', digest, breakGlass: true };
    expect(codeOf(await house.call(`/api/v1/holds/${id}/rulings`, { as: 'admin', json }))).toBe('201');
    expect((await caller).status).toBe(200);
    const reviews = async (state: string) =>
      z
        .object({ items: z.array(z.looseObject({ hold: z.string(), by: z.string(), review: z.unknown() })) })
        .parse((await house.call(`/api/v1/reviews?state=${state}`, { as: 'viewer' })).json).items;
    expect(await reviews('open')).toMatchObject([{ hold: id, by: 'admin-1', state: 'open', review: null }]);
    expect((await house.call('/metrics', { as: null })).text).toMatch(/^holdpoint_reviews_open 1$/m);
    const events = await listen();
    const find = (as: 'viewer' | 'reviewer' | 'admin', finding: object) =>
      house.call(`/api/v1/holds/${id}/review`, { as, json: finding }).then(codeOf);
    const finding = { verdict: 'unjustified', text: 'It was a drill.' };
    expect(await find('viewer', finding)).toBe('403 forbidden');
    expect(await find('admin', finding)).toBe('403 forbidden');
    expect(await find('reviewer', { ...finding, text: '' })).toBe('400 invalid_argument');
    expect(await find('reviewer', finding)).toBe('201');
    expect(await find('reviewer', finding)).toBe('409 already_ruled');
    expect(await reviews('open')).toEqual([]);
    expect(await reviews('reviewed')).toMatchObject([
      { hold: id, review: { by: 'reviewer-1', verdict: 'unjustified' } },
    ]);
    expect((await show(id)).review).toMatchObject({ by: 'reviewer-1', text: 'It was a drill.' });
    expect((await house.call('/metrics', { as: null })).text).toMatch(/^holdpoint_reviews_open 0$/m);
    await events.heard(/event: hold\.reviewed\ndata: .*"by":"reviewer-1"/);
    await events.done();
  });

  it('is the only thing that is reviewed', async () => {
    const caller = house.ask('please escalate: ordinary');
    const { id, digest } = await nextHold(house);
    await house.call(`/api/v1/holds/${id}/rulings`, { json: { verdict: 'release', digest } });
    await caller;
    const json = { verdict: 'justified', text: 'Fine.' };
    expect(codeOf(await house.call(`/api/v1/holds/${id}/review`, { as: 'auditor', json }))).toBe(
      '400 invalid_argument',
    );
  });
});

describe('a ruling in the stead of somebody who is away', () => {
  const until = (ms: number) => new Date(Date.now() + ms).toISOString();
  const lend = (as: 'reviewer' | 'admin' | 'auditor', to: string, ms = 3_600_000) =>
    house.call('/api/v1/delegations', { as, json: { to, until: until(ms) } });

  it('is offered to whoever it was lent to, with what they may do, until their word is given', async () => {
    const caller = house.ask('delete 7 records');
    const { id, digest } = await nextHold(house);
    const offered = async () => {
      const { json } = await house.call(`/api/v1/holds/${id}`, { as: 'privacy' });
      return z.looseObject({ inStead: z.array(z.unknown()) }).parse(json).inStead;
    };
    expect(await offered()).toEqual([]);
    const { seq } = z.looseObject({ seq: z.number() }).parse((await lend('admin', 'privacy-1')).json);
    const rule = { verdict: 'release', reason: 'Seen.', digest, inStead: 'admin-1' };
    const several = expect.stringContaining('several approvals');
    const actions = { release: '', deny: '', amend: several, breakGlass: expect.stringContaining('stead') };
    expect(await offered()).toMatchObject([{ name: 'admin-1', role: 'admin', actions }]);
    expect(codeOf(await house.call(`/api/v1/holds/${id}/rulings`, { as: 'privacy', json: rule }))).toBe(
      '201',
    );
    expect(await offered()).toEqual([]);
    await house.call(`/api/v1/delegations/${seq}/end`, { as: 'admin', json: {} });
    const json = { verdict: 'deny', reason: 'No.', digest };
    expect(codeOf(await house.call(`/api/v1/holds/${id}/rulings`, { as: 'reviewer', json }))).toBe('201');
    await caller;
  });

  it('is made in the role that was lent, by one voice, while it is lent, and never alone', async () => {
    const caller = house.ask('delete 5 records');
    const { id, digest } = await nextHold(house);
    const rule = (as: 'reviewer' | 'privacy' | 'admin', more: object = {}) =>
      house
        .call(`/api/v1/holds/${id}/rulings`, {
          as,
          json: { verdict: 'release', reason: 'Seen.', digest, ...more },
        })
        .then(codeOf);
    expect(await rule('privacy')).toBe('403 forbidden');
    expect(await rule('privacy', { inStead: 'admin-1' })).toBe('403 forbidden');
    expect(codeOf(await lend('auditor', 'privacy-1'))).toBe('403 forbidden');
    expect(codeOf(await lend('admin', 'admin-1'))).toBe('400 invalid_argument');
    expect(codeOf(await lend('admin', 'viewer-1'))).toBe('400 invalid_argument');
    expect(codeOf(await lend('admin', 'privacy-1', -1))).toBe('400 invalid_argument');
    expect(codeOf(await lend('admin', 'privacy-1', 91 * 86_400_000))).toBe('400 invalid_argument');
    const begun = await lend('admin', 'privacy-1');
    expect(codeOf(begun)).toBe('201');
    expect(codeOf(await lend('admin', 'reviewer-1'))).toBe('400 invalid_argument');
    const alone = { inStead: 'admin-1', breakGlass: true };
    expect(await rule('privacy', alone)).toBe('400 invalid_argument');
    expect(await rule('privacy', { inStead: 'admin-1' })).toBe('201');
    expect(await rule('privacy', { inStead: 'admin-1' })).toBe('409 already_ruled');
    // Their word was given.
    expect(await rule('admin')).toBe('409 already_ruled');
    expect(await rule('reviewer')).toBe('201');
    await caller;
    const { rulings } = z
      .looseObject({ rulings: z.array(z.unknown()) })
      .parse((await house.call(`/api/v1/holds/${id}`)).json);
    expect(rulings).toMatchObject([
      { by: 'privacy-1', role: 'admin', inStead: 'admin-1' },
      { by: 'reviewer-1', role: 'reviewer', inStead: '' },
    ]);
    const { seq } = z.looseObject({ seq: z.number() }).parse(begun.json);
    const end = `/api/v1/delegations/${seq}/end`;
    expect(codeOf(await house.call(end, { as: 'privacy', json: {} }))).toBe('403 forbidden');
    expect(codeOf(await house.call(end, { as: 'admin', json: {} }))).toBe('200');
    const next = house.ask('please escalate: no stead');
    const [line] = await eventually(async () => {
      const all = await linesNow();
      return all.length === 1 && all;
    });
    if (line === undefined) throw new Error('it is held');
    const late = { verdict: 'deny', reason: 'No.', digest: line.digest, inStead: 'admin-1' };
    expect(codeOf(await house.call(`/api/v1/holds/${line.id}/rulings`, { as: 'privacy', json: late }))).toBe(
      '403 forbidden',
    );
    await deny(line, next);
  });

  it('is signed as such', async () => {
    expect(codeOf(await lend('admin', 'reviewer-1'))).toBe('201');
    const caller = house.ask('delete 6 records');
    const { id } = await nextHold(house);
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.reviewer };
    const args = ['--reason', 'No.', '--in-stead', 'admin-1', '--key', join(house.directory, 'reviewer.pem')];
    expect(await run(['holds', 'deny', id, ...args], env)).toEqual({
      code: 0,
      err: '',
      out: `${id} is denied.\n`,
    });
    await caller;
    const listed = await run(['delegations', 'list'], env);
    expect(listed.out).toMatch(/ admin-1 +admin +reviewer-1 .* in force\n/);
  });
});

describe('the command line', () => {
  const holdpoint = (args: readonly string[], as: 'reviewer' | 'admin' = 'reviewer') =>
    run(args, { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens[as] });

  it('rules on several holds of the same bytes, signing each, and on none where one holds others', async () => {
    const prompts = ['please escalate: typed', 'please escalate: typed', 'please escalate: not typed'];
    const callers = prompts.map((prompt) => house.ask(prompt));
    const lines = await eventually(async () => {
      const all = await linesNow();
      return all.length === 3 && all;
    });
    const groups = [...Map.groupBy(lines, ({ contentDigest }) => contentDigest).values()];
    const two = groups.find((group) => group.length === 2)?.map(({ id }) => id) ?? [];
    const other = lines.find(({ id }) => !two.includes(id));
    const key = ['--key', join(house.directory, 'reviewer.pem')];
    const none = await holdpoint(['holds', 'deny', ...lines.map(({ id }) => id), '--reason', 'No.', ...key]);
    expect(none.code).toBe(1);
    expect(none.err).toContain('Nothing was ruled on: these holds do not all hold the same bytes.');
    expect(none.err).toContain(other?.id);
    expect(await linesNow()).toHaveLength(3);
    const both = await holdpoint(['holds', 'deny', ...two, '--reason', 'No.', ...key]);
    expect(both).toEqual({ code: 0, err: '', out: `${two.map((id) => `${id} is denied.`).join('\n')}\n` });
    const again = await holdpoint(['holds', 'release', ...two]);
    expect(again.code).toBe(1);
    expect(again.out).toMatch(/^h-\S+ refused: The hold is already denied\.\n/);
    if (other !== undefined)
      await deny(
        other,
        Promise.all(callers).then(([one]) => one ?? Response.error()),
      );
  });

  it('takes, hands over, gives back and comments, and reviews what one person released alone', async () => {
    const caller = house.ask('delete 8 records');
    const { id } = await nextHold(house);
    expect((await holdpoint(['holds', 'take', id])).out).toBe(`reviewer-1 is on ${id}.\n`);
    expect((await holdpoint(['holds', 'hand-over', id, '--to', 'auditor-1'])).out).toBe(
      `auditor-1 is on ${id}.\n`,
    );
    expect((await holdpoint(['holds', 'list'])).out).toMatch(/auditor-1$/m);
    expect((await holdpoint(['holds', 'give-back', id], 'admin')).out).toBe(`Nobody is on ${id}.\n`);
    const told = await holdpoint(['holds', 'comment', id, '--text', 'Eight of how many?']);
    expect([told.code, told.out]).toEqual([0, `${id}: 1 comment.\n`]);
    expect((await holdpoint(['holds', 'show', id])).out).toMatch(
      /reviewer-1 said at \S+\n {2}Eight of how many\?/,
    );
    const broken = ['holds', 'release', id, '--break-glass', '--reason', 'Fire.'];
    expect((await holdpoint(broken, 'admin')).code).toBe(0);
    await caller;
    expect((await holdpoint(['holds', 'reviews', '--state', 'open'])).out).toMatch(
      new RegExp(`^${id} +admin-1 `, 'm'),
    );
    const review = ['holds', 'review', id, '--verdict', 'justified', '--text', 'It burned.'];
    expect((await holdpoint(review, 'admin')).err).toContain('Who broke the glass does not review it.');
    expect((await holdpoint(review)).out).toBe(`${id} is reviewed: justified.\n`);
  });
});

it('all of it verifies offline with its bodies opened', async () => {
  await house.sidecar.stop('test');
  const verdict = await verifyDirectory(house.dataDir, {});
  expect(verdict.findings).toEqual([]);
  expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
});
