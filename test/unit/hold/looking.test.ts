/** Who has a hold open now, as others are told. */
import { expect, it } from 'vitest';
import { createLooking, lookMs } from '../../../src/hold/looking.ts';
import { startQueue } from './one-hold.ts';

const { openHold } = await startQueue();
const hold = await openHold();
const copyOf = (id: string) => ({ ...hold, id });

function start() {
  let nowMs = 0;
  const told: string[] = [];
  const looking = createLooking(
    () => nowMs,
    ({ id }, who) => told.push(`${who} at ${id}`),
  );
  return {
    looking,
    told,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

it('names those who have a hold open, in the order they came, and of other holds nobody', () => {
  const { looking } = start();
  looking.tell(copyOf('h-1'), 'rita', true);
  looking.tell(copyOf('h-1'), 'otto', true);
  looking.tell(copyOf('h-2'), 'mia', true);
  looking.tell(copyOf('h-1'), 'rita', true);
  expect(looking.at('h-1')).toEqual(['rita', 'otto']);
  expect(looking.at('h-2')).toEqual(['mia']);
  expect(looking.at('h-3')).toEqual([]);
});

it('tells of each who comes or goes, and not of those who stay', () => {
  const { looking, told } = start();
  for (const here of [true, true, false, false, true]) looking.tell(copyOf('h-1'), 'rita', here);
  expect(told).toEqual(['rita at h-1', 'rita at h-1', 'rita at h-1']);
});

it('forgets those who fell silent, and not those who said again that they are here', () => {
  const { looking, pass } = start();
  looking.tell(copyOf('h-1'), 'rita', true);
  looking.tell(copyOf('h-1'), 'otto', true);
  pass(lookMs - 1);
  looking.tell(copyOf('h-1'), 'otto', true);
  expect(looking.at('h-1')).toEqual(['rita', 'otto']);
  pass(1);
  expect(looking.at('h-1')).toEqual(['otto']);
});

it('is left on every hold by whoever went away altogether, which is told of each', () => {
  const { looking, told } = start();
  looking.tell(copyOf('h-1'), 'rita', true);
  looking.tell(copyOf('h-1'), 'otto', true);
  looking.tell(copyOf('h-2'), 'rita', true);
  told.length = 0;
  looking.leave('rita');
  expect([looking.at('h-1'), looking.at('h-2')]).toEqual([['otto'], []]);
  expect(told).toEqual(['rita at h-1', 'rita at h-2']);
  looking.leave('rita');
  expect(told).toHaveLength(2);
});

it('stays bounded, whoever looks at whatever', () => {
  const { looking, told } = start();
  for (let i = 0; i < 100; i += 1) looking.tell(copyOf('h-1'), `person ${i}`, true);
  expect(looking.at('h-1')).toHaveLength(32);
  expect(told).toHaveLength(32);
  for (let i = 0; i < 5_000; i += 1) looking.tell(copyOf(`h-${i}`), 'rita', true);
  expect(looking.at('h-0')).toEqual([]);
  expect(looking.at('h-4999')).toEqual(['rita']);
});
