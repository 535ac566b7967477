/** What reviewers do together, typed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/process.ts';
import { eventually, type House, nextHold, startHouse } from '../support/sidecar.ts';
import { closeVerified, deny, enrolReviewer, linesNow } from './scene.ts';

let house: House;
let keyFile: string;
beforeAll(async () => {
  house = await startHouse();
  keyFile = await enrolReviewer(house);
});
afterAll(() => closeVerified(house));

describe('the command line', () => {
  const holdpoint = (args: readonly string[], as: 'reviewer' | 'admin' = 'reviewer') =>
    run(args, { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens[as] });

  it('rules on several holds of the same bytes, signing each, and on none where one holds others', async () => {
    const prompts = ['please escalate: typed', 'please escalate: typed', 'please escalate: not typed'];
    const callers = prompts.map((prompt) => house.ask(prompt));
    const lines = await eventually(async () => {
      const all = await linesNow(house);
      return all.length === 3 && all;
    });
    const groups = [...Map.groupBy(lines, ({ contentDigest }) => contentDigest).values()];
    const two = groups.find((group) => group.length === 2)?.map(({ id }) => id) ?? [];
    const other = lines.find(({ id }) => !two.includes(id));
    const key = ['--key', keyFile];
    const none = await holdpoint(['holds', 'deny', ...lines.map(({ id }) => id), '--reason', 'No.', ...key]);
    expect(none.code).toBe(1);
    expect(none.err).toContain('Nothing was ruled on: these holds do not all hold the same bytes.');
    expect(none.err).toContain(other?.id);
    expect(await linesNow(house)).toHaveLength(3);
    const both = await holdpoint(['holds', 'deny', ...two, '--reason', 'No.', ...key]);
    expect(both).toEqual({ code: 0, err: '', out: `${two.map((id) => `${id} is denied.`).join('\n')}\n` });
    const again = await holdpoint(['holds', 'release', ...two]);
    expect(again.code).toBe(1);
    expect(again.out).toMatch(/^h-\S+ refused: The hold is already denied\.\n/);
    if (other !== undefined)
      await deny(
        house,
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
      new RegExp(`^${id} +two-eyes +admin-1 `, 'm'),
    );
    const review = ['holds', 'review', id, '--verdict', 'justified', '--text', 'It burned.'];
    expect((await holdpoint(review, 'admin')).err).toContain('Who broke the glass does not review it.');
    expect((await holdpoint(review)).out).toBe(`${id} is reviewed: justified.\n`);
  });
});
