import { expect, it } from 'vitest';
import { killAt } from './named-points.ts';

it.each([
  { point: 'sync ledger/journal-0000000001.hpj', nth: 0, fate: 'before' },
  { point: 'write high-water.new', nth: 0, fate: 'after' },
  { point: 'write ledger/journal-0000000001.hpj', nth: 3, fate: 'middle' },
  { point: 'write high-water', nth: 4, fate: 'before' },
  { point: 'batch ledger', nth: 0, fate: 'before' },
] as const)(
  'a process killed at $point, number $nth, $fate it, leaves all that it acknowledged',
  async (kill) => {
    const { killed, faults } = await killAt(`${kill.point}#${kill.nth}`, kill.fate, 'strict');
    expect(killed).toBe(kill.point);
    expect(faults).toEqual([]);
  },
  60_000,
);
