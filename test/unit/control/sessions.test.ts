/** How long a session lasts. Time is the test's. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createAttempts } from '../../../src/control/sign-in/attempts.ts';
import type { Caller } from '../../../src/control/sign-in/caller.ts';
import { createSessions } from '../../../src/control/sign-in/sessions.ts';
import { sha256Hex } from '../../../src/core/bytes.ts';
import { systemRandom } from '../../../src/core/clock.ts';

const minuteMs = 60_000;
const ada = { name: 'ada', role: 'reviewer' } as const;
const key = 'k'.repeat(43);

const answer = () => new ServerResponse(new IncomingMessage(new Socket()));

function startedSession() {
  let nowMs = 0;
  const timers = new Set<{ atMs: number; fn: () => void }>();
  const schedule = (ms: number, fn: () => void) => {
    const timer = { atMs: nowMs + ms, fn };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const clock = { nowMs: () => nowMs, monoUs: () => nowMs * 1000 };
  const bounds = { idleMsMax: 10 * minuteMs, lifetimeMsMax: 60 * minuteMs };
  const sessions = createSessions(bounds, clock, schedule, systemRandom);
  let now: Caller | null = ada;
  const id = sessions.start({ via: 'oidc', keyHash: sha256Hex(key), current: () => now }, ada);
  const passMinutes = (minutes: number): void => {
    nowMs += minutes * minuteMs;
    for (const timer of [...timers]) {
      if (timer.atMs > nowMs) continue;
      timers.delete(timer);
      timer.fn();
    }
  };
  return {
    startFor: (name: string) => {
      const caller = { name, role: 'reviewer' };
      return sessions.start({ via: 'oidc', keyHash: sha256Hex(key), current: () => caller }, caller);
    },
    isOpen: (one: string) => sessions.find(one, key) !== null,
    find: () => sessions.find(id, key),
    isThere: () => sessions.find(id, key) !== null,
    end: () => sessions.end(id),
    become: (caller: Caller | null) => {
      now = caller;
    },
    passMinutes,
    /** Time goes by, and the timers are late. */
    passLate: (minutes: number) => {
      nowMs += minutes * minuteMs;
    },
    timers,
  };
}

describe('a session', () => {
  it('ends when nothing was asked of it for so long', () => {
    const { isThere, passMinutes } = startedSession();
    passMinutes(9);
    expect(isThere()).toBe(true);
    passMinutes(9);
    expect(isThere()).toBe(true);
    passMinutes(10);
    expect(isThere()).toBe(false);
  });

  it('ends after its lifetime however much is asked of it', () => {
    const { isThere, passMinutes } = startedSession();
    for (let minute = 5; minute < 60; minute += 5) {
      passMinutes(5);
      expect(isThere()).toBe(true);
    }
    passMinutes(5);
    expect(isThere()).toBe(false);
  });

  it('is over when its time is, also where its timer is late', () => {
    const { find, passLate } = startedSession();
    const found = find();
    passLate(10);
    expect(found?.current()).toBeNull();
    expect(find()).toBeNull();
  });

  it('shows nobody from its end on to what was begun in it', () => {
    const { find, end } = startedSession();
    const found = find();
    expect(found?.current()).toEqual(ada);
    end();
    expect(found?.current()).toBeNull();
  });

  it('cuts off what it still sends when it ends, and lets go of what was sent', () => {
    const { find, end } = startedSession();
    const [sending, sent] = [answer(), answer()];
    find()?.cover(sending);
    find()?.cover(sent);
    sent.emit('close');
    end();
    expect([sending.destroyed, sent.destroyed]).toEqual([true, false]);
  });

  it('is never another person’s', () => {
    const { isThere, become } = startedSession();
    become({ name: 'eve', role: 'reviewer' });
    expect(isThere()).toBe(false);
    become(ada);
    expect(isThere()).toBe(false);
  });

  it('goes on in the role that its person has by now', () => {
    const { find, become } = startedSession();
    become({ ...ada, role: 'viewer' });
    expect(find()?.caller.role).toBe('viewer');
  });

  it('gives way to a new one where there are too many, the one that was used longest ago first', () => {
    const { isThere, isOpen, startFor, passMinutes } = startedSession();
    passMinutes(1);
    const second = startFor('of-1');
    passMinutes(1);
    for (let i = 2; i < 2_000; i++) startFor(`of-${i}`);
    expect(isThere()).toBe(true);
    startFor('one-more');
    expect([isOpen(second), isThere()]).toEqual([false, true]);
  });

  it('leaves no timer behind', () => {
    const { passMinutes, timers } = startedSession();
    passMinutes(61);
    expect(timers.size).toBe(0);
  });
});

describe('attempts', () => {
  const clock = { nowMs: () => 0, monoUs: () => 0 };
  it('are counted together for the /64 that one end of IPv6 has', () => {
    const attempts = createAttempts(clock, 1);
    expect(attempts.count('2001:db8:0:7::1')).toBe(false);
    expect(attempts.count('2001:db8::7:a:b:c:d')).toBe(true);
    expect(attempts.count('2001:db8:0:8::1')).toBe(false);
  });

  it('are over for an address once its minute is used up, and not before', () => {
    const attempts = createAttempts(clock, 2);
    attempts.count('192.0.2.1');
    expect(attempts.isOver('192.0.2.1')).toBe(false);
    attempts.count('192.0.2.1');
    expect(attempts.isOver('192.0.2.1')).toBe(true);
  });

  it('are kept of ten thousand addresses, and of all anew when there is one more', () => {
    const attempts = createAttempts(clock, 1);
    for (let i = 0; i < 10_000; i += 1) attempts.count(`10.0.${i >> 8}.${i & 255}`);
    expect(attempts.count('10.0.0.0')).toBe(true);
    attempts.count('192.0.2.1');
    expect(attempts.count('10.0.0.0')).toBe(false);
  });

  it('are counted apart for two addresses of IPv4, mapped or not', () => {
    const attempts = createAttempts(clock, 1);
    for (const address of ['192.0.2.1', '192.0.2.2', '::ffff:192.0.2.1', '::ffff:192.0.2.2'])
      expect(attempts.count(address)).toBe(false);
  });
});
