/**
 * A long list of which only what is near the screen is drawn: in runs of lines, each a list of its own that goes on
 * counting. A run out of sight keeps the height it had, or is thought to have.
 */
import { type ComponentChild, h } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

/** Together with what is beside the list, a screen: what is drawn first is what is seen first. */
const runLines = 20;
/** A run is drawn when it is this close to the screen. */
const marginPixels = 900;

interface WindowedProps<T> {
  readonly class: string;
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  readonly draw: (item: T) => ComponentChild;
  /** Key of an item that is always drawn: the focus goes there. */
  readonly kept: string | null;
  readonly linePixels: number;
}

export function Windowed<T>(props: WindowedProps<T>): ComponentChild {
  const { items, keyOf, kept } = props;
  const runs = useMemo(() => {
    const cut: (readonly T[])[] = [];
    for (let at = 0; at < items.length; at += runLines) cut.push(items.slice(at, at + runLines));
    return cut;
  }, [items]);
  const keptRun = useMemo(
    () => (kept === null ? -1 : Math.floor(items.findIndex((item) => keyOf(item) === kept) / runLines)),
    [items, kept],
  );
  const watch = useMemo(createWatch, []);
  return h(
    'div',
    { class: 'runs' },
    runs.map((run, i) =>
      h(Run<T>, {
        key: i,
        ...props,
        items: run,
        start: i * runLines + 1,
        isKept: i === keptRun,
        watch,
      }),
    ),
  );
}

interface RunProps<T> extends WindowedProps<T> {
  readonly start: number;
  readonly isKept: boolean;
  readonly watch: Watch;
}

function Run<T>(props: RunProps<T>): ComponentChild {
  const { items, start, draw, linePixels, isKept, watch } = props;
  const element = useRef<HTMLDivElement>(null);
  const [isNear, setNear] = useState((start - 1) * linePixels < innerHeight);
  const [pixels, setPixels] = useState(0);
  useEffect(() => {
    const { current } = element;
    if (current === null) return;
    return watch(current, (entry) => {
      if (!entry.isIntersecting) setPixels(entry.boundingClientRect.height);
      setNear(entry.isIntersecting);
    });
  }, []);
  const isDrawn = isNear || isKept;
  const height = pixels > 0 ? pixels : items.length * linePixels;
  return h(
    'div',
    { ref: element, class: 'run', ...(isDrawn ? {} : { style: { height: `${height}px` } }) },
    isDrawn ? h('ol', { class: props.class, start }, items.map(draw)) : null,
  );
}

/** Tells `heard` of each crossing of the margin around the screen; what it returns ends that. */
type Watch = (element: Element, heard: (entry: IntersectionObserverEntry) => void) => () => void;

/** One observer for all runs: each costs something at every frame. */
function createWatch(): Watch {
  const listeners = new Map<Element, (entry: IntersectionObserverEntry) => void>();
  let observer: IntersectionObserver | null = null;
  return (element, heard) => {
    observer ??= new IntersectionObserver(
      (entries) => {
        for (const entry of entries) listeners.get(entry.target)?.(entry);
      },
      { root: element.closest('.inbox'), rootMargin: `${marginPixels}px 0px` },
    );
    listeners.set(element, heard);
    observer.observe(element);
    return () => {
      listeners.delete(element);
      observer?.unobserve(element);
    };
  };
}
