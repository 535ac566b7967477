/** Damaged entries as the control port tells of them. Imports only how answers are read. */
import { listIn, numberIn, type Shape, shapeOf, textIn } from './shape.ts';

/** An entry that cannot be read, or a run of them. */
export interface Unreadable {
  readonly seq: number;
  readonly last: number;
  /** '' where it is not known. */
  readonly decision: string;
  readonly why: string;
}

export function readUnreadable(from: Shape, name = 'unreadable'): readonly Unreadable[] {
  return listIn(from, name, (value) => {
    const entry = shapeOf(value, 'unreadable entry');
    const decision = entry['decision'] === null ? '' : textIn(entry, 'decision');
    return {
      seq: numberIn(entry, 'seq'),
      last: numberIn(entry, 'last'),
      decision,
      why: textIn(entry, 'why'),
    };
  });
}

/** Two lists of them as one; of the same entry the one that says whose it is. */
export function joinUnreadable(a: readonly Unreadable[], b: readonly Unreadable[]): readonly Unreadable[] {
  const bySeq = new Map(a.map((one) => [one.seq, one]));
  for (const one of b) if ((bySeq.get(one.seq)?.decision ?? '') === '') bySeq.set(one.seq, one);
  return [...bySeq.values()];
}

export function entriesIn(told: readonly Unreadable[]): number {
  return told.reduce((sum, { seq, last }) => sum + last - seq + 1, 0);
}
