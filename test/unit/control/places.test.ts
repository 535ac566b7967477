import { expect, it } from 'vitest';
import { createPlaces, type Places } from '../../../src/control/sign-in/places.ts';

/** As many as the address gets. */
function takeAll({ take }: Places, address: string): (() => void)[] {
  const taken: (() => void)[] = [];
  for (let one = take(address); one !== null; one = take(address)) taken.push(one);
  return taken;
}

it('a network has half of what the others leave, and the last place is somebody’s', () => {
  const places = createPlaces(8);
  const counts = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '192.0.2.3'].map(
    (address) => takeAll(places, address).length,
  );
  expect(counts).toEqual([4, 2, 1, 1]);
  expect(places.take('192.0.2.4')).toBe(null);
});

it('what one address of a network has counts for the others there', () => {
  const places = createPlaces(8);
  takeAll(places, '2001:db8::1');
  expect(places.take('2001:db8::2')).toBe(null);
});

it('a place that was given back is there again for whoever had it', () => {
  const places = createPlaces(1);
  for (let round = 0; round < 3; round += 1) {
    const giveBack = places.take('192.0.2.1');
    expect(giveBack).not.toBe(null);
    giveBack?.();
  }
});
