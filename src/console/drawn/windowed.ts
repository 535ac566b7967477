/**
 * A long list of which only what is near the screen is drawn: in runs of lines, each a list of its own that goes on
 * counting. A run out of sight keeps the height it had, or is thought to have.
 */
import { Component, type ComponentChild, createRef, h } from 'preact';
import { useMemo } from 'preact/hooks';

/** Together with what is beside the list, a screen: what is drawn first is what is seen first. */
const runLines = 20;
/** Of the window's height, at the most: bars stand above it. */
const listShare = 0.9;
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

interface RunState {
  readonly isNear: boolean;
  /** Its height when it was drawn last; 0 while it never was. */
  readonly pixels: number;
}

/** What is out of sight is not drawn again whatever changes: there are hundreds of them. */
class Run<T> extends Component<RunProps<T>, RunState> {
  element = createRef<HTMLDivElement>();
  unwatch = (): void => undefined;
  override state: RunState = {
    isNear: (this.props.start - 1) * this.props.linePixels < innerHeight * listShare,
    pixels: 0,
  };

  override shouldComponentUpdate(next: RunProps<T>, { isNear, pixels }: RunState): boolean {
    if (isNear || next.isKept || this.state.isNear || this.props.isKept) return true;
    return next.items.length !== this.props.items.length || pixels !== this.state.pixels;
  }

  override componentDidMount(): void {
    const { current } = this.element;
    if (current === null) return;
    this.unwatch = this.props.watch(current, (entry) => {
      const isNear = entry.isIntersecting;
      this.setState(isNear ? { isNear } : { isNear, pixels: entry.boundingClientRect.height });
    });
  }

  override componentWillUnmount(): void {
    this.unwatch();
  }

  override render({ items, start, draw, linePixels, isKept, class: name }: RunProps<T>): ComponentChild {
    const { isNear, pixels } = this.state;
    const isDrawn = isNear || isKept;
    const height = pixels > 0 ? pixels : items.length * linePixels;
    return h(
      'div',
      { ref: this.element, class: 'run', ...(isDrawn ? {} : { style: { height: `${height}px` } }) },
      isDrawn ? h('ol', { class: name, start }, items.map(draw)) : null,
    );
  }
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
