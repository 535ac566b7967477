/** Events of the queue, as they are told. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, nextHold, startHouse } from '../support/sidecar.ts';
import { holdOn, rule } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

describe('events', () => {
  it('tell that a hold opened, was approved, ruled and settled, by ids and states only', async () => {
    const response = await fetch(`${house.sidecar.controlUrl}/api/v1/events`, {
      headers: { authorization: `Bearer ${house.tokens.viewer}` },
    });
    let text = '';
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const readUntil = async (wanted: string) => {
      while (!text.includes(wanted)) text += (await reader?.read())?.value ?? '';
    };
    await readUntil(': connected');
    const { asked, held } = await holdOn(house, 'delete records of 1002, canary-prompt');
    await readUntil('event: hold.opened');
    await rule(house, held, { verdict: 'release', reason: 'canary-reason' });
    await readUntil('event: hold.approved');
    await rule(house, held, { verdict: 'release' }, 'admin');
    await readUntil('event: hold.settled');
    await asked;
    await reader?.cancel();
    const data = [...text.matchAll(/^data: (.+)$/gm)].map(([, json = '']) => JSON.parse(json));
    expect(data[0]).toEqual({
      kind: 'opened',
      id: held.id,
      state: 'pending',
      caller: 'waiting',
      outcome: null,
      roles: ['reviewer', 'admin'],
      by: '',
    });
    expect(data.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['opened', 'approved', 'ruled', 'settled']),
    );
    for (const event of data)
      expect(Object.keys(event)).toEqual(['kind', 'id', 'state', 'caller', 'outcome', 'roles', 'by']);
    expect(text).not.toMatch(/canary|delete_records|gpt-test/);
  });

  it('tell that a caller left', async () => {
    const response = await fetch(`${house.sidecar.controlUrl}/api/v1/events`, {
      headers: { authorization: `Bearer ${house.tokens.viewer}` },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const leave = new AbortController();
    const asked = house.ask('transfer 9 EUR', { signal: leave.signal }).catch(() => null);
    const held = await nextHold(house);
    leave.abort();
    let text = '';
    while (!text.includes('"caller":"gone"')) text += (await reader?.read())?.value ?? '';
    expect(text).toContain('event: hold.caller');
    await reader?.cancel();
    await rule(house, held, { verdict: 'deny', reason: 'gone' });
    await asked;
  });
});
