/**
 * What is derived from entries and small enough to be kept whole in memory: written as one value beside the lookup,
 * unsynced, with how far it goes. Rebuildable, never evidence.
 */
import { createInTurn } from '../core/in-turn.ts';
import type { Step } from './head.ts';
import type { RecordStore } from './store.ts';

export interface SmallState {
  /** Takes entries that became durable, in order. */
  add(steps: readonly Step[]): void;
  /** Seq of the first entry it has not seen. */
  nextSeq(): number;
  /** Starts over at entry 0. */
  forget(): void;
  flush(): Promise<void>;
}

export interface SmallStateOptions<T> {
  /** Shared with others, and not closed here. */
  readonly store: RecordStore;
  /** The key of the value, and the name of the list in it. */
  readonly key: string;
  readonly name: string;
  readonly isItem: (value: unknown) => value is T;
  /** Begins with these. */
  readonly load: (items: readonly T[]) => void;
  readonly take: (step: Step) => void;
  readonly items: () => readonly T[];
  readonly onError: (error: unknown) => void;
}

/** After a crash at most this many entries are read again. */
const unflushedMax = 65_536;

/** Opens it with what is stored. */
export async function openSmallState<T>(options: SmallStateOptions<T>): Promise<SmallState> {
  const { store, name } = options;
  const key = Buffer.from(options.key);
  const tip = parseTip(await store.get(key), options);
  options.load(tip.items);
  let { nextSeq } = tip;
  let flushedSeq = nextSeq;
  const inTurn = createInTurn();

  async function write(): Promise<void> {
    const seen = nextSeq;
    const value = JSON.stringify({ nextSeq: seen, [name]: options.items() });
    await store.commit([{ key, value: Buffer.from(value) }], false);
    flushedSeq = seen;
  }

  const flush = (): Promise<void> => inTurn(write);

  return {
    add: (steps) => {
      for (const step of steps) {
        options.take(step);
        nextSeq = step.seq + 1;
      }
      if (nextSeq - flushedSeq < unflushedMax) return;
      flushedSeq = nextSeq;
      flush().catch(options.onError);
    },
    nextSeq: () => nextSeq,
    forget: () => {
      nextSeq = 0;
      flushedSeq = 0;
      options.load([]);
    },
    flush,
  };
}

function parseTip<T>(value: Buffer | undefined, { name, isItem }: SmallStateOptions<T>) {
  const fresh = { nextSeq: 0, items: [] };
  if (value === undefined) return fresh;
  const tip: unknown = JSON.parse(value.toString('utf8'));
  if (!isObject(tip)) return fresh;
  const { nextSeq, [name]: items } = tip;
  if (typeof nextSeq !== 'number' || !Array.isArray(items) || !items.every(isItem)) return fresh;
  return { nextSeq, items };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
