/** Telling receivers: once each, later when they are away, given up at the end, kept over a restart. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { noProxy } from '../../src/core/egress.ts';
import { cloudEventOf } from '../../src/notify/notice.ts';
import {
  type Notifier,
  type NotifierEvent,
  type NotifierOptions,
  startNotifier,
} from '../../src/notify/notifier.ts';
import { openWebReceiver } from '../../src/notify/web-receiver.ts';
import { makePrivateDirectory } from '../../src/store/directory.ts';
import { eventually } from '../contract/support/sidecar.ts';
import { newDirectory, plain, startReceiver, testHold, testHolds, testTime } from './scene.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function receiverThat(answer: Parameters<typeof startReceiver>[0]) {
  const receiver = await startReceiver(answer);
  open.push(receiver);
  return receiver;
}

function scene(
  url: string,
  given: Partial<NotifierOptions> = {},
  pending: Parameters<typeof testHolds>[0] = [],
) {
  const time = testTime();
  const holds = testHolds(pending);
  const events: NotifierEvent[] = [];
  const directory = given.directory ?? newDirectory();
  const receiver = openWebReceiver({
    name: 'oncall',
    url: () => url,
    contentType: 'application/cloudevents+json; charset=utf-8',
    bodyOf: (notice) => cloudEventOf(notice, 'holdpoint/test', 'https://console.example.com'),
    secret: () => secret,
    clock: { ...time.clock, nowMs: () => Date.now() },
    egress: noProxy,
  });
  const notifier = startNotifier({
    ...plain,
    directory,
    makeDirectory: makePrivateDirectory,
    to: [
      {
        receiver,
        types: [
          'holdpoint.hold.opened',
          'holdpoint.hold.reminder',
          'holdpoint.hold.ruled',
          'holdpoint.hold.expired',
          'holdpoint.hold.glass_broken',
          'holdpoint.hold.review_overdue',
        ],
        severityMin: 'low',
      },
    ],
    holds,
    clock: time.clock,
    schedule: time.schedule,
    onEvent: (event) => events.push(event),
    ...given,
  });
  open.push({ close: () => notifier.stop() });
  return { time, holds, events, directory, notifier, receiver };
}

const states = (notifier: Notifier) => notifier.messages().map(({ key, state }) => `${key} ${state}`);
const sentTo = (events: readonly NotifierEvent[], n: number) =>
  eventually(async () => events.filter(({ kind }) => kind === 'sent').length >= n);
const failed = (events: readonly NotifierEvent[], n: number) =>
  eventually(async () => events.filter(({ kind }) => kind === 'failed').length >= n);

describe('a release by one person alone', () => {
  it.each([
    ['glass-broken', 'holdpoint.hold.glass_broken'],
    ['review-overdue', 'holdpoint.hold.review_overdue'],
  ] as const)(
    'is told when it is %s, as critical whatever its rule is, before what waits',
    async (kind, type) => {
      const receiver = await receiverThat((n) => ({ status: n === 1 ? 503 : 204 }));
      const { holds, events } = scene(receiver.url);
      holds.open(testHold(17));
      await failed(events, 1);
      holds.open(testHold(18));
      // The receiver is left alone for a while: only the alert ends that.
      holds.alert(kind, testHold(19, 'low'));
      await sentTo(events, 3);
      const told = receiver.got.slice(1).map(({ body }) => JSON.parse(body));
      expect(told[0]).toMatchObject({ type, subject: testHold(19).id, data: { severity: 'critical' } });
    },
  );
});

describe('a hold that opens', () => {
  it('is told as a signed CloudEvent with ids, rule, severity, deadline and a link', async () => {
    const receiver = await receiverThat(() => ({ status: 204 }));
    const { holds, events } = scene(receiver.url);
    holds.open(testHold(17));
    await sentTo(events, 1);
    const [first] = receiver.got;
    const event: unknown = new Webhook(secret).verify(first?.body ?? '', {
      'webhook-id': String(first?.headers['webhook-id']),
      'webhook-timestamp': String(first?.headers['webhook-timestamp']),
      'webhook-signature': String(first?.headers['webhook-signature']),
    });
    expect(first?.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(event).toEqual({
      specversion: '1.0',
      id: 'h-0a1b2c3d-17.opened',
      source: 'holdpoint/test',
      type: 'holdpoint.hold.opened',
      time: '2026-11-26T10:00:00.000Z',
      datacontenttype: 'application/json',
      subject: 'h-0a1b2c3d-17',
      data: {
        severity: 'high',
        link: 'https://console.example.com/#/holds/h-0a1b2c3d-17',
        hold: {
          id: 'h-0a1b2c3d-17',
          decisionId: 'd-0a1b2c3d-16',
          phase: 'response',
          state: 'pending',
          rules: [{ id: 'large-transfer', title: 'Transfers need a reviewer' }],
          policyVersion: 'test',
          openedAt: '2026-11-26T10:00:00.000Z',
          expiresAt: '2026-11-26T10:15:00.000Z',
        },
      },
    });
  });

  it('is not told where it is less severe than the receiver asks for', async () => {
    const receiver = await receiverThat(() => ({ status: 204 }));
    const first = scene(receiver.url);
    const { holds, notifier } = scene(receiver.url, {
      to: [{ receiver: first.receiver, types: ['holdpoint.hold.opened'], severityMin: 'high' }],
    });
    holds.open(testHold(17, 'low'));
    expect(notifier.messages()).toEqual([]);
  });

  it('is reminded of before it expires, and not once it is ruled on', async () => {
    const receiver = await receiverThat(() => ({ status: 204 }));
    const { holds, events, time } = scene(receiver.url);
    const [kept, ruled] = [testHold(17), testHold(19)];
    holds.open(kept);
    holds.open(ruled);
    holds.rule(ruled, 'released');
    await sentTo(events, 3);
    time.advance(600_000);
    await sentTo(events, 4);
    expect(receiver.got.map(({ headers }) => headers['webhook-id'])).toEqual([
      'h-0a1b2c3d-17.opened',
      'h-0a1b2c3d-19.opened',
      'h-0a1b2c3d-19.ruled',
      'h-0a1b2c3d-17.reminder.300000',
    ]);
  });
});

describe('a receiver that does not take a message', () => {
  it('is tried again after a time that doubles, under the same id', async () => {
    const receiver = await receiverThat((n) => ({ status: n < 4 ? 500 : 200 }));
    const { holds, events, time } = scene(receiver.url);
    holds.open(testHold(17));
    const waits: (number | null)[] = [];
    for (const n of [1, 2, 3]) {
      await failed(events, n);
      const wait = await eventually(async () => time.nextWithin(100_000));
      waits.push(wait);
      time.advance(wait);
    }
    await sentTo(events, 1);
    expect(waits).toEqual([1_000, 2_000, 4_000]);
    expect(new Set(receiver.got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('is left alone as long as it asks', async () => {
    const receiver = await receiverThat(() => ({ status: 429, headers: { 'retry-after': '90' } }));
    const { holds, events, time } = scene(receiver.url);
    holds.open(testHold(17));
    await failed(events, 1);
    expect(await eventually(async () => time.nextWithin(100_000))).toBe(90_000);
  });

  it('does not send the message where a redirect points', async () => {
    const other = await receiverThat(() => ({ status: 200 }));
    const receiver = await receiverThat(() => ({ status: 307, headers: { location: other.url } }));
    const { holds, events } = scene(receiver.url);
    holds.open(testHold(17));
    await failed(events, 1);
    expect(other.got).toEqual([]);
    expect(events).toContainEqual({
      kind: 'failed',
      receiver: 'oncall',
      id: 'h-0a1b2c3d-17.opened',
      reason: 'answered 307: redirects are not followed',
    });
  });

  it('keeps one message that is never taken behind the others', async () => {
    const receiver = await receiverThat((n) => ({ status: n === 1 ? 500 : 200 }));
    const { holds, events, time, notifier } = scene(receiver.url);
    holds.open(testHold(17));
    await failed(events, 1);
    holds.open(testHold(19));
    time.advance(await eventually(async () => time.nextWithin(10_000)));
    await sentTo(events, 2);
    expect(receiver.got.map(({ headers }) => headers['webhook-id'])).toEqual([
      'h-0a1b2c3d-17.opened',
      'h-0a1b2c3d-17.opened',
      'h-0a1b2c3d-19.opened',
    ]);
    expect(states(notifier)).toEqual([
      'oncall/h-0a1b2c3d-17.opened sent',
      'oncall/h-0a1b2c3d-19.opened sent',
    ]);
  });

  it('gets a dead letter once the time is over, which a person sends again', async () => {
    const receiver = await receiverThat((n) => ({ status: n < 3 ? 500 : 200 }));
    const { holds, events, time, notifier } = scene(receiver.url, { giveUpAfterMs: 1_000 });
    holds.open(testHold(17));
    await failed(events, 1);
    time.advance(await eventually(async () => time.nextWithin(10_000)));
    await eventually(async () => events.some(({ kind }) => kind === 'dead'));
    const [dead] = notifier.messages();
    expect([dead?.state, dead?.reason]).toEqual(['dead', 'answered 500']);
    const record = (): Promise<void> => Promise.resolve();
    await notifier.replay('oncall/h-0a1b2c3d-17.opened', record);
    await sentTo(events, 1);
    await expect(notifier.replay('oncall/h-0a1b2c3d-17.opened', record)).rejects.toThrow(/no dead letter/);
  });

  it('that is gone for good gets a dead letter at once', async () => {
    const receiver = await receiverThat(() => ({ status: 410 }));
    const { holds, events } = scene(receiver.url);
    holds.open(testHold(17));
    await eventually(async () => events.some(({ kind }) => kind === 'dead'));
    expect(receiver.got.length).toBe(1);
  });

  it('has a bounded queue; what is too many is a dead letter, not lost', async () => {
    const receiver = await receiverThat(() => ({ status: 500 }));
    const { holds, events, notifier } = scene(receiver.url, { queueMax: 2 });
    holds.open(testHold(17));
    await failed(events, 1);
    for (const seq of [19, 21, 23]) holds.open(testHold(seq));
    expect(states(notifier).map((line) => line.split(' ')[1])).toEqual([
      'pending',
      'pending',
      'dead',
      'dead',
    ]);
  });
});

describe('a restart', () => {
  it('sends what was not taken before, and nothing twice', async () => {
    const away = await receiverThat(() => ({ status: 503 }));
    const first = scene(away.url);
    first.holds.open(testHold(17));
    await failed(first.events, 1);
    await first.notifier.stop();
    const back = await receiverThat(() => ({ status: 200 }));
    const second = scene(back.url, { directory: first.directory }, [testHold(17)]);
    await sentTo(second.events, 1);
    await second.notifier.stop();
    const third = scene(back.url, { directory: first.directory }, [testHold(17)]);
    await third.notifier.stop();
    expect(back.got.map(({ headers }) => headers['webhook-id'])).toEqual(['h-0a1b2c3d-17.opened']);
  });

  it('tells of a pending hold that nobody was told of', async () => {
    const receiver = await receiverThat(() => ({ status: 200 }));
    const { events } = scene(receiver.url, {}, [testHold(17)]);
    await sentTo(events, 1);
    expect(receiver.got[0]?.headers['webhook-id']).toBe('h-0a1b2c3d-17.opened');
  });

  it('leaves out a line that a crash cut off, and refuses one that is damaged', async () => {
    const receiver = await receiverThat(() => ({ status: 200 }));
    const first = scene(receiver.url);
    first.holds.open(testHold(17));
    await sentTo(first.events, 1);
    await first.notifier.stop();
    const file = join(first.directory, 'outbox.ndjson');
    appendFileSync(file, '{"op":"queued","mess');
    const second = scene(receiver.url, { directory: first.directory });
    expect(states(second.notifier)).toEqual(['oncall/h-0a1b2c3d-17.opened sent']);
    await second.notifier.stop();
    writeFileSync(file, `{"op":"other"}\n${readFileSync(file, 'utf8')}`);
    expect(() => scene(receiver.url, { directory: first.directory })).toThrow(/line 1 is not one of ours/);
  });
});
