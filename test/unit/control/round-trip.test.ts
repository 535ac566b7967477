/** What a sign-in at a provider is bound to. Time is the test's. */
import { expect, it } from 'vitest';
import { createRoundTrips, roundTripMsMax } from '../../../src/control/sign-in/round-trip.ts';
import { sha256Hex } from '../../../src/core/bytes.ts';
import { systemRandom } from '../../../src/core/clock.ts';
import { createManualTime } from '../../support/time.ts';

const keyHash = sha256Hex('k'.repeat(43));

function stage() {
  const { clock, advance } = createManualTime();
  let apartMs = 0;
  const trips = createRoundTrips({ ...clock, nowMs: () => clock.nowMs() + apartMs }, systemRandom);
  const setClock = (ms: number): void => {
    apartMs = ms;
  };
  return { ...trips, advance, setClock };
}

it('a sign-in comes back with the secrets that it was begun with', () => {
  const { begin, resume } = stage();
  const trip = begin(keyHash);
  expect(resume(trip.value, trip.state)).toEqual(trip);
  expect(trip.keyHash).toBe(keyHash);
});

it('a sign-in does not come back with the state of another', () => {
  const { begin, resume } = stage();
  const [one, other] = [begin(keyHash), begin(keyHash)];
  expect(() => resume(one.value, other.state)).toThrow('not begun in this browser');
  expect(() => resume(one.value, '')).toThrow('not begun in this browser');
  expect(() => resume(null, one.state)).toThrow('not begun in this browser');
});

it('a sign-in does not come back to another process', () => {
  const [one, other] = [stage(), stage()];
  const { value, state } = one.begin(keyHash);
  expect(() => other.resume(value, state)).toThrow('not begun in this browser');
});

it('a sign-in does not come back when its time is over, nor where the clock was set back', () => {
  const { begin, resume, advance, setClock } = stage();
  const trip = begin(keyHash);
  advance(roundTripMsMax);
  expect(resume(trip.value, trip.state)).toEqual(trip);
  advance(1);
  expect(() => resume(trip.value, trip.state)).toThrow('took too long');
  setClock(-2 * roundTripMsMax - 2);
  expect(() => resume(trip.value, trip.state)).toThrow('took too long');
});

it('a sign-in leads to one session, however long the clock lets it come back', () => {
  const { begin, resume, finish, advance, setClock } = stage();
  const [trip, later] = [begin(keyHash), begin(keyHash)];
  finish(resume(trip.value, trip.state));
  expect(() => resume(trip.value, trip.state)).toThrow('used already');
  advance(2 * roundTripMsMax + 1);
  setClock(-2 * roundTripMsMax);
  finish(resume(later.value, later.state));
  expect(() => resume(trip.value, trip.state)).toThrow('used already');
});

it('a sign-in that ended on a clock that was set back leads to no other once the clock is right again', () => {
  const { begin, resume, finish, advance, setClock } = stage();
  const [trip, later] = [begin(keyHash), begin(keyHash)];
  setClock(-roundTripMsMax);
  finish(resume(trip.value, trip.state));
  setClock(0);
  advance(roundTripMsMax);
  finish(resume(later.value, later.state));
  expect(() => resume(trip.value, trip.state)).toThrow('used already');
});

it('no more people sign in within the time of a sign-in than are remembered, and then others again', () => {
  const { begin, finish, advance } = stage();
  const signIn = (): void => finish(begin(keyHash));
  for (let i = 0; i < 10_000; i++) signIn();
  expect(signIn).toThrow('Too many people');
  advance(2 * roundTripMsMax + 1);
  expect(signIn).not.toThrow();
});

it('of two answers of one sign-in that are redeemed at a time, the second leads to no session', () => {
  const { begin, resume, finish } = stage();
  const trip = begin(keyHash);
  const [first, second] = [resume(trip.value, trip.state), resume(trip.value, trip.state)];
  finish(first);
  expect(() => finish(second)).toThrow('used already');
});
