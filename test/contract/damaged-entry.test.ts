/** A list of decisions over a ledger of which single entries cannot be read: it has the others, and says what is missing. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { damagingMachine } from './support/damaging-machine.ts';
import { run } from './support/process.ts';
import { type House, outcomeOf, startHouse } from './support/sidecar.ts';

let house: House;
let damage: (mark: string) => void;
beforeEach(async () => {
  const disk = damagingMachine();
  damage = disk.damage;
  house = await startHouse({ machine: disk.machine });
});
afterEach(() => house.close());

const pageSchema = z.object({
  items: z.array(z.object({ id: z.string() })),
  next: z.number().nullable(),
  unreadable: z.array(
    z.object({ seq: z.number(), last: z.number(), decision: z.string().nullable(), why: z.string() }),
  ),
});

/** More than the sidecar remembers of what it read last. */
const later = ['three', 'four', 'five', 'six', 'seven'];

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

async function listed(query = '') {
  const { status, json } = await house.call(`/api/v1/decisions${query}`);
  expect(status).toBe(200);
  return pageSchema.parse(json);
}

const seqOf = (id = ''): number => Number(id.split('-')[2]);
const cannotBeRead = (seq: number): unknown => expect.stringContaining(`Entry ${seq} cannot be read`);

describe('a list of decisions', () => {
  it('has all but the one whose request cannot be read, and names that entry', async () => {
    const [first, second, third] = await decide('one', 'two', 'three');
    damage('"session":"two"');
    const { items, unreadable } = await listed();
    expect(items.map(({ id }) => id)).toEqual([third, first]);
    const seq = seqOf(second);
    expect(unreadable).toEqual([{ seq, last: seq, decision: null, why: cannotBeRead(seq) }]);
  });

  it('does so too where the index names what is sought', async () => {
    const [first, second, ...others] = await decide('one', 'two', ...later);
    damage('"session":"two"');
    const { items, unreadable } = await listed('?workload=billing-agent');
    expect(items.map(({ id }) => id)).toEqual([...others.reverse(), first]);
    expect(unreadable.map(({ seq }) => seq)).toEqual([seqOf(second)]);
  });

  it('names the decision of which another entry cannot be read', async () => {
    const [first, second, ...others] = await decide('one', 'two', ...later);
    damage(`"refs":[${seqOf(second)}],`);
    const { items, unreadable } = await listed();
    expect(items.map(({ id }) => id)).toEqual([...others.reverse(), first]);
    const seq = seqOf(second) + 1;
    expect(unreadable).toEqual([{ seq, last: seq, decision: second, why: cannotBeRead(seq) }]);
    const shown = await house.call(`/api/v1/decisions/${first}`);
    expect(shown.status).toBe(200);
  });

  it('says so on the command line, which ends with 1', async () => {
    const [first, second] = await decide('one', 'two');
    damage('"session":"two"');
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.auditor };
    const shown = await run(['decisions', 'list'], env);
    expect(shown.out).toContain(first);
    expect(shown.out).toMatch(new RegExp(`Entry ${seqOf(second)} cannot be read.*holdpoint verify`));
    expect(shown.code).toBe(1);
    const exported = await run(['decisions', 'export'], env);
    expect(exported.out.trim().split('\n')).toHaveLength(1);
    expect(exported.err).toMatch(new RegExp(`Entry ${seqOf(second)} cannot be read.*holdpoint verify`));
    expect(exported.code).toBe(1);
  });
});
