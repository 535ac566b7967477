/** Counts what a replay found, rule by rule, with a few decisions as examples. Bounded by the number of rules. Pure. */
import type { DraftRule } from '../policy/backtest.ts';
import type { Action, Phase } from '../policy/policy.ts';
import type { Obstacle } from './messages.ts';

/** What one phase of a decision said then and says now; the sets are of rules' ids. */
export interface PhaseResult {
  readonly phase: Phase;
  readonly before: ReadonlySet<string>;
  readonly now: ReadonlySet<string>;
  /** Of those that match now: they could not be decided. */
  readonly failed: ReadonlySet<string>;
  /** Not tried everywhere, because the record lacks a fact that they read. */
  readonly unknown: ReadonlySet<string>;
  readonly verdictBefore: Verdict;
  /** Null where a rule was not tried. */
  readonly verdictNow: Verdict | null;
}

export interface Noted {
  readonly decisions: number;
  /** Request seqs of the newest of them. */
  readonly examples: readonly number[];
}

export interface RuleTally {
  readonly rule: string;
  readonly phase: Phase;
  /** What the draft has under this id; null where only the record does. */
  readonly draft: DraftRule | null;
  readonly now: number;
  readonly before: number;
  readonly newly: Noted;
  readonly noLonger: Noted;
  readonly failed: Noted;
  readonly unknown: Noted;
}

export type Verdict = Action | 'pass';

export interface Change {
  readonly before: Verdict;
  readonly now: Verdict;
  readonly decisions: number;
}

export interface Stopped {
  readonly phase: Phase;
  readonly obstacle: Obstacle;
}

export interface Tally {
  add(seq: number, results: readonly PhaseResult[], stopped: readonly Stopped[]): void;
  /** How many were looked at. */
  decisions(): number;
  replayed(): { readonly request: number; readonly response: number };
  rules(): readonly RuleTally[];
  /** Over decisions of which every judged phase was replayed by every rule. */
  verdicts(): readonly Change[];
  obstacles(): readonly (Stopped & Noted)[];
}

const examplesMax = 5;
/** Rules of earlier policies that the draft lacks; beyond these, further ids are counted together. */
const formerRulesMax = 1_000;
const otherRules = 'holdpoint:other-rules';
const strictness = ['pass', 'flag', 'hold', 'deny'] as const;

/** The stricter of two verdicts. */
export function stricter(a: Verdict, b: Verdict): Verdict {
  return strictness.indexOf(b) > strictness.indexOf(a) ? b : a;
}

type Counted<T> = { -readonly [K in keyof T]: T[K] };
type Notes = { decisions: number; readonly examples: number[] };
type Row = Counted<Omit<RuleTally, 'newly' | 'noLonger' | 'failed' | 'unknown'>> &
  Readonly<Record<'newly' | 'noLonger' | 'failed' | 'unknown', Notes>>;

export function createTally(draftRules: readonly DraftRule[]): Tally {
  const rows = new Map(
    draftRules.map((draft) => [`${draft.phase} ${draft.id}`, emptyRow(draft.id, draft.phase, draft)]),
  );
  const obstacles = new Map<string, Stopped & Notes>();
  const verdicts = new Map<string, Counted<Change>>();
  const replayed = { request: 0, response: 0 };
  let decisions = 0;

  function rowOf(id: string, phase: Phase): Row {
    const known = rows.get(`${phase} ${id}`);
    if (known !== undefined) return known;
    const rule = rows.size - draftRules.length < formerRulesMax ? id : otherRules;
    const row = rows.get(`${phase} ${rule}`) ?? emptyRow(rule, phase, null);
    rows.set(`${phase} ${rule}`, row);
    return row;
  }

  function addPhase(seq: number, { phase, before, now, failed, unknown }: PhaseResult): void {
    replayed[phase] += 1;
    for (const id of new Set([...before, ...now, ...unknown])) {
      const row = rowOf(id, phase);
      if (before.has(id)) row.before += 1;
      if (now.has(id)) row.now += 1;
      if (failed.has(id)) note(row.failed, seq);
      if (unknown.has(id) && !now.has(id)) note(row.unknown, seq);
      else if (!before.has(id)) note(row.newly, seq);
      else if (!now.has(id)) note(row.noLonger, seq);
    }
  }

  function addVerdicts(results: readonly PhaseResult[]): void {
    let before: Verdict = 'pass';
    let now: Verdict = 'pass';
    for (const result of results) {
      if (result.verdictNow === null) return;
      before = stricter(before, result.verdictBefore);
      now = stricter(now, result.verdictNow);
    }
    const change = verdicts.get(`${before} ${now}`) ?? { before, now, decisions: 0 };
    change.decisions += 1;
    verdicts.set(`${before} ${now}`, change);
  }

  return {
    add: (seq, results, stopped) => {
      decisions += 1;
      for (const result of results) addPhase(seq, result);
      if (stopped.length === 0 && results.length > 0) addVerdicts(results);
      for (const { phase, obstacle } of stopped) {
        const key = `${phase} ${obstacle}`;
        const noted = obstacles.get(key) ?? { phase, obstacle, ...noNotes() };
        obstacles.set(key, noted);
        note(noted, seq);
      }
    },
    decisions: () => decisions,
    replayed: () => replayed,
    rules: () => [...rows.values()],
    verdicts: () => [...verdicts.values()],
    obstacles: () => [...obstacles.values()],
  };
}

function emptyRow(rule: string, phase: Phase, draft: DraftRule | null): Row {
  const notes = { newly: noNotes(), noLonger: noNotes(), failed: noNotes(), unknown: noNotes() };
  return { rule, phase, draft, now: 0, before: 0, ...notes };
}

function noNotes(): Notes {
  return { decisions: 0, examples: [] };
}

function note(notes: Notes, seq: number): void {
  notes.decisions += 1;
  if (notes.examples.length < examplesMax) notes.examples.push(seq);
}
