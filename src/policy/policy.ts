/**
 * What the rest of the house knows of rules: a compiled policy and its judgement over facts.
 * `compile.ts` makes a Policy from text; `evaluate.ts` judges. Pure; no I/O.
 */
import type { Facts } from '../core/facts.ts';

export type Phase = 'request' | 'response';
export type Action = 'hold' | 'deny' | 'flag';
export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** So many different people, each in one of these roles. */
export interface Need {
  readonly approvals: number;
  readonly roles: readonly string[];
}

/** What a rule demands of the people who rule; copied onto the hold when it opens and fixed from then on. */
export interface HoldTerms {
  readonly expiresInMs: number;
  readonly approvals: number;
  readonly roles: readonly string[];
  readonly notRequester: boolean;
  /** Where approvals are asked for by role: each of these must be met, besides `approvals` different people in all. */
  readonly needs?: readonly Need[];
  /** How long a released answer waits to be collected; the house's own time where the rule does not say. */
  readonly collectInMs?: number;
  /** Who may rule besides, once a hold has waited so long; ascending. */
  readonly escalation?: readonly { readonly afterMs: number; readonly roles: readonly string[] }[];
  /** Who may release alone and at once, how long what they released may be collected, and until when it is reviewed. */
  readonly breakGlass?: {
    readonly roles: readonly string[];
    readonly collectInMs: number;
    readonly reviewInMs?: number;
  };
}

export interface Match {
  /** The rule's id; `holdpoint:unreadable` where a parser failed and no rule of the policy did it. */
  readonly rule: string;
  readonly title: string;
  /** The `when` text as written. */
  readonly when: string;
  readonly action: Action;
  readonly severity: Severity;
  readonly hold: HoldTerms;
  /** Set when the rule failed while evaluating: then `action` is `hold` whatever the rule says. */
  readonly error?: string;
}

export interface Judgement {
  /** The strictest action of all matches: deny over hold over flag over pass. */
  readonly action: Action | 'pass';
  readonly matches: readonly Match[];
}

export interface Policy {
  readonly version: string;
  /** SHA-256 of the file's bytes, lower-case hex. */
  readonly digest: string;
  /** The file's text as loaded. */
  readonly source: string;
  /** Judges one phase. Never throws: a rule that errors is a match that holds. */
  judge(phase: Phase, facts: Facts): Judgement;
  /**
   * True when text may stream before the answer is whole: every response rule that holds or denies looks,
   * of the answer, at tool calls only, and is false for this request while there are none.
   */
  textMayStream(facts: Facts): boolean;
  /** True when a rule of the phase denies, whatever it looks at. */
  denies(phase: Phase): boolean;
  /** True when a rule of the phase that denies reads, or may read, one of these facts, such as `request.subject`. */
  deniesBy(phase: Phase, facts: ReadonlySet<string>): boolean;
  /** The same of a rule that denies or holds. */
  stopsBy(phase: Phase, facts: ReadonlySet<string>): boolean;
  /** False when no rule looks at the phase, so that the proxy can skip work. */
  hasRules(phase: Phase): boolean;
}
