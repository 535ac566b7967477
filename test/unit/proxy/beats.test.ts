/** Pings and pongs between two sides, as hostile ones send them. */
import { expect, test } from 'vitest';
import { carryBeats } from '../../../src/proxy/realtime/beats.ts';
import type { Peer } from '../../../src/proxy/realtime/peer.ts';

type Beat = Parameters<Parameters<Peer['onBeat']>[0]>;

/** One side: what it is sent, and a way to have it send. */
function side() {
  const sent: { kind: string; data: string }[] = [];
  const hears: ((...beat: Beat) => void)[] = [];
  return {
    sent,
    say: (...beat: Beat) => {
      for (const fn of hears) fn(...beat);
    },
    peer: {
      onBeat: (fn: (...beat: Beat) => void) => void hears.push(fn),
      beat: (kind: Beat[0], data: Buffer) => void sent.push({ kind, data: data.toString('hex') }),
    },
  };
}

function pair() {
  const from = side();
  const to = side();
  carryBeats(from.peer, to.peer);
  return { from, to };
}

const number = (of: number): Buffer => Buffer.of(0, 0, 0, of);

test('a pong comes back with what its ping carried, once', () => {
  const { from, to } = pair();
  const carried = Buffer.from('carried');
  from.say('ping', carried);
  // The library gives a window on what it read, which it uses again.
  carried.fill(0);
  expect(to.sent).toEqual([{ kind: 'ping', data: '00000001' }]);
  to.say('pong', number(1));
  to.say('pong', number(1));
  expect(from.sent).toEqual([
    { kind: 'pong', data: Buffer.from('carried').toString('hex') },
    { kind: 'pong', data: '' },
  ]);
});

test.each([
  ['no number', ''],
  ['too short a number', '0001'],
  ['a number and more', '0000000100'],
  ['a number that no ping had', '00000009'],
])('a pong with %s goes on empty', (_what, data) => {
  const { from, to } = pair();
  from.say('ping', Buffer.from('carried'));
  to.say('pong', Buffer.from(data, 'hex'));
  expect(from.sent).toEqual([{ kind: 'pong', data: '' }]);
});

test('of pings that nobody answers the last sixty-four are kept', () => {
  const { from, to } = pair();
  for (let i = 1; i <= 66; i += 1) from.say('ping', Buffer.of(i));
  for (const answered of [2, 3, 66]) to.say('pong', number(answered));
  expect(from.sent.map(({ data }) => data)).toEqual(['', '03', '42']);
});
