/**
 * What a draft policy would have said of recorded decisions: pages as the control port answers them, and what several
 * pages say together. The command line adds them up by the same function. Imports only how answers are read.
 */
import { listIn, numberIn, shapeOf, textIn, textsIn } from './shape.ts';
import { joinUnreadable, readUnreadable, type Unreadable } from './unreadable-data.ts';

/** A number of decisions, and the newest of them by id. */
export interface Noted {
  readonly decisions: number;
  readonly examples: readonly string[];
}

export interface BacktestRule {
  readonly rule: string;
  readonly phase: string;
  /** '' where the draft has no such rule. */
  readonly title: string;
  /** Null where the draft has no such rule. */
  readonly action: string | null;
  readonly now: number;
  readonly before: number;
  readonly newly: Noted;
  readonly noLonger: Noted;
  readonly failed: Noted;
  readonly unknown: Noted;
}

export interface BacktestPage {
  readonly draft: { readonly version: string; readonly digest: string; readonly rules: number };
  readonly decisions: number;
  readonly replayed: { readonly request: number; readonly response: number };
  readonly rules: readonly BacktestRule[];
  readonly verdicts: readonly { readonly before: string; readonly now: string; readonly decisions: number }[];
  readonly notReplayed: readonly (Noted & { readonly reason: string; readonly phase: string })[];
  /** Where what is older goes on; null at the end. */
  readonly next: number | null;
  /** Damaged entries: what they are of is in none of the numbers. */
  readonly unreadable: readonly Unreadable[];
}

const examplesMax = 5;

/** Throws `ShapeError` where the answer is not a page. */
export function readBacktestPage(value: unknown): BacktestPage {
  const from = shapeOf(value, 'backtest');
  const draft = shapeOf(from['draft'], 'draft');
  const replayed = shapeOf(from['replayed'], 'replayed');
  return {
    draft: {
      version: textIn(draft, 'version'),
      digest: textIn(draft, 'digest'),
      rules: numberIn(draft, 'rules'),
    },
    decisions: numberIn(from, 'decisions'),
    replayed: { request: numberIn(replayed, 'request'), response: numberIn(replayed, 'response') },
    rules: listIn(from, 'rules', readRule),
    verdicts: listIn(from, 'verdicts', (item) => {
      const verdict = shapeOf(item, 'verdict');
      return {
        before: textIn(verdict, 'before'),
        now: textIn(verdict, 'now'),
        decisions: numberIn(verdict, 'decisions'),
      };
    }),
    notReplayed: listIn(from, 'notReplayed', (item) => {
      const obstacle = shapeOf(item, 'obstacle');
      return { reason: textIn(obstacle, 'reason'), phase: textIn(obstacle, 'phase'), ...readNoted(obstacle) };
    }),
    next: from['next'] === null ? null : numberIn(from, 'next'),
    unreadable: readUnreadable(from),
  };
}

function readRule(item: unknown): BacktestRule {
  const from = shapeOf(item, 'rule');
  return {
    rule: textIn(from, 'rule'),
    phase: textIn(from, 'phase'),
    title: textIn(from, 'title'),
    action: from['action'] === null ? null : textIn(from, 'action'),
    now: numberIn(from, 'now'),
    before: numberIn(from, 'before'),
    newly: readNoted(from['newly']),
    noLonger: readNoted(from['noLonger']),
    failed: readNoted(from['failed']),
    unknown: readNoted(from['unknown']),
  };
}

function readNoted(value: unknown): Noted {
  const from = shapeOf(value, 'count');
  return { decisions: numberIn(from, 'decisions'), examples: textsIn(from, 'examples') };
}

/** What two pages say together; `next` is that of the second. */
export function addPages(a: BacktestPage, b: BacktestPage): BacktestPage {
  return {
    draft: a.draft,
    decisions: a.decisions + b.decisions,
    replayed: {
      request: a.replayed.request + b.replayed.request,
      response: a.replayed.response + b.replayed.response,
    },
    rules: joined(
      a.rules,
      b.rules,
      ({ phase, rule }) => `${phase} ${rule}`,
      (one, other) => ({
        ...one,
        now: one.now + other.now,
        before: one.before + other.before,
        newly: addNoted(one.newly, other.newly),
        noLonger: addNoted(one.noLonger, other.noLonger),
        failed: addNoted(one.failed, other.failed),
        unknown: addNoted(one.unknown, other.unknown),
      }),
    ),
    verdicts: joined(
      a.verdicts,
      b.verdicts,
      ({ before, now }) => `${before} ${now}`,
      (one, other) => ({ ...one, decisions: one.decisions + other.decisions }),
    ),
    notReplayed: joined(
      a.notReplayed,
      b.notReplayed,
      ({ phase, reason }) => `${phase} ${reason}`,
      (one, other) => ({ ...one, ...addNoted(one, other) }),
    ),
    next: b.next,
    unreadable: joinUnreadable(a.unreadable, b.unreadable),
  };
}

function joined<T>(
  a: readonly T[],
  b: readonly T[],
  keyOf: (item: T) => string,
  add: (a: T, b: T) => T,
): readonly T[] {
  const byKey = new Map(a.map((item) => [keyOf(item), item]));
  for (const item of b) {
    const known = byKey.get(keyOf(item));
    byKey.set(keyOf(item), known === undefined ? item : add(known, item));
  }
  return [...byKey.values()];
}

function addNoted(a: Noted, b: Noted): Noted {
  return {
    decisions: a.decisions + b.decisions,
    examples: [...a.examples, ...b.examples].slice(0, examplesMax),
  };
}
