/** The order, the patience and the end of what is told, by a receiver that takes each message when the test says so. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Notice, noticeTypes } from '../../src/notify/notice.ts';
import { type NotifierEvent, type NotifierOptions, startNotifier } from '../../src/notify/notifier.ts';
import { NotTaken, type Receiver } from '../../src/notify/receiver.ts';
import { makePrivateDirectory } from '../../src/store/directory.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { newDirectory, plain, startMs, testHold, testHolds, testTime } from './scene.ts';

afterEach(endAll);

type Deliver = Receiver['deliver'];
const takes: Deliver = () => Promise.resolve();

/** Refuses the first message that comes, and takes all others. */
function refusesOnce(): Deliver {
  let refusals = 1;
  return async () => {
    refusals -= 1;
    if (refusals >= 0) throw new NotTaken('answered 500');
  };
}

/** A notifier with one receiver; `got` are the ids that it was told, in order. */
function telling(
  deliver: Deliver,
  given: Partial<NotifierOptions> = {},
  pending: Parameters<typeof testHolds>[0] = [],
) {
  const time = testTime();
  const holds = testHolds(pending);
  const events: NotifierEvent[] = [];
  const got: string[] = [];
  const directory = given.directory ?? newDirectory();
  const receiver: Receiver = {
    name: 'oncall',
    deliver: (notice, signal) => {
      got.push(notice.id);
      return deliver(notice, signal);
    },
  };
  const notifier = startNotifier({
    ...plain,
    directory,
    makeDirectory: makePrivateDirectory,
    to: [{ receiver, types: noticeTypes, severityMin: 'low' }],
    holds,
    clock: time.clock,
    schedule: time.schedule,
    onEvent: (event) => events.push(event),
    ...given,
  });
  atEnd(() => notifier.stop());
  const count = (kind: NotifierEvent['kind']): number => events.filter((event) => event.kind === kind).length;
  const onDisk = (): string => {
    const file = join(directory, 'outbox.ndjson');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  return { time, holds, events, got, directory, receiver, notifier, count, onDisk };
}

const opened = (seq: number): string => `${testHold(seq).id}.opened`;

/** Lets each message go, or refuses it, when it is told to. */
function inHand() {
  const waiting: PromiseWithResolvers<void>[] = [];
  const deliver: Deliver = (_notice, signal) => {
    const one = Promise.withResolvers<void>();
    waiting.push(one);
    signal.addEventListener('abort', () => one.reject(new NotTaken('no answer (took too long)')));
    return one.promise;
  };
  return { deliver, waiting };
}

describe('a hold', () => {
  test('that nobody ruled on is told as expired', async () => {
    const { holds, got } = telling(takes);
    const hold = testHold(17);
    holds.open(hold);
    holds.rule(hold, 'expired');
    await expect.poll(() => got).toEqual([opened(17), `${hold.id}.expired`]);
  });

  test('that opens later than it would be reminded of is not reminded of', async () => {
    const { holds, got, time } = telling(takes, { remindBeforeMs: [900_000, 300_000] });
    holds.open(testHold(17));
    time.advance(0);
    holds.open(testHold(19));
    await expect.poll(() => got).toEqual([opened(17), opened(19)]);
  });

  test('that was ruled on leaves no timer', async () => {
    const { holds, time, count } = telling(takes);
    const hold = testHold(17);
    holds.open(hold);
    holds.rule(hold, 'released');
    await expect.poll(() => count('sent')).toBe(2);
    expect(time.nextWithin(Number.POSITIVE_INFINITY)).toBeNull();
  });

  test('takes no timer where nobody is to hear of its end', async () => {
    const { receiver } = telling(takes);
    const to = [{ receiver, types: ['holdpoint.hold.opened' as const], severityMin: 'low' as const }];
    const { holds, time, count } = telling(takes, { to });
    holds.open(testHold(17));
    await expect.poll(() => count('sent')).toBe(1);
    expect(time.nextWithin(Number.POSITIVE_INFINITY)).toBeNull();
  });

  test('is told to whom asks for its severity, and not to whom asks for more', async () => {
    const { receiver } = telling(takes);
    const types = ['holdpoint.hold.opened' as const];
    const severe = { name: 'desk', deliver: takes };
    const to = [
      { receiver, types, severityMin: 'high' as const },
      { receiver: severe, types, severityMin: 'critical' as const },
    ];
    const { holds, notifier } = telling(takes, { to });
    holds.open(testHold(17));
    expect(notifier.messages().map(({ key }) => key)).toEqual([`oncall/${opened(17)}`]);
  });

  test.each([
    ['released', 'ruled'],
    ['expired', 'expired'],
  ] as const)('that was %s while nobody listened is told of as that, and once', async (status, kind) => {
    const hold = testHold(17);
    const ended = { ...hold, state: { ...hold.state, status } };
    const first = telling(takes, {}, [ended]);
    await expect.poll(() => first.count('sent')).toBe(1);
    await first.notifier.stop();
    const { got, holds } = telling(takes, { directory: first.directory }, [ended]);
    holds.open(testHold(19));
    await expect.poll(() => got).toEqual([opened(19)]);
    expect(first.got).toEqual([`${hold.id}.${kind}`]);
  });

  test('of which reminders came while nothing ran is told the last of them, once', async () => {
    const remindBeforeMs = [1_500_000, 1_200_000, 1_000_000, 300_000];
    const hold = { ...testHold(17), openedAtMs: startMs - 600_000 };
    const first = telling(takes, { remindBeforeMs }, [hold]);
    first.time.advance(0);
    await expect.poll(() => first.count('sent')).toBe(2);
    await first.notifier.stop();
    expect(first.got).toEqual([opened(17), `${hold.id}.reminder.1000000`]);
    const { got, time } = telling(takes, { directory: first.directory, remindBeforeMs }, [hold]);
    time.advance(600_000);
    await expect.poll(() => got).toEqual([`${hold.id}.reminder.300000`]);
  });

  test('whose time was over before it was read again is not reminded of', async () => {
    const hold = { ...testHold(17), openedAtMs: startMs - 1_800_000 };
    const { terms } = hold.state;
    const over = { ...hold, state: { ...hold.state, terms: { ...terms, expiresAtMs: startMs } } };
    const { got, time } = telling(takes, {}, [over]);
    time.advance(0);
    await expect.poll(() => got).toEqual([opened(17)]);
    expect(time.nextWithin(Number.POSITIVE_INFINITY)).toBeNull();
  });
});

describe('an alert', () => {
  test('comes behind the message that is on its way and before all others, each told once', async () => {
    const { deliver, waiting } = inHand();
    const { holds, got, count } = telling(deliver);
    for (const seq of [17, 19]) holds.open(testHold(seq));
    await expect.poll(() => waiting.length).toBe(1);
    holds.alert('glass-broken', testHold(21));
    for (const n of [1, 2, 3]) {
      await expect.poll(() => waiting.length).toBe(n);
      waiting[n - 1]?.resolve();
    }
    await expect.poll(() => count('sent')).toBe(3);
    holds.open(testHold(23));
    await expect
      .poll(() => got)
      .toEqual([opened(17), `${testHold(21).id}.glass_broken`, opened(19), opened(23)]);
  });

  test('ends a pause, and with it the timer that would have', async () => {
    const waits = [0, 90_000];
    const { holds, time, count } = telling(
      () => Promise.reject(new NotTaken('answered 429', { waitMs: waits.shift() ?? 0 })),
      { remindBeforeMs: [] },
    );
    holds.open(testHold(17));
    await expect.poll(() => count('failed')).toBe(1);
    expect(time.nextWithin(Number.POSITIVE_INFINITY)).toBe(1_000);
    holds.alert('glass-broken', testHold(19));
    await expect.poll(() => count('failed')).toBe(2);
    await expect.poll(() => time.nextWithin(Number.POSITIVE_INFINITY)).toBe(90_000);
  });

  test('does not wait for the end of a pause that a message before it brings', async () => {
    const { deliver, waiting } = inHand();
    const { holds, time, got } = telling(deliver, { remindBeforeMs: [] });
    holds.open(testHold(17));
    await expect.poll(() => waiting.length).toBe(1);
    holds.alert('glass-broken', testHold(19));
    waiting[0]?.reject(new NotTaken('answered 429', { waitMs: 3_600_000 }));
    await expect.poll(() => got).toEqual([opened(17), `${testHold(19).id}.glass_broken`]);
    waiting[1]?.reject(new NotTaken('answered 429', { waitMs: 3_600_000 }));
    await expect.poll(() => time.nextWithin(3_600_000)).toBe(3_600_000);
    expect(got).toHaveLength(2);
  });

  test('that finds too many waiting takes the place of the last that is none', async () => {
    const { deliver, waiting } = inHand();
    const { holds, got, notifier } = telling(deliver, { queueMax: 3 });
    for (const seq of [17, 19, 21]) holds.open(testHold(seq));
    await expect.poll(() => waiting.length).toBe(1);
    holds.alert('glass-broken', testHold(23));
    expect(notifier.messages().map(({ state }) => state)).toEqual(['pending', 'pending', 'dead', 'pending']);
    for (const n of [1, 2, 3]) {
      await expect.poll(() => waiting.length).toBe(n);
      waiting[n - 1]?.resolve();
    }
    await expect.poll(() => got).toEqual([opened(17), `${testHold(23).id}.glass_broken`, opened(19)]);
  });

  test('takes the place of no other alert', async () => {
    const { deliver, waiting } = inHand();
    const { holds, notifier } = telling(deliver, { queueMax: 2 });
    holds.open(testHold(17));
    await expect.poll(() => waiting.length).toBe(1);
    for (const seq of [19, 21]) holds.alert('glass-broken', testHold(seq));
    expect(notifier.messages().map(({ state }) => state)).toEqual(['pending', 'pending', 'dead']);
  });

  test('for which none gives way is a dead letter like any other, and is not sent', async () => {
    const { deliver, waiting } = inHand();
    const { holds, got, notifier, count } = telling(deliver, { queueMax: 1 });
    holds.open(testHold(17));
    await expect.poll(() => waiting.length).toBe(1);
    holds.alert('glass-broken', testHold(19));
    expect(notifier.messages().map(({ state }) => state)).toEqual(['pending', 'dead']);
    waiting[0]?.resolve();
    await expect.poll(() => count('sent')).toBe(1);
    holds.open(testHold(21));
    await expect.poll(() => got).toEqual([opened(17), opened(21)]);
  });
});

describe('a message', () => {
  test('is on disk before it is sent', async () => {
    const seen: string[] = [];
    const scene = telling(async () => void seen.push(scene.onDisk()));
    scene.holds.open(testHold(17));
    await expect.poll(() => seen.length).toBe(1);
    expect(seen[0]).toContain(opened(17));
  });

  test('that waits for the end of a pause is on disk meanwhile', async () => {
    const { holds, count, onDisk } = telling(() => Promise.reject(new NotTaken('answered 500')));
    holds.open(testHold(17));
    await expect.poll(() => count('failed')).toBe(1);
    holds.open(testHold(19));
    await expect.poll(onDisk).toContain(opened(19));
  });

  test('that was taken is on disk as sent', async () => {
    const { holds, onDisk } = telling(takes);
    holds.open(testHold(17));
    await expect.poll(onDisk).toContain(`{"op":"sent","key":"oncall/${opened(17)}"}`);
  });

  test('is sent although the disk takes nothing, and is written once it does', async () => {
    const directory = join(newDirectory(), 'notices');
    const { holds, count, notifier, onDisk } = telling(takes, { directory });
    writeFileSync(directory, 'in its way');
    holds.open(testHold(17));
    await expect.poll(() => count('sent')).toBe(1);
    expect(count('not_durable')).toBeGreaterThan(0);
    rmSync(directory);
    await notifier.stop();
    expect(onDisk()).toContain(`{"op":"sent","key":"oncall/${opened(17)}"}`);
  });

  test('that was not taken comes behind those that wait', async () => {
    const { deliver, waiting } = inHand();
    const { holds, time, got, count } = telling(deliver);
    for (const seq of [17, 19]) holds.open(testHold(seq));
    await expect.poll(() => waiting.length).toBe(1);
    waiting[0]?.reject(new NotTaken('answered 500'));
    await expect.poll(() => count('failed')).toBe(1);
    time.advance(1_000);
    await expect.poll(() => waiting.length).toBe(2);
    waiting[1]?.resolve();
    await expect.poll(() => got).toEqual([opened(17), opened(19), opened(17)]);
  });

  test('that fails for a defect of ours is kept, and the defect’s words are not said', async () => {
    const { holds, events, count } = telling(() => Promise.reject(new Error('at https://hooks.test/SECRET')));
    holds.open(testHold(17));
    await expect.poll(() => count('failed')).toBe(1);
    expect(events).toMatchObject([{ kind: 'failed', reason: 'sending failed inside Holdpoint' }]);
  });

  test('that no receiver will ever take is given up, and the next is sent without a pause', async () => {
    const { holds, count, got } = telling(() =>
      Promise.reject(new NotTaken('answered 410', { isFinal: true })),
    );
    for (const seq of [17, 19]) holds.open(testHold(seq));
    await expect.poll(() => count('dead')).toBe(2);
    expect(got).toEqual([opened(17), opened(19)]);
  });
});

describe('a receiver', () => {
  test('that says nothing is given up on in time', async () => {
    const { deliver, waiting } = inHand();
    const { holds, time, events, count } = telling(deliver, { remindBeforeMs: [] });
    holds.open(testHold(17));
    await expect.poll(() => waiting.length).toBe(1);
    time.advance(plain.timeoutMs);
    await expect.poll(() => count('failed')).toBe(1);
    expect(events).toMatchObject([{ reason: 'no answer (took too long)' }]);
  });

  test('that answers ends the time it had', async () => {
    const { holds, time, count } = telling(takes, { remindBeforeMs: [] });
    holds.open(testHold(17));
    await expect.poll(() => count('sent')).toBe(1);
    expect(time.nextWithin(Number.POSITIVE_INFINITY)).toBeNull();
  });

  test('is left alone for ten minutes at most', async () => {
    const { holds, time, count } = telling(() => Promise.reject(new NotTaken('answered 500')), {
      remindBeforeMs: [],
      giveUpAfterMs: Number.POSITIVE_INFINITY,
    });
    holds.open(testHold(17));
    for (let n = 1; n <= 12; n += 1) {
      await expect.poll(() => count('failed')).toBe(n);
      const waitMs = time.nextWithin(Number.POSITIVE_INFINITY) ?? 0;
      expect(waitMs).toBe(Math.min(600_000, 1_000 * 2 ** (n - 1)));
      time.advance(waitMs);
    }
  });

  test('is tried for as long as was set, whatever the wall clock is set to meanwhile', async () => {
    const { holds, time, count, notifier } = telling(() => Promise.reject(new NotTaken('answered 500')), {
      remindBeforeMs: [],
      giveUpAfterMs: 10_000,
    });
    holds.open(testHold(17));
    await expect.poll(() => count('failed')).toBe(1);
    time.jump(86_400_000);
    time.advance(1_000);
    await expect.poll(() => count('failed')).toBe(2);
    expect(count('dead')).toBe(0);
    time.advance(9_000);
    await expect.poll(() => count('dead')).toBe(1);
    // As long again where a person has it sent again.
    await notifier.replay('oncall/h-0a1b2c3d-17.opened', () => Promise.resolve());
    await expect.poll(() => count('failed')).toBe(4);
    expect(count('dead')).toBe(1);
  });

  test('that takes messages again is told of what happens at once', async () => {
    const { holds, time, count, got } = telling(refusesOnce());
    holds.open(testHold(17));
    await expect.poll(() => count('failed')).toBe(1);
    time.advance(1_000);
    await expect.poll(() => count('sent')).toBe(1);
    holds.open(testHold(19));
    await expect.poll(() => got).toEqual([opened(17), opened(17), opened(19)]);
  });
});

describe('a dead letter', () => {
  async function withDeadLetter() {
    let takesNow = false;
    const scene = telling((_notice: Notice) =>
      takesNow ? Promise.resolve() : Promise.reject(new NotTaken('answered 410', { isFinal: true })),
    );
    scene.holds.open(testHold(17));
    await expect.poll(() => scene.count('dead')).toBe(1);
    takesNow = true;
    return { ...scene, key: `oncall/${opened(17)}` };
  }

  test('that two have sent again at once is sent once', async () => {
    const { notifier, key, count, got, holds } = await withDeadLetter();
    const recorded = Promise.withResolvers<void>();
    const replays = [1, 2].map(() => notifier.replay(key, () => recorded.promise));
    const settled = Promise.allSettled(replays);
    recorded.resolve();
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect.poll(() => count('sent')).toBe(1);
    holds.open(testHold(19));
    await expect.poll(() => got).toEqual([opened(17), opened(17), opened(19)]);
  });

  test('is not sent again where it cannot be put on the record, nor is a test', async () => {
    const { notifier, key, got, holds } = await withDeadLetter();
    const away = (): Promise<void> => Promise.reject(new Error('the ledger is away'));
    await expect(notifier.replay(key, away)).rejects.toThrow('away');
    await expect(notifier.test('oncall', away)).rejects.toThrow('away');
    holds.open(testHold(19));
    await expect.poll(() => got).toEqual([opened(17), opened(19)]);
  });

  test('of no such id, and a test of no such receiver, are not put on the record', async () => {
    const { notifier } = await withDeadLetter();
    let recorded = 0;
    const record = async (): Promise<void> => {
      recorded += 1;
    };
    await expect(notifier.replay('oncall/nothing', record)).rejects.toThrow('no dead letter');
    await expect(notifier.test('nobody', record)).rejects.toThrow('no receiver of this name');
    expect(recorded).toBe(0);
  });
});

test('a test that somebody asks for ends the pause after a failure', async () => {
  const { notifier, holds, count, got } = telling(refusesOnce());
  holds.open(testHold(17));
  await expect.poll(() => count('failed')).toBe(1);
  await notifier.test('oncall', () => Promise.resolve());
  await expect.poll(() => got).toEqual([opened(17), 'test.0000000000000000', opened(17)]);
});

describe('what waits for a receiver that the configuration no longer has', () => {
  const away = { deliver: () => Promise.reject(new NotTaken('answered 500')) };

  test('is a dead letter once its time is over, and is kept for it until then', async () => {
    const first = telling(away.deliver);
    first.holds.open(testHold(17));
    await expect.poll(() => first.count('failed')).toBe(1);
    await first.notifier.stop();
    const { notifier, time, count, onDisk } = telling(takes, { directory: first.directory, to: [] });
    time.advance(plain.giveUpAfterMs - 1);
    expect(notifier.messages()).toMatchObject([{ state: 'pending' }]);
    time.advance(1);
    const reason = 'its receiver is not configured';
    expect(notifier.messages()).toMatchObject([{ state: 'dead', reason }]);
    expect(count('dead')).toBe(1);
    await expect.poll(onDisk).toContain(reason);
  });

  test('is tried for as long as ever once somebody had it sent again, however long others wait', async () => {
    const directory = newDirectory();
    const notice = { type: 'holdpoint.test', atMs: startMs, severity: 'low', hold: null };
    const queued = (id: string, queuedAtMs: number) => ({
      op: 'queued',
      message: { receiver: 'oncall', queuedAtMs, notice: { ...notice, id } },
    });
    const again = [
      { op: 'dead', key: 'oncall/a', reason: 'answered 500', atMs: startMs - 50 },
      { op: 'again', key: 'oncall/a', atMs: startMs },
    ];
    const lines = [queued('a', startMs - 200), queued('b', startMs - 100), ...again];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    makePrivateDirectory(directory);
    writeFileSync(join(directory, 'outbox.ndjson'), text);
    const { notifier, time } = telling(takes, { directory, to: [] });
    time.advance(plain.giveUpAfterMs - 1);
    expect(notifier.messages()[0]).toMatchObject({ key: 'oncall/a', state: 'pending' });
    time.advance(1);
    expect(notifier.messages()[0]).toMatchObject({ state: 'dead' });
  });

  test('leaves no timer behind', async () => {
    const first = telling(away.deliver);
    first.holds.open(testHold(17));
    await expect.poll(() => first.count('failed')).toBe(1);
    await first.notifier.stop();
    const { notifier, time } = telling(takes, { directory: first.directory, to: [] });
    expect(time.nextWithin(Number.POSITIVE_INFINITY)).toBe(plain.giveUpAfterMs);
    await notifier.stop();
    expect(time.nextWithin(Number.POSITIVE_INFINITY)).toBeNull();
  });
});

describe('after a stop', () => {
  test('a message that was on its way is neither given up nor a failure, and is sent after a restart', async () => {
    const { deliver, waiting } = inHand();
    const { holds, notifier, events, directory } = telling(deliver);
    holds.open(testHold(17));
    await expect.poll(() => waiting.length).toBe(1);
    await notifier.stop();
    expect(events).toEqual([]);
    const again = telling(takes, { directory });
    await expect.poll(() => again.got).toEqual([opened(17)]);
  });

  test('a message that was taken all the same is not sent again after a restart', async () => {
    const taken = Promise.withResolvers<void>();
    const { holds, notifier, got, directory } = telling(() => taken.promise);
    holds.open(testHold(17));
    await expect.poll(() => got.length).toBe(1);
    const stopped = notifier.stop();
    taken.resolve();
    await stopped;
    const again = telling(takes, { directory }, [testHold(17)]);
    again.holds.open(testHold(19));
    await expect.poll(() => again.got).toEqual([opened(19)]);
  });

  test('nothing is told, and no timer is left', async () => {
    const { holds, notifier, count, got, time } = telling(() => Promise.reject(new NotTaken('answered 500')));
    holds.open(testHold(17));
    await expect.poll(() => count('failed')).toBe(1);
    await notifier.stop();
    expect(time.nextWithin(Number.POSITIVE_INFINITY)).toBeNull();
    holds.open(testHold(19));
    expect([got, notifier.messages().length]).toEqual([[opened(17)], 1]);
  });

  test('and a restart, what was sent is not sent again beside what is new', async () => {
    const first = telling(takes);
    first.holds.open(testHold(17));
    await expect.poll(() => first.count('sent')).toBe(1);
    await first.notifier.stop();
    const { holds, got } = telling(takes, { directory: first.directory }, [testHold(17)]);
    holds.open(testHold(19));
    await expect.poll(() => got).toEqual([opened(19)]);
  });
});
