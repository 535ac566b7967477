/**
 * What a page reads from the sidecar: once when it opens, again when its address changes, somebody asks, something was
 * heard of it, or an outage is over.
 */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Desk } from './desk.ts';
import { isOutage, messageOf } from './desk-state.ts';

export interface Fetched<T> {
  /** What was read last; null until then. What is old stays while what is new is read. */
  readonly value: T | null;
  readonly problem: string;
  readonly busy: boolean;
  readonly again: () => void;
}

interface State<T> extends Omit<Fetched<T>, 'again'> {
  /** It could not be read for an outage. */
  readonly isOutage: boolean;
}

const unread = { value: null, problem: '', busy: false, isOutage: false };

/**
 * `read` takes the answer apart; a path of null reads nothing. What is there is read again whenever another `version` of it
 * was heard of, also while an answer is on its way.
 */
export function useFetched<T>(
  desk: Desk,
  path: string | null,
  read: (answer: unknown) => T,
  version = 0,
): Fetched<T> {
  const [state, setState] = useState<State<T>>(unread);
  const [round, setRound] = useState(0);
  const wanted = useRef('');
  const again = (): void => setRound((count) => count + 1);
  const isAsked = useAfterOutage(desk, state.isOutage, again);
  useEffect(() => {
    const mine = `${path} ${round} ${version}`;
    wanted.current = mine;
    if (path === null) return;
    isAsked();
    setState((before) => ({ ...before, busy: true }));
    // An answer that comes after the page turned elsewhere is dropped.
    const settle = (next: Partial<State<T>>): void => {
      if (wanted.current === mine) setState((before) => ({ ...before, busy: false, ...next }));
    };
    desk
      .fetch(path)
      .then(read)
      .then(
        (value) => settle({ value, problem: '', isOutage: false }),
        (error: unknown) => settle({ problem: messageOf(error), isOutage: isOutage(error) }),
      );
  }, [path, round, version]);
  return { ...state, again };
}

/**
 * Reads again what an outage kept from being read, once for each connection that came after it was asked for: also for
 * one that is there before the reading fails. Returns what to call whenever it is asked for.
 */
export function useAfterOutage(desk: Desk, isMissed: boolean, again: () => void): () => void {
  const { connections } = desk.get();
  const askedAt = useRef(connections);
  useEffect(() => {
    if (isMissed && askedAt.current !== connections) again();
  }, [isMissed, connections]);
  return () => {
    askedAt.current = desk.get().connections;
  };
}

/** Says why something could not be read, with the way to try again. */
export function Problem(props: { readonly of: Pick<Fetched<unknown>, 'problem' | 'again'> }): ComponentChild {
  const { problem, again } = props.of;
  if (problem === '') return null;
  return h('div', { class: 'problem hold-problem', role: 'alert' }, [
    h('p', null, problem),
    h('button', { type: 'button', class: 'button', onClick: again }, 'Read it again'),
  ]);
}

interface PageFrameProps {
  readonly title: ComponentChild | string;
  readonly lead?: ComponentChild | string;
  readonly children?: ComponentChild;
  readonly label: string;
}

/** The frame of a page that is not the inbox; its title takes the focus when the page opens. */
export function PageFrame({ title, lead, label, children }: PageFrameProps): ComponentChild {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), [label]);
  return h(
    'div',
    { class: 'page' },
    h('div', { class: 'page-inner' }, [
      h('header', { key: 'head', class: 'page-head' }, [
        h('h1', { ref: heading, tabIndex: -1 }, title),
        lead === undefined ? null : h('p', { class: 'quiet' }, lead),
      ]),
      children,
    ]),
  );
}
