import { expect, it } from 'vitest';
import { createEndings } from '../../../src/core/endings.ts';

it('what began last ends first, each waits for the one before it, and none ends twice', async () => {
  const endings = createEndings();
  const told: string[] = [];
  for (const name of ['ledger', 'port'])
    endings.add(async (reason) => {
      told.push(`${name} ends: ${reason}`);
      await Promise.resolve();
      told.push(`${name} has ended`);
    });
  await endings.run('asked');
  await endings.run('asked again');
  expect(told).toEqual(['port ends: asked', 'port has ended', 'ledger ends: asked', 'ledger has ended']);
});

it('one that fails is told of when all the others have ended', async () => {
  const endings = createEndings();
  const told: string[] = [];
  endings.add(() => {
    told.push('ledger');
  });
  endings.add(() => {
    throw new Error('the port stays');
  });
  await expect(endings.run('asked')).rejects.toThrow('the port stays');
  expect(told).toEqual(['ledger']);
});
