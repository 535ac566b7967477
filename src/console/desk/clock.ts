/** One clock for all ages and countdowns on the page, ticking on the second by the sidecar's time. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ageText, exactText, leftText, urgencyOf } from '../words/time.ts';

const tickMs = 1_000;
const listeners = new Set<() => void>();
let now = (): number => Date.now();

export function startClock(nowMs: () => number): void {
  now = nowMs;
  setInterval(() => {
    if (!document.hidden) for (const listener of listeners) listener();
  }, tickMs);
  document.addEventListener('visibilitychange', () => {
    for (const listener of listeners) listener();
  });
}

/** The time; whoever asks is drawn again every second. */
export function useNow(): number {
  const [, draw] = useState(0);
  useEffect(() => {
    const listener = (): void => draw((count) => count + 1);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return now();
}

/** Whether an instant is past; whoever asks is drawn again only when that changes. */
export function useIsPast(atMs: number): boolean {
  const [isPast, setPast] = useState(now() >= atMs);
  useEffect(() => {
    const listener = (): void => setPast(now() >= atMs);
    listener();
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, [atMs]);
  return isPast;
}

interface AgeProps {
  readonly atMs: number;
  readonly suffix?: string;
  readonly class?: string;
}

export function Age({ atMs, suffix = '', class: place = '' }: AgeProps): ComponentChild {
  const text = ageText(useNow() - atMs);
  const title = exactText(atMs);
  const shown = text === 'now' || suffix === '' ? text : `${text} ${suffix}`;
  return h('time', { class: classesOf('num', place), dateTime: new Date(atMs).toISOString(), title }, shown);
}

/** What is left until the deadline; its urgency is a word in the class and, from `soon` on, bold as well as coloured. */
interface TimeLeftProps {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly class?: string;
}

export function TimeLeft(props: TimeLeftProps): ComponentChild {
  const leftMs = props.untilMs - useNow();
  const urgency = urgencyOf(leftMs, props.untilMs - props.fromMs);
  return h(
    'time',
    {
      class: classesOf(`num left left-${urgency}`, props.class ?? ''),
      dateTime: new Date(props.untilMs).toISOString(),
      title: `Expires ${exactText(props.untilMs)}`,
    },
    urgency === 'over' ? 'time is over' : `${leftText(leftMs)} left`,
  );
}

function classesOf(own: string, place: string): string {
  return place === '' ? own : `${own} ${place}`;
}
