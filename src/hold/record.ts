/** A hold as it is kept in memory, as it is sealed, and as it is rebuilt from its sealed entries. */

import type { Json, JsonObject } from '../ledger/canonical.ts';
import type { Entry, Outcome } from '../ledger/entry.ts';
import type { Match, Phase, Severity } from '../policy/policy.ts';
import { type HoldState, type HoldStatus, openState, type Verdict } from './state.ts';
import { collectWithinMs, termsData, termsFromData } from './terms.ts';

export interface HeldRule {
  readonly id: string;
  readonly title: string;
  readonly when: string;
  readonly severity: Severity;
  /** Why evaluating it failed; '' when it matched. */
  readonly error: string;
}

/** What never changes about a hold. Content stands in the ledger's bodies, not here. */
export interface HoldFacts {
  readonly decision: number;
  readonly phase: Phase;
  readonly rules: readonly HeldRule[];
  readonly policyDigest: string;
  readonly policyVersion: string;
  readonly openedAtMs: number;
  /** Keyed hash of who asked what; a retry with the same one re-attaches. */
  readonly retryKey: string;
  /** Seq of the sealed answer; null in the request phase. */
  readonly response: number | null;
  /** How much of the held answer, counted from its beginning, its first caller had before it was held. */
  readonly passedBytes: number;
}

/** What somebody said; the text is the part `comment` of entry `seq`. */
export interface HoldComment {
  readonly seq: number;
  readonly by: string;
  readonly role: string;
  readonly atMs: number;
}

/** That `to` is on it, '' for nobody, as `by` said. */
export interface Assignment {
  readonly to: string;
  readonly by: string;
  readonly atMs: number;
}

export const reviewVerdicts = ['justified', 'unjustified'] as const;
export type ReviewVerdict = (typeof reviewVerdicts)[number];

/** Of a release by one person alone, by somebody else; the finding is the part `finding` of entry `seq`. */
export interface Review {
  readonly seq: number;
  readonly by: string;
  readonly role: string;
  readonly verdict: ReviewVerdict;
  readonly atMs: number;
}

export interface Hold extends HoldFacts {
  readonly seq: number;
  readonly id: string;
  state: HoldState;
  /** Seq of the final ruling. */
  ruling: number | null;
  /** What is delivered on release: the held part's commitment, or the amendment's. */
  releaseDigest: string;
  /** When a released answer that nobody collects is given up. */
  collectByMs: number;
  deliveryAttempts: number;
  lastAttemptAtMs: number;
  /** Handed over by a process that died before it could say whether it arrived: only a marked retry gets it again. */
  readonly mayHaveArrived: boolean;
  /** A caller is connected and waiting. */
  attached: boolean;
  possibleDuplicate: boolean;
  /** Set once the decision has its outcome. */
  outcome: Outcome | null;
  comments: readonly HoldComment[];
  /** The last one counts. */
  assignments: readonly Assignment[];
  /** Null where there is none; only a release by one person alone has one. */
  review: Review | null;
}

/** Who is on it; '' where nobody is. */
export function assigneeOf({ assignments }: Pick<Hold, 'assignments'>): string {
  return assignments.at(-1)?.to ?? '';
}

const severities: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/** The `data` of a hold entry. */
export function holdData(facts: HoldFacts, state: HoldState): JsonObject {
  return {
    ...termsData(state.terms),
    decision: facts.decision,
    phase: facts.phase,
    policy: facts.policyDigest,
    policyVersion: facts.policyVersion,
    retry: facts.retryKey,
    rules: rulesForLeaf(facts.rules),
    ...(facts.response === null ? {} : { response: facts.response }),
    ...(facts.passedBytes === 0 ? {} : { passed: facts.passedBytes }),
  };
}

/** A leaf has 64 KiB for everything; the policy's own entry keeps every rule whole. */
const rulesBytesMax = 48 * 1024;
const rulesKeptMax = 32;
const textCharsKept = 300;

/** The rules as the leaf keeps them: whole where they fit, otherwise the first ones, their texts cut and marked so. */
function rulesForLeaf(rules: readonly HeldRule[]): JsonObject[] {
  const whole = rules.map((rule) => ({ ...rule }));
  if (Buffer.byteLength(JSON.stringify(whole)) <= rulesBytesMax) return whole;
  const cut = (text: string): string =>
    text.length <= textCharsKept ? text : `${text.slice(0, textCharsKept)}…`;
  return whole
    .slice(0, rulesKeptMax)
    .map((rule) => ({ ...rule, title: cut(rule.title), when: cut(rule.when), error: cut(rule.error) }));
}

/** The rules as the hold keeps them. */
export function heldRules(matches: readonly Match[]): HeldRule[] {
  return matches
    .filter((match) => match.action === 'hold')
    .map(({ rule, title, when, severity, error = '' }) => ({
      id: rule,
      title,
      when,
      severity,
      error: withoutValues(error),
    }));
}

/** An evaluation error quotes the value it met, which is content and may not enter a leaf: only what failed is kept. */
function withoutValues(error: string): string {
  return (error.split(/["':\n]/, 1)[0] ?? '').trim();
}

/** Rebuilds a decision's latest hold from its entries, in order; null when it was never held. */
export function holdFromEntries(entries: readonly Entry[], holdIdOf: (seq: number) => string): Hold | null {
  let hold: Hold | null = null;
  for (const entry of entries) {
    if (entry.type === 'hold') hold = holdFromEntry(entry, holdIdOf);
    else if (hold !== null) applyEntry(hold, entry);
  }
  return hold === null ? null : { ...hold, mayHaveArrived: hold.deliveryAttempts > 0 };
}

function holdFromEntry(entry: Entry, holdIdOf: (seq: number) => string): Hold {
  const { data } = entry;
  const openedAtMs = Date.parse(entry.at);
  const digest = text(data['digest']);
  return {
    seq: entry.seq,
    id: holdIdOf(entry.seq),
    decision: count(data['decision']),
    phase: data['phase'] === 'request' ? 'request' : 'response',
    rules: list(data['rules']).flatMap(ruleFromJson),
    policyDigest: text(data['policy']),
    policyVersion: text(data['policyVersion']),
    openedAtMs,
    retryKey: text(data['retry']),
    response: typeof data['response'] === 'number' ? data['response'] : null,
    passedBytes: count(data['passed']),
    state: openState(termsFromData(data)),
    ruling: null,
    releaseDigest: digest,
    collectByMs: Number.POSITIVE_INFINITY,
    deliveryAttempts: 0,
    lastAttemptAtMs: 0,
    mayHaveArrived: false,
    attached: false,
    possibleDuplicate: false,
    outcome: null,
    comments: [],
    assignments: [],
    review: null,
  };
}

const statusByVerdict: Readonly<Record<Verdict, HoldStatus>> = {
  release: 'released',
  deny: 'denied',
  amend: 'amended',
  expired: 'expired',
};

/** Moves a hold on by one sealed entry of its decision; the live path and start-up share this. */
export function applyEntry(hold: Hold, entry: Pick<Entry, 'type' | 'data' | 'parts' | 'seq' | 'at'>): void {
  const { data } = entry;
  if (data['hold'] !== hold.seq) return;
  const atMs = Date.parse(entry.at);
  if (entry.type === 'delivery') {
    hold.deliveryAttempts += 1;
    hold.lastAttemptAtMs = atMs;
  }
  if (entry.type === 'access') applyAccess(hold, entry, atMs);
  const verdict = verdictOf(data['verdict']);
  if (entry.type !== 'ruling' || verdict === null) return;
  const broken = data['breakGlass'] === true;
  const ruling = { by: text(data['by']), role: text(data['role']), verdict, atMs };
  const withheld = data['withheld'] === undefined ? {} : { withheld: list(data['withheld']).map(count) };
  const stead = data['inStead'] === undefined ? {} : { inStead: text(data['inStead']) };
  const reason = entry.parts.some(({ name }) => name === 'reason') ? { reasonAt: entry.seq } : {};
  const rulings = [
    ...hold.state.rulings,
    { ...ruling, ...stead, ...withheld, ...reason, ...(broken ? { breakGlass: true as const } : {}) },
  ];
  const status = data['final'] === true ? statusByVerdict[verdict] : hold.state.status;
  hold.state = { ...hold.state, rulings, status };
  if (data['final'] !== true) return;
  hold.ruling = entry.seq;
  const { breakGlass, collectInMs = collectWithinMs } = hold.state.terms;
  hold.collectByMs = atMs + (broken ? (breakGlass?.collectInMs ?? 0) : collectInMs);
  if (verdict === 'amend')
    hold.releaseDigest = entry.parts.find((part) => part.name === 'amendment')?.c ?? '';
}

function applyAccess(hold: Hold, { data, seq }: Pick<Entry, 'data' | 'seq'>, atMs: number): void {
  const by = text(data['by']);
  switch (data['action']) {
    case 'escalation':
      hold.state = { ...hold.state, escalated: count(data['step']) };
      return;
    case 'comment':
      hold.comments = [...hold.comments, { seq, by, role: text(data['role']), atMs }];
      return;
    case 'assign':
      hold.assignments = [...hold.assignments, { to: text(data['assignee']), by, atMs }];
      return;
    case 'review': {
      const verdict = reviewVerdicts.find((known) => known === data['verdict']);
      if (verdict !== undefined) hold.review = { seq, by, role: text(data['role']), verdict, atMs };
      return;
    }
    default:
      return;
  }
}

/**
 * What recovery does with a decision it found open: its outcome, or null to keep it because a person or a
 * caller may still come. A request that may have gone out after its release is `interrupted`, never sent again;
 * after a restore anything may have, so nothing waits on.
 */
export function recoveredOutcome(
  entries: readonly Entry[],
  reason: 'start' | 'store_failure' | 'restore',
): Outcome | null {
  const lost: Outcome = reason === 'store_failure' ? 'ledger_unavailable' : 'interrupted';
  const hold = holdFromEntries(entries, String);
  if (hold === null) return lost;
  if (hold.state.status === 'denied') return 'denied';
  if (hold.state.status === 'expired') return 'expired';
  if (reason === 'restore') return lost;
  if (hold.phase === 'response') return null;
  const wentOn = hold.deliveryAttempts > 0 || entries.some((entry) => entry.type === 'response');
  return wentOn ? lost : null;
}

function verdictOf(value: Json | undefined): Verdict | null {
  return value === 'release' || value === 'deny' || value === 'amend' || value === 'expired' ? value : null;
}

function ruleFromJson(value: Json): HeldRule[] {
  if (typeof value !== 'object' || Array.isArray(value)) return [];
  const rule: Readonly<Record<string, unknown>> = { ...value };
  const severity = severities.find((known) => known === rule['severity']) ?? 'high';
  return [
    {
      id: String(rule['id']),
      title: String(rule['title']),
      when: String(rule['when']),
      severity,
      error: String(rule['error']),
    },
  ];
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function count(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
