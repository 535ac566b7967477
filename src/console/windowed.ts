/**
 * A long list of which only what is near the screen is drawn: in runs of lines, each a list of its own that goes on
 * counting. A run out of sight keeps the height it had, or is thought to have.
 */
import { type ComponentChild, h } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

const runLines = 40;
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
  const keptRun = kept === null ? -1 : Math.floor(items.findIndex((item) => keyOf(item) === kept) / runLines);
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
      }),
    ),
  );
}

function Run<T>(
  props: WindowedProps<T> & { readonly start: number; readonly isKept: boolean },
): ComponentChild {
  const { items, start, draw, linePixels, isKept } = props;
  const element = useRef<HTMLDivElement>(null);
  const [isNear, setNear] = useState(start === 1);
  const [pixels, setPixels] = useState(0);
  useEffect(() => {
    const { current } = element;
    if (current === null) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry === undefined) return;
        if (!entry.isIntersecting) setPixels(entry.boundingClientRect.height);
        setNear(entry.isIntersecting);
      },
      { root: current.closest('.inbox'), rootMargin: `${marginPixels}px 0px` },
    );
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  const isDrawn = isNear || isKept;
  const height = pixels > 0 ? pixels : items.length * linePixels;
  return h(
    'div',
    { ref: element, ...(isDrawn ? {} : { style: { height: `${height}px` } }) },
    isDrawn ? h('ol', { class: props.class, start }, items.map(draw)) : null,
  );
}
