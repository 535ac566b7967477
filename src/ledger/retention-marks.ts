/**
 * How far each retention rule has come: what a schedule need not look at again. Kept with what is derived and lost with
 * it, so that a ledger that was restored is looked at from its beginning; never evidence. Owned by whoever erases.
 */
import type { RecordStore } from './store.ts';

export interface RetentionMark {
  /** Names what the rule is about; a mark for anything else says nothing. */
  readonly about: string;
  /** Every entry below this seq was judged. */
  readonly upTo: number;
  /** `prev` of the entry before that: those that were judged are the ones that are there. */
  readonly prev: string;
  /** Decisions below it that are to be judged again: refused, or not due yet. */
  readonly again: readonly number[];
}

export interface RetentionMarks {
  /** Null where there is none. */
  get(rule: string): Promise<RetentionMark | null>;
  put(rule: string, mark: RetentionMark): Promise<void>;
}

/** Over the index's store, which it shares with others and does not close. */
export function openRetentionMarks(store: RecordStore): RetentionMarks {
  const keyOf = (rule: string): Buffer => Buffer.from(`retention ${rule}`);
  return {
    get: async (rule) => {
      const value = await store.get(keyOf(rule));
      return value === undefined ? null : parseMark(value.toString('utf8'));
    },
    put: (rule, mark) =>
      store.commit([{ key: keyOf(rule), value: Buffer.from(JSON.stringify(mark)) }], false),
  };
}

function parseMark(text: string): RetentionMark | null {
  try {
    const mark: unknown = JSON.parse(text);
    return isMark(mark) ? mark : null;
  } catch (error) {
    // As if there were none: everything is looked at again.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isMark(value: unknown): value is RetentionMark {
  if (typeof value !== 'object' || value === null) return false;
  const { about, upTo, prev, again }: Partial<Record<keyof RetentionMark, unknown>> = value;
  const isCount = (seq: unknown): boolean => Number.isSafeInteger(seq) && Number(seq) >= 0;
  return (
    typeof about === 'string' &&
    typeof prev === 'string' &&
    isCount(upTo) &&
    Array.isArray(again) &&
    again.every(isCount)
  );
}
