/** Reviewers see who is on a hold, and who looks at it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type House, nextHold, startHouse } from '../support/sidecar.ts';
import { closeVerified, codeOf, deny, linesNow, listen, show } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => closeVerified(house));

describe('who is on a hold', () => {
  it('is taken, handed over and given back, shown and told; and anybody entitled still rules', async () => {
    const events = await listen(house);
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
    const [line] = await linesNow(house);
    expect(line).toMatchObject({ id, assignee: 'auditor-1' });
    expect((await show(house, id)).assignments).toMatchObject([
      { to: 'reviewer-1', by: 'reviewer-1' },
      { to: 'auditor-1', by: 'reviewer-1' },
      { to: '', by: 'admin-1' },
      { to: 'auditor-1', by: 'auditor-1' },
    ]);
    await events.heard(/event: hold\.assigned\ndata: .*"by":"admin-1"/);
    await events.done();
    if (line !== undefined) await deny(house, line, caller);
  });
});

describe('who looks at a hold', () => {
  it('looks no longer once their console is gone, which says nothing', async () => {
    const caller = house.ask('please escalate: who was killed');
    const { id } = await nextHold(house);
    const console = await listen(house, 'reviewer');
    const othersFor = (as: 'reviewer' | 'auditor') =>
      house.call(`/api/v1/holds/${id}/looking`, { as, json: { here: true } }).then(({ json }) => json);
    await othersFor('reviewer');
    expect(await othersFor('auditor')).toEqual({ others: ['reviewer-1'] });
    await console.done();
    await eventually(async () => JSON.stringify(await othersFor('auditor')) === '{"others":[]}');
    const [line] = await linesNow(house);
    if (line !== undefined) await deny(house, line, caller);
  });

  it('is told to the others who do, at once, and to nobody who may not read it', async () => {
    const events = await listen(house);
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
    const [line] = await linesNow(house);
    if (line !== undefined) await deny(house, line, caller);
  });
});
