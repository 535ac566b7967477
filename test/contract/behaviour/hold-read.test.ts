/** A hold that is read: who read it is sealed before they are told what is held, and nobody who is not told is. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessOf } from '../support/access.ts';
import { failingMachine } from '../support/failing-machine.ts';
import { type Held, type House, startHouse } from '../support/sidecar.ts';
import { holdOn } from './scene.ts';

const amount = '7341';
const disk = failingMachine();
let house: House;
let held: Held;
let asked: Promise<Response>;
beforeAll(async () => {
  house = await startHouse({ machine: disk.machine });
  ({ held, asked } = await holdOn(house, `transfer ${amount} EUR`));
});
afterAll(async () => {
  await house.close();
  await asked;
});

const read = (as: 'viewer' | 'reviewer') => house.call(`/api/v1/holds/${held.id}`, { as });
const reads = async () => (await accessOf(house)).filter(({ action }) => action === 'read hold');

it('by whoever reads content: who, as what, from where, and of which decision is sealed', async () => {
  expect((await read('reviewer')).text).toContain(amount);
  const decision = Number(held.decisionId.split('-')[2]);
  expect(await reads()).toEqual([
    { action: 'read hold', by: 'reviewer-1', decision, from: '127.0.0.1', role: 'reviewer' },
  ]);
});

it('by a viewer, who is told nothing of it: nothing is sealed', async () => {
  const before = (await reads()).length;
  const { status, text } = await read('viewer');
  expect(status).toBe(200);
  expect(text).not.toContain(amount);
  expect(await reads()).toHaveLength(before);
});

it('where that cannot be sealed: nothing of it is told', async () => {
  disk.fail(true);
  const { status, text } = await read('reviewer');
  disk.fail(false);
  expect(status).toBe(503);
  expect(text).not.toContain(amount);
});
