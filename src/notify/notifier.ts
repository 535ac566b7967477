/**
 * Tells receivers what happened to holds, beside everything else: nothing waits for it, and a receiver that is slow
 * or away delays neither the others nor any call. A notice is on disk before it is sent, is tried until the receiver
 * takes it or its time is over, and is then a dead letter that a person can have sent again. At least once, not
 * exactly once: the notice's id is the same each time.
 */
import type { Clock, RandomBytes, Schedule } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import type { HoldEvent } from '../hold/desk.ts';
import type { Hold } from '../hold/record.ts';
import { backOffMs, giveWay, type Lane, openLanes, putNext } from './lane.ts';
import {
  isAlert,
  type Notice,
  type NoticeSeverity,
  type NoticeType,
  noticeOf,
  severities,
} from './notice.ts';
import { type Message, openOutbox } from './outbox.ts';
import { createPatience } from './patience.ts';
import { NotTaken, type Receiver } from './receiver.ts';
import { createReminders } from './reminders.ts';

export interface Subscription {
  readonly receiver: Receiver;
  readonly types: readonly NoticeType[];
  readonly severityMin: NoticeSeverity;
}

export interface NotifierOptions {
  readonly directory: string;
  readonly makeDirectory: (directory: string) => void;
  readonly to: readonly Subscription[];
  readonly holds: {
    list(): readonly Hold[];
    subscribe(listener: (event: HoldEvent) => void): () => void;
  };
  readonly decisionId: (seq: number) => string;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly random: RandomBytes;
  /** Milliseconds before a hold's expiry at which those who can rule are told again. */
  readonly remindBeforeMs: readonly number[];
  readonly timeoutMs: number;
  readonly giveUpAfterMs: number;
  /** Messages that wait, for each receiver; more become dead letters at once. */
  readonly queueMax: number;
  readonly onEvent: (event: NotifierEvent) => void;
}

export type NotifierEvent =
  | { readonly kind: 'sent' | 'dead' | 'dropped'; readonly receiver: string; readonly id: string }
  | { readonly kind: 'failed'; readonly receiver: string; readonly id: string; readonly reason: string }
  /** The outbox cannot be written: what is queued is still sent, and lost if the sidecar ends before. */
  | { readonly kind: 'not_durable'; readonly error: unknown };

/** @param key of the message that somebody has sent */
type OnRecord = (key: string) => Promise<void>;

export interface Notifier {
  messages(): readonly Message[];
  /**
   * Queues a dead letter again. Throws `not_found` where there is none of that key.
   * @param record resolves once it is on the record who asked; nothing is queued before, or where it rejects
   */
  replay(key: string, record: OnRecord): Promise<Message>;
  /** Queues a notice about nothing for one receiver, likewise. Throws `not_found` where there is none of that name. */
  test(receiver: string, record: OnRecord): Promise<Message>;
  /** Nothing is sent any more; what waits stays on disk. */
  stop(): Promise<void>;
}

const bounds = { deadMax: 10_000, sentMax: 20_000 };

const tooMany = 'too many wait for this receiver';

/** Starts with what a restart left: messages that wait, and holds that nobody was told of, or of the end of which. */
export function startNotifier(options: NotifierOptions): Notifier {
  const { clock, schedule, holds } = options;
  const outbox = openOutbox(options.directory, options.makeDirectory, bounds, ({ receiver, notice }) =>
    options.onEvent({ kind: 'dropped', receiver, id: notice.id }),
  );
  const waiting = outbox.all().filter(({ state }) => state === 'pending');
  const { lanes, nobodys } = openLanes(options.to, waiting);
  const cancelNobodys = giveUpInTime(nobodys);
  const patience = createPatience(clock, options.giveUpAfterMs, waiting);
  // No timer for each hold where nobody is to hear of it.
  const isReminded = options.to.some(({ types }) => types.includes('holdpoint.hold.reminder'));
  const reminders = createReminders({
    beforeMs: isReminded ? options.remindBeforeMs : [],
    clock,
    schedule,
    onDue: (hold, beforeMs) => tell('holdpoint.hold.reminder', hold, String(beforeMs)),
  });
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();

  // One may have ended as the process did, or between its being read again and now: with nobody here to hear of it.
  for (const hold of holds.list()) (hold.state.status === 'pending' ? opened : ruled)(hold);
  for (const lane of lanes.values()) wake(lane);
  const unsubscribe = holds.subscribe(({ kind, hold }) => {
    if (kind === 'opened') opened(hold);
    if (kind === 'ruled') ruled(hold);
    if (kind === 'glass-broken') tell('holdpoint.hold.glass_broken', hold);
    if (kind === 'review-overdue') tell('holdpoint.hold.review_overdue', hold);
  });

  function opened(hold: Hold): void {
    tell('holdpoint.hold.opened', hold);
    reminders.watch(hold);
  }

  function ruled(hold: Hold): void {
    reminders.forget(hold);
    tell(hold.state.status === 'expired' ? 'holdpoint.hold.expired' : 'holdpoint.hold.ruled', hold);
  }

  function tell(type: NoticeType, hold: Hold, mark = ''): void {
    const notice = noticeOf(type, hold, options.decisionId(hold.decision), clock.nowMs(), mark);
    const rank = severities.indexOf(notice.severity);
    for (const { receiver, types, severityMin } of options.to)
      if (types.includes(type) && rank >= severities.indexOf(severityMin)) enqueue(receiver.name, notice);
  }

  function enqueue(name: string, notice: Notice): void {
    const lane = lanes.get(name);
    if (lane === undefined || !outbox.add(name, notice, clock.nowMs())) return;
    const message = outbox.get(`${name}/${notice.id}`);
    if (message === undefined) return;
    patience.begin(message);
    const isAhead = isAlert(notice.type);
    if (lane.queue.length < options.queueMax || (isAhead && makeRoom(lane))) lane.queue.push(message.key);
    else giveUp(message, tooMany);
    save();
    // An alert does not wait behind the rest, nor for the end of a pause.
    if (isAhead && message.state === 'pending') hurry(lane, message.key);
    else wake(lane);
  }

  /** What is told of many holds gives way to an alert. False where only alerts wait. */
  function makeRoom(lane: Lane): boolean {
    const isOrdinary = (key: string): boolean => !isAlert(outbox.get(key)?.notice.type ?? 'holdpoint.test');
    const last = outbox.get(giveWay(lane, isOrdinary) ?? '');
    if (last !== undefined) giveUp(last, tooMany);
    return last !== undefined;
  }

  /** Everything said so far goes to disk, beside what goes on. */
  function save(): void {
    track(outbox.flush().catch((error: unknown) => options.onEvent({ kind: 'not_durable', error })));
  }

  function track(task: Promise<void>): void {
    running.add(task);
    task.finally(() => running.delete(task)).catch(() => undefined); // `task` handles its own failures.
  }

  function wake(lane: Lane): void {
    if (lane.isBusy || lane.failures > 0 || lane.queue.length === 0 || stopping.signal.aborted) return;
    track(work(lane));
  }

  /** A person asked for it: it is next, and the wait after a failure is over. */
  function hurry(lane: Lane, key: string): void {
    putNext(lane, key);
    lane.cancelTimer();
    lane.failures = 0;
    lane.isHurried = true;
    wake(lane);
  }

  /** Sends what waits, one at a time, until one is not taken; never rejects. */
  async function work(lane: Lane): Promise<void> {
    lane.isBusy = true;
    while (!stopping.signal.aborted) {
      const message = outbox.get(lane.queue[0] ?? '');
      if (message === undefined) break;
      lane.isHurried = false;
      // On disk before it is sent, so that a restart knows of it; a disk that is full stops no message.
      await outbox.flush().catch((error: unknown) => options.onEvent({ kind: 'not_durable', error }));
      const failure = await attempt(lane.receiver, message);
      // What was taken is not told again after the restart, also where the stop came meanwhile.
      if (failure !== null && stopping.signal.aborted) break;
      lane.queue.shift();
      if (failure === null) {
        lane.failures = 0;
        outbox.sent(message);
        options.onEvent({ kind: 'sent', receiver: message.receiver, id: message.notice.id });
        continue;
      }
      options.onEvent({
        kind: 'failed',
        receiver: message.receiver,
        id: message.notice.id,
        reason: failure.message,
      });
      if (failure.isFinal || patience.isLate(message)) {
        giveUp(message, failure.message);
        if (failure.isFinal) continue;
      } else lane.queue.push(message.key); // Last: one that is never taken must not keep the others.
      if (lane.isHurried) continue;
      lane.failures += 1;
      lane.cancelTimer = schedule(Math.max(failure.waitMs, backOffMs(lane, options.random)), () => {
        lane.cancelTimer = () => undefined;
        track(work(lane));
      });
      break;
    }
    lane.isBusy = false;
    save();
  }

  async function attempt(receiver: Receiver, { notice }: Message): Promise<NotTaken | null> {
    const late = new AbortController();
    const cancel = schedule(options.timeoutMs, () =>
      late.abort(new DOMException('too late', 'TimeoutError')),
    );
    try {
      await receiver.deliver(notice, AbortSignal.any([late.signal, stopping.signal]));
      return null;
    } catch (error) {
      // Anything else is a defect of ours, and still no reason to lose a message.
      return error instanceof NotTaken ? error : new NotTaken('sending failed inside Holdpoint');
    } finally {
      cancel();
    }
  }

  function giveUp(message: Message, reason: string): void {
    outbox.dead(message, reason, clock.nowMs());
    options.onEvent({ kind: 'dead', receiver: message.receiver, id: message.notice.id });
  }

  /** What waits for a receiver that is not configured is kept until all of it is late, should it be again. */
  function giveUpInTime(messages: readonly Message[]): () => void {
    if (messages.length === 0) return () => undefined;
    const lastMs = messages.reduce((ms, { queuedAtMs }) => Math.max(ms, queuedAtMs), 0);
    return schedule(lastMs + options.giveUpAfterMs - clock.nowMs(), () => {
      for (const message of messages) giveUp(message, 'its receiver is not configured');
      save();
    });
  }

  function deadLetter(key: string): { readonly message: Message; readonly lane: Lane } {
    const message = outbox.get(key);
    const lane = lanes.get(message?.receiver ?? '');
    if (message?.state === 'dead' && lane !== undefined) return { message, lane };
    throw new HoldpointError(
      'not_found',
      'There is no dead letter of this id for a receiver that is configured.',
      'List them with: holdpoint notifications list --state dead',
    );
  }

  function noReceiver(): HoldpointError {
    return new HoldpointError(
      'not_found',
      'There is no receiver of this name.',
      `Those of notify.to are: ${[...lanes.keys()].join(', ') || 'none'}.`,
    );
  }

  return {
    messages: () => outbox.all(),
    replay: async (key, record) => {
      deadLetter(key);
      await record(key);
      // Another may have asked for the same one meanwhile.
      const { message, lane } = deadLetter(key);
      outbox.again(message, clock.nowMs());
      patience.begin(message);
      hurry(lane, message.key);
      save();
      return message;
    },
    test: async (name, record) => {
      const id = `test.${options.random(8).toString('hex')}`;
      const key = `${name}/${id}`;
      const lane = lanes.get(name);
      if (lane === undefined) throw noReceiver();
      await record(key);
      enqueue(name, { id, type: 'holdpoint.test', atMs: clock.nowMs(), severity: 'low', hold: null });
      const message = outbox.get(key);
      if (message === undefined) throw noReceiver();
      if (message.state === 'pending') hurry(lane, message.key);
      return message;
    },
    stop: async () => {
      unsubscribe();
      stopping.abort();
      for (const lane of lanes.values()) lane.cancelTimer();
      cancelNobodys();
      reminders.stop();
      await Promise.all(running);
      await outbox.flush().catch((error: unknown) => options.onEvent({ kind: 'not_durable', error }));
      await outbox.close();
    },
  };
}
