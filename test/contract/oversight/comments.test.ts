/** Reviewers talk about a hold. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type House, nextHold, outcomeOf, startHouse } from '../support/sidecar.ts';
import { closeVerified, codeOf, deny, linesNow, listen, show } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => closeVerified(house));

describe('a comment on a hold', () => {
  it('is shown to those who read content, counted for all, and told as an event without its text', async () => {
    const events = await listen(house);
    const caller = house.ask('please escalate: comment');
    const { id } = await nextHold(house);
    const json = { text: 'Is this ‮ our supplier?' };
    expect(codeOf(await house.call(`/api/v1/holds/${id}/comments`, { json }))).toBe('201');
    const [line] = await linesNow(house);
    expect(line).toMatchObject({ id, commentCount: 1 });
    expect((await show(house, id)).comments).toMatchObject([
      { by: 'reviewer-1', role: 'reviewer', text: json.text },
    ]);
    expect((await show(house, id, 'viewer')).comments).toMatchObject([{ by: 'reviewer-1', text: null }]);
    const [heard] = (await events.heard(/event: hold\.commented\ndata: .*\n/)) ?? [];
    expect(heard).toContain('"by":"reviewer-1"');
    expect(heard).not.toContain('supplier');
    await events.done();
    if (line !== undefined) await deny(house, line, caller);
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
    const [line] = await linesNow(house);
    if (line !== undefined) await deny(house, line, caller);
    expect(await say('Late')).toBe('409 already_ruled');
  });

  it('is read with the bodies of its decision', async () => {
    const caller = house.ask('please escalate: bodies');
    const { id, decisionId } = await nextHold(house);
    await house.call(`/api/v1/holds/${id}/comments`, { json: { text: 'Seen\r\n\r\nbefore?' } });
    const [line] = await linesNow(house);
    if (line !== undefined) await deny(house, line, caller);
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
    const [line] = await linesNow(house);
    if (line === undefined) throw new Error('it is held');
    await deny(house, line, caller);
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
