/** A hold that waits, of which an entry cannot be read: its page has the rest, and nobody releases what nobody can read. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import type { Entry } from '../../src/ledger/entry.ts';
import { damagingMachine } from './support/damaging-machine.ts';
import { run } from './support/process.ts';
import { eventually, type House, nextHold, outcomeOf, startHouse } from './support/sidecar.ts';

let house: House;
let disk: ReturnType<typeof damagingMachine>;
beforeEach(async () => {
  disk = damagingMachine();
  house = await startHouse({ machine: disk.machine });
});
afterEach(() => house.close());

/** More than the sidecar remembers of what it read last. */
const later = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
const question = 'escalate: transfer 20 EUR';
const isHold = ({ type }: Entry): boolean => type === 'hold';

const shownSchema = z.object({
  exchange: z.object({ response: z.object({ toolCalls: z.array(z.object({ id: z.string() })) }) }),
});

const comment = async (id: string): Promise<void> => {
  const { status } = await house.call(`/api/v1/holds/${id}/comments`, { json: { text: 'Is it ours?' } });
  expect(status).toBe(201);
};

/** A held answer to a request that was held and released, and then damage to the first entry of this type in its decision. */
async function holdWithout(
  type: Entry['type'],
  before = (_hold: string): Promise<void> => Promise.resolve(),
  damage = (seq: number, _decision: number): void => disk.damage(`"seq":${seq},`),
) {
  const caller = house.ask(question).then((answer) => answer.text());
  const asked = await nextHold(house);
  const released = { verdict: 'release', reason: 'Ask.', digest: asked.digest };
  await house.call(`/api/v1/holds/${asked.id}/rulings`, { json: released });
  const { ledger } = house.sidecar;
  const decision = Number((await ledger.entry(ledger.seqOfId('h', asked.id) ?? -1)).data['decision']);
  // Not from the list, which remembers what it showed.
  const hold = await eventually(async () => (await ledger.decision(decision)).filter(isHold)[1]);
  const [id, digest] = [ledger.holdId(hold.seq), hold.data['digest']];
  await before(id);
  const { seq = -1 } = (await ledger.decision(decision)).find((entry) => entry.type === type) ?? {};
  damage(seq, decision);
  for (const session of later) {
    const answer = await house.ask('hello', { headers: { 'holdpoint-session': session } });
    await answer.text();
    await outcomeOf(house, answer.headers.get('holdpoint-decision') ?? '');
  }
  const rule = (json: object) =>
    house.call(`/api/v1/holds/${id}/rulings`, { json: { reason: 'Seen.', digest, ...json } });
  return { id, seq, why: `Entry ${seq} cannot be read`, rule, caller };
}

it('its page has what is held and what was said, and names the entry', async () => {
  const { id, seq, why, rule, caller } = await holdWithout('ruling');
  await comment(id);
  const shown = await house.call(`/api/v1/holds/${id}`, { as: 'reviewer' });
  expect(shown.status, shown.text).toBe(200);
  const { toolCalls } = shownSchema.parse(shown.json).exchange.response;
  expect(shown.json).toMatchObject({
    headline: expect.stringContaining('transfer_funds'),
    exchange: { request: { messages: [{ text: question }] } },
    // What the answer is to may stand in it: a rule would be asked about another question.
    actions: { release: '', deny: '', amend: expect.stringContaining(why) },
    comments: [{ text: 'Is it ours?' }],
    unreadable: [{ seq, last: seq, decision: null, why: expect.stringContaining(why) }],
  });
  const viewed = await house.call(`/api/v1/holds/${id}`, { as: 'viewer' });
  expect(viewed.json).toMatchObject({ exchange: null, unreadable: [] });
  const printed = await run(['holds', 'show', id], {
    HOLDPOINT_URL: house.sidecar.controlUrl,
    HOLDPOINT_TOKEN: house.tokens.admin,
  });
  expect(printed.out).toMatch(new RegExp(`${why}.*holdpoint verify`));
  expect(printed.code).toBe(1);
  const calls = toolCalls.map((call) => call.id);
  expect((await rule({ verdict: 'release', calls })).status).toBe(201);
  expect(await caller).toContain('transfer_funds');
});

it('what somebody did after the answer keeps nobody from amending it', async () => {
  const { id, rule, caller } = await holdWithout('access', comment);
  const { json } = await house.call(`/api/v1/holds/${id}`, { as: 'reviewer' });
  expect(json).toMatchObject({ rules: [{ because: [{}] }], actions: { amend: '' } });
  expect((await rule({ verdict: 'deny' })).status).toBe(201);
  await caller;
});

it.each(['request', 'response'] as const)('it is not let through without its %s', async (type) => {
  const { why, rule, caller } = await holdWithout(type);
  for (const { status, text } of [
    await rule({ verdict: 'release' }),
    await rule({ verdict: 'amend', amendment: { text: 'No.' } }),
  ]) {
    expect(text).toContain(why);
    expect(status).toBe(500);
  }
  expect((await rule({ verdict: 'deny' })).status).toBe(201);
  expect(await caller).toContain('denied_by_reviewer');
});

it.each(['request', 'response'] as const)(
  'without its %s it is shown as one that can be denied alone',
  async (type) => {
    const { id, seq, why, caller } = await holdWithout(type, comment);
    const shown = await house.call(`/api/v1/holds/${id}`, { as: 'reviewer' });
    expect(shown.status, shown.text).toBe(200);
    const closed = expect.stringMatching(`${why}.*holdpoint verify`);
    expect(shown.json).toMatchObject({
      exchange: null,
      actions: { release: closed, deny: '', amend: closed, amendText: closed, releaseCalls: closed },
      comments: [{ text: 'Is it ours?' }],
      unreadable: [{ seq, last: seq, why: expect.stringContaining(why) }],
    });
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.reviewer };
    const printed = await run(['holds', 'show', id], env);
    expect(printed.out).toMatch(new RegExp(`What is held cannot be read: it can be denied.*\\n  ${why}`));
    const denied = await run(['holds', 'deny', id, '--reason', 'Unreadable.'], env);
    expect(denied.code, denied.err).toBe(0);
    expect(await caller).toContain('denied_by_reviewer');
  },
);

it('with a body that cannot be read it is shown as one that can be denied alone', async () => {
  const { id, seq, why, rule, caller } = await holdWithout('response', undefined, (response, decision) => {
    // Whichever entry its block begins with.
    for (let first = decision + 1; first <= response; first += 1) disk.damageBodies(first);
  });
  const shown = await house.call(`/api/v1/holds/${id}`, { as: 'reviewer' });
  expect(shown.status, shown.text).toBe(200);
  expect(shown.json).toMatchObject({
    exchange: null,
    actions: { release: expect.stringContaining(why), deny: '' },
    unreadable: [{ seq, why: expect.stringContaining(why) }],
  });
  expect((await rule({ verdict: 'deny' })).status).toBe(201);
  await caller;
});

it('one that is over is not shown without what may have become of it', async () => {
  const { id, why, rule, caller } = await holdWithout('access', comment);
  await rule({ verdict: 'deny' });
  await caller;
  const { status, text } = await house.call(`/api/v1/holds/${id}`, { as: 'reviewer' });
  expect(status).toBe(500);
  expect(text).toContain(why);
});
