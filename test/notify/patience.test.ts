/** For how long messages are tried. */
import { expect, test } from 'vitest';
import { noticeOf } from '../../src/notify/notice.ts';
import type { Message } from '../../src/notify/outbox.ts';
import { createPatience } from '../../src/notify/patience.ts';
import { testHold, testTime } from './scene.ts';

test.each([
  ['too long ago', 10_000, true],
  ['lately', 9_999, false],
])('a message that a restart left and was queued %s', (_when, ageMs, isLate) => {
  const { clock } = testTime();
  const queuedAtMs = clock.nowMs() - ageMs;
  const notice = noticeOf('holdpoint.hold.opened', testHold(17), 'd-1', queuedAtMs, '');
  const about = { key: 'oncall/1', receiver: 'oncall', state: 'pending', reason: '', endedAtMs: 0 } as const;
  const message: Message = { ...about, notice, queuedAtMs };
  expect(createPatience(clock, 10_000, [message]).isLate(message)).toBe(isLate);
});
