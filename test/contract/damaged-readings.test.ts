/** What reads many entries at once goes on beside a damaged one, and says what it could not read: counts, holds, replays. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startSidecar } from '../../src/sidecar.ts';
import { damagingMachine } from './support/damaging-machine.ts';
import { run } from './support/process.ts';
import { type House, nextHold, outcomeOf, startHouse } from './support/sidecar.ts';

const unreadable = z.array(
  z.object({ seq: z.number(), last: z.number(), decision: z.string().nullable(), why: z.string() }),
);
const decisionsSchema = z.object({
  items: z.array(z.object({ id: z.string() })),
  unreadable,
});
const holdsSchema = z.object({ items: z.array(z.object({ id: z.string() })), unreadable });
const summarySchema = z.object({
  buckets: z.array(z.object({ decisions: z.number() })),
  unreadable,
  unreadableEntries: z.number(),
});
const backtestSchema = z.object({
  decisions: z.number(),
  replayed: z.object({ request: z.number() }),
  unreadable,
});

let house: House;
let disk: ReturnType<typeof damagingMachine>;
beforeEach(async () => {
  disk = damagingMachine();
  house = await startHouse({ machine: disk.machine });
});
afterEach(() => house.close());

/** More than the sidecar remembers of what it read last. */
const later = ['three', 'four', 'five', 'six', 'seven', 'eight'];

/** Decides one question in each of these sessions, one after the other; their ids. */
async function decide(...sessions: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const session of sessions) {
    const answer = await house.ask('hello', { headers: { 'holdpoint-session': session } });
    await answer.text();
    const id = answer.headers.get('holdpoint-decision') ?? '';
    await outcomeOf(house, id);
    ids.push(id);
  }
  return ids;
}

/** Has one hold in each of these sessions released by one person alone. */
async function breakGlass(...sessions: readonly string[]) {
  const broken: { readonly hold: string; readonly decision: string }[] = [];
  for (const session of sessions) {
    const caller = house.ask('delete 3 records', { headers: { 'holdpoint-session': session } });
    const { id, digest } = await nextHold(house);
    const json = { verdict: 'release', reason: 'Fire.', digest, breakGlass: true };
    expect((await house.call(`/api/v1/holds/${id}/rulings`, { as: 'admin', json })).status).toBe(201);
    const answer = await caller;
    await answer.text();
    const decision = answer.headers.get('holdpoint-decision') ?? '';
    await outcomeOf(house, decision);
    broken.push({ hold: id, decision });
  }
  return broken;
}

async function read<T>(schema: z.ZodType<T>, path: string, json?: unknown): Promise<T> {
  const answer = await house.call(path, json === undefined ? {} : { json, method: 'POST', as: 'admin' });
  expect(answer.text, path).not.toContain('"code"');
  expect(answer.status).toBe(200);
  return schema.parse(answer.json);
}

const seqOf = (id = ''): number => Number(id.split('-')[2]);
const one = (seq: number, decision: string | null = null) => ({
  seq,
  last: seq,
  decision,
  why: expect.stringContaining(`Entry ${seq} cannot be read`),
});
const draft = 'version: "draft"\nrules: []\n';
const environment = () => ({
  HOLDPOINT_URL: house.sidecar.controlUrl,
  HOLDPOINT_TOKEN: house.tokens.admin,
});

describe('beside an entry that cannot be read', () => {
  it('a list up to a time has the others', async () => {
    const [first, second, ...others] = await decide('one', 'two', ...later);
    disk.damage('"session":"two"');
    const end = new Date(Date.now() + 60_000).toISOString();
    const { items, unreadable } = await read(decisionsSchema, `/api/v1/decisions?until=${end}`);
    expect(items.map(({ id }) => id)).toEqual([...others.reverse(), first]);
    expect(unreadable).toEqual([one(seqOf(second))]);
  });

  it('a list up to a time that is sought among damaged entries has what came before', async () => {
    const [first] = await decide('one');
    await decide('two', ...later);
    for (const session of ['two', ...later]) disk.damageBlock(`"session":"${session}"`);
    const { items, unreadable } = await read(
      decisionsSchema,
      `/api/v1/decisions?until=${new Date(Date.now() + 60_000).toISOString()}`,
    );
    expect(items.map(({ id }) => id)).toEqual([first]);
    expect(unreadable.length).toBeGreaterThanOrEqual(1 + later.length);
  });

  it('a list says up to which entry a damaged block goes', async () => {
    const [, second] = await decide('one', 'two', ...later);
    disk.damageBlock('"session":"two"');
    const { unreadable } = await read(decisionsSchema, '/api/v1/decisions');
    const [block] = unreadable.filter(({ seq, last }) => seq <= seqOf(second) && seqOf(second) <= last);
    expect(block?.why).toMatch(/cannot be read/);
    const covered = unreadable.reduce((sum, { seq, last }) => sum + last - seq + 1, 0);
    const whole = await read(z.object({ size: z.number() }), '/api/v1/ledger/checkpoint');
    expect(covered).toBeGreaterThan(0);
    expect(block?.last).toBeLessThan(whole.size);
  });

  it('the holds of a session are those that can be read', async () => {
    const held = ['a', 'b'].map((tag) =>
      house.ask(`escalate ${tag}`, { headers: { 'holdpoint-session': 'run', 'holdpoint-workload': tag } }),
    );
    const before = await nextHold(house);
    const known = await read(holdsSchema, '/api/v1/holds?session=run');
    expect(known.unreadable).toEqual([]);
    const [lost] = known.items.filter(({ id }) => id !== before.id);
    disk.damage('"workload":"a"');
    await decide(...later, 'nine', 'ten');
    const { items, unreadable } = await read(holdsSchema, '/api/v1/holds?session=run');
    expect(items).toHaveLength(known.items.length - 1);
    expect(unreadable).toHaveLength(1);
    expect(lost).toBeDefined();
    const shown = await run(['holds', 'list', '--session', 'run'], environment());
    expect(shown.out).toMatch(/cannot be read.*holdpoint verify/);
    expect(shown.code).toBe(1);
    await house.sidecar.stop('the callers need no answer');
    await Promise.allSettled(held);
  });

  it('a summary counts the others and says how many it could not', async () => {
    const [, second] = await decide('one', 'two', ...later);
    disk.damage('"session":"two"');
    const { buckets, unreadable, unreadableEntries } = await read(summarySchema, '/api/v1/summary');
    expect(buckets.reduce((sum, { decisions }) => sum + decisions, 0)).toBe(1 + later.length);
    expect(unreadable).toEqual([one(seqOf(second))]);
    expect(unreadableEntries).toBe(1);
  });

  it('a backtest replays the others', async () => {
    const [, second, third] = await decide('one', 'two', ...later);
    disk.damage('"session":"two"');
    disk.damage(`"refs":[${seqOf(third)}],`);
    const order = { policy: draft, reason: 'try' };
    const { decisions, replayed, unreadable } = await read(backtestSchema, '/api/v1/policy/backtest', order);
    expect(decisions).toBe(later.length);
    expect(replayed.request).toBe(later.length);
    expect(unreadable).toEqual([one(seqOf(third) + 1, third ?? ''), one(seqOf(second))]);
    const file = join(house.directory, 'draft.yaml');
    writeFileSync(file, draft);
    const shown = await run(['policy', 'backtest', file, '--reason', 'try'], environment());
    expect(shown.out).toMatch(new RegExp(`Entry ${seqOf(second)} cannot be read.*holdpoint verify`));
    expect(shown.code).toBe(1);
  });

  it('the versions of the policy and the anchors are those that can be read', async () => {
    const [, second] = await decide('one', 'two', ...later);
    disk.damage('"session":"two"');
    const told = z.object({ unreadable });
    for (const path of ['/api/v1/policy/versions', '/api/v1/ledger/anchors'])
      expect((await read(told, path)).unreadable, path).toEqual([one(seqOf(second))]);
  });

  it('a list of releases by one person alone has the others', async () => {
    const [lost, other] = await breakGlass('one', 'two');
    // What was released lately is in memory.
    await house.sidecar.stop('test');
    const again = await startSidecar(house.configFile, {}, disk.machine);
    disk.damage('"session":"one"');
    const { tokens } = house;
    const answer = await fetch(`${again.controlUrl}/api/v1/reviews`, {
      headers: { authorization: `Bearer ${tokens.viewer}` },
    });
    const page = z
      .object({ items: z.array(z.object({ hold: z.string() })), unreadable })
      .parse(await answer.json());
    expect(page.items.map(({ hold }) => hold)).toEqual([other?.hold]);
    expect(page.unreadable).toEqual([one(seqOf(lost?.decision), lost?.decision)]);
    const env = { HOLDPOINT_URL: again.controlUrl, HOLDPOINT_TOKEN: tokens.viewer };
    const shown = await run(['holds', 'reviews'], env);
    expect(shown.out).toContain(other?.hold);
    expect(shown.out).toMatch(new RegExp(`Entry ${seqOf(lost?.decision)} cannot be read.*holdpoint verify`));
    expect(shown.code).toBe(1);
    await again.stop('test');
  });

  it('a hold has its exchange and what else was said, and tells what was written and cannot be read', async () => {
    const caller = house.ask('delete 3 records');
    const { id, digest } = await nextHold(house);
    for (const text of ['Is it ours?', 'It is.'])
      expect((await house.call(`/api/v1/holds/${id}/comments`, { json: { text } })).status).toBe(201);
    const ruling = { verdict: 'release', reason: 'Fire.', digest, breakGlass: true };
    await house.call(`/api/v1/holds/${id}/rulings`, { as: 'admin', json: ruling });
    await (await caller).text();
    const found = { verdict: 'justified', text: 'There was smoke.' };
    const { status } = await house.call(`/api/v1/holds/${id}/review`, { as: 'reviewer', json: found });
    expect(status).toBe(201);
    const { ledger } = house.sidecar;
    const hold = await ledger.entry(ledger.seqOfId('h', id) ?? -1);
    const written = (await ledger.decision(Number(hold.data['decision']))).flatMap(({ seq, parts }) =>
      parts.flatMap(({ name }) => (['comment', 'reason', 'finding'].includes(name) ? [{ seq, name }] : [])),
    );
    expect(written.map(({ name }) => name)).toEqual(['comment', 'comment', 'reason', 'finding']);
    const [comment = -1, , reason = -1, finding = -1] = written.map(({ seq }) => seq);
    for (const seq of [comment, reason, finding]) disk.damageBodies(seq);
    const shown = await house.call(`/api/v1/holds/${id}`, { as: 'reviewer' });
    expect(shown.status, shown.text).toBe(200);
    expect(shown.json).toMatchObject({
      comments: [{ text: null }, { text: 'It is.' }],
      rulings: [{ verdict: 'release', reason: null }],
      review: { verdict: 'justified', text: null },
      exchange: { request: { messages: [{ text: 'delete 3 records' }] } },
      unreadable: [one(reason), one(comment), one(finding)],
    });
    const viewed = await house.call(`/api/v1/holds/${id}`, { as: 'viewer' });
    expect(viewed.json).toMatchObject({ comments: [{ text: null }, { text: null }], unreadable: [] });
    const told = await run(['holds', 'show', id], environment());
    expect(told.out).toContain('It is.');
    expect(told.out).toMatch(new RegExp(`Entry ${comment} cannot be read.*holdpoint verify`));
    expect(told.code).toBe(1);
  });
});
