/** What people do about holds besides ruling on one, as the control port answers it. */
import { type HoldSummary, readSummary } from './hold-data.ts';
import { instantIn, listIn, numberIn, shapeOf, textIn, wordIn } from './shape.ts';
import { readUnreadable, type Unreadable } from './unreadable-data.ts';

/** What became of one of many holds. */
export interface Ruled {
  readonly id: string;
  /** As it is now; null where it was refused. */
  readonly hold: HoldSummary | null;
  /** Why it was refused; '' where it was not. */
  readonly refusal: string;
}

export function readRuled(value: unknown): readonly Ruled[] {
  return listIn(shapeOf(value, 'rulings'), 'items', (item) => {
    const from = shapeOf(item, 'ruling');
    const { hold, refusal } = from;
    return {
      id: textIn(from, 'id'),
      hold: hold === null ? null : readSummary(hold),
      refusal: refusal === null ? '' : textIn(shapeOf(refusal, 'refusal'), 'detail'),
    };
  });
}

/** What became of the others, in a sentence each. */
export function togetherText(ruled: readonly Ruled[], openId: string): string {
  const others = ruled.filter(({ id }) => id !== openId);
  const refused = others.filter(({ hold }) => hold === null);
  const went = others.length - refused.length;
  return [
    went === 0 ? '' : `So ${went === 1 ? 'is 1 other' : `are ${went} others`} with the same bytes.`,
    ...refused.map(({ id, refusal }) => `${id} was refused: ${refusal}`),
  ]
    .filter(Boolean)
    .join(' ');
}

export const reviewStates = ['open', 'overdue', 'reviewed'] as const;

/** A release by one person alone, and what somebody else found of it. */
export interface ReviewDue {
  readonly hold: string;
  /** Why it was held: the titles of its rules. */
  readonly rules: readonly string[];
  readonly by: string;
  readonly atMs: number;
  readonly dueAtMs: number;
  readonly state: (typeof reviewStates)[number];
  readonly finding: { readonly by: string; readonly verdict: string; readonly atMs: number } | null;
}

export interface ReviewPage {
  readonly items: readonly ReviewDue[];
  /** Damaged entries; releases that they are of are not among the items. */
  readonly unreadable: readonly Unreadable[];
  /** How many they are, those that are not told among them. */
  readonly unreadableEntries: number;
}

export function readReviews(value: unknown): ReviewPage {
  const page = shapeOf(value, 'reviews');
  return {
    items: listIn(page, 'items', readDue),
    unreadable: readUnreadable(page),
    unreadableEntries: numberIn(page, 'unreadableEntries'),
  };
}

function readDue(item: unknown): ReviewDue {
  const from = shapeOf(item, 'review');
  return {
    hold: textIn(from, 'hold'),
    rules: listIn(from, 'rules', (rule) => textIn(shapeOf(rule, 'rule'), 'title')),
    by: textIn(from, 'by'),
    atMs: instantIn(from, 'at'),
    dueAtMs: instantIn(from, 'dueAt'),
    state: wordIn(from, 'state', reviewStates, 'open'),
    finding: from['review'] === null ? null : readFinding(from['review']),
  };
}

function readFinding(value: unknown): ReviewDue['finding'] {
  const from = shapeOf(value, 'finding');
  return { by: textIn(from, 'by'), verdict: textIn(from, 'verdict'), atMs: instantIn(from, 'at') };
}
