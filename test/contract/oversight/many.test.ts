/** One ruling on holds of the same bytes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readReviewerKey } from '../../../src/cli/reviewer-key.ts';
import { eventually, type House, startHouse } from '../support/sidecar.ts';
import { closeVerified, codeOf, deny, enrolReviewer, type Line, linesNow } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => closeVerified(house));

describe('one ruling on many holds', () => {
  it('releases those of the same bytes, each sealed on its own, and refuses every other by line', async () => {
    const same = ['please escalate: same', 'please escalate: same', 'please escalate: same'];
    const callers = [...same, 'please escalate: other'].map((prompt) => house.ask(prompt));
    const lines = await eventually(async () => {
      const all = await linesNow(house);
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
        house,
        other,
        Promise.all(callers).then(([first]) => first ?? Response.error()),
      );
  });

  it('takes a signature for each, and no signature of one hold for another', async () => {
    const file = await enrolReviewer(house);
    const callers = [1, 2, 3].map(() => house.ask('please escalate: signed'));
    const lines = await eventually(async () => {
      const all = await linesNow(house);
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
        house,
        line,
        Promise.all(callers).then(([one]) => one ?? Response.error()),
      );
  });
});
