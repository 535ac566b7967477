/** A hold as the control port describes it: one line of the queue, and the whole with its exchange. */
import { type Exchange, readExchange } from './exchange-data.ts';
import {
  flagIn,
  instantIn,
  isShape,
  listIn,
  numberIn,
  type Shape,
  shapeOf,
  textIn,
  textsIn,
  wordIn,
} from './shape.ts';

export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];
export const holdStates = ['pending', 'released', 'denied', 'amended', 'expired'] as const;
export type HoldState = (typeof holdStates)[number];
export type Verdict = 'release' | 'deny' | 'amend';

export interface RuleName {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
}

export interface HoldSummary {
  readonly id: string;
  readonly decisionId: string;
  readonly state: HoldState;
  readonly phase: 'request' | 'response';
  readonly severity: Severity;
  readonly rules: readonly RuleName[];
  readonly headline: string;
  readonly provider: string;
  readonly operation: string;
  readonly model: string;
  readonly workload: string;
  readonly session: string;
  readonly stream: boolean;
  /** Commitment of the held bytes; a ruling names it. */
  readonly digest: string;
  readonly openedAtMs: number;
  readonly expiresAtMs: number;
  readonly approvals: { readonly needed: number; readonly given: readonly string[] };
  /** Who may rule. */
  readonly roles: readonly string[];
  readonly requester: string;
  readonly callerWaits: boolean;
  readonly possibleDuplicate: boolean;
  /** How the decision ended; null while it has not. */
  readonly outcome: string | null;
}

export interface HeldRule extends RuleName {
  readonly when: string;
  /** Why evaluating it failed; '' when it matched. */
  readonly error: string;
}

export interface Ruling {
  readonly by: string;
  readonly verdict: string;
  readonly atMs: number;
}

export interface HoldDetail {
  readonly summary: HoldSummary;
  readonly rules: readonly HeldRule[];
  readonly policy: { readonly version: string; readonly digest: string };
  readonly rulings: readonly Ruling[];
  /** How the rule's recent holds ended: state -> count. */
  readonly history: readonly (readonly [string, number])[];
  /** Null for those who do not read content. */
  readonly exchange: Exchange | null;
}

export interface Identity {
  /** What rulings are sealed under. */
  readonly name: string;
  readonly role: string;
  /** What people call them; the name where nobody says. */
  readonly display: string;
}

/** What an event says; never content. */
export interface HoldNotice {
  readonly kind: string;
  readonly id: string;
  readonly state: HoldState;
  readonly callerWaits: boolean;
  readonly outcome: string | null;
}

export function readIdentity(value: unknown): Identity {
  const from = shapeOf(value, 'whoami');
  const { display } = from;
  const name = textIn(from, 'name');
  return { name, role: textIn(from, 'role'), display: typeof display === 'string' ? display : name };
}

export interface HoldPage {
  readonly items: readonly HoldSummary[];
  readonly next: string | null;
}

export function readHolds(value: unknown): HoldPage {
  const from = shapeOf(value, 'holds');
  return {
    items: listIn(from, 'items', readSummary),
    next: from['next'] === null ? null : textIn(from, 'next'),
  };
}

export function readSummary(value: unknown): HoldSummary {
  const from = shapeOf(value, 'hold');
  const approvals = shapeOf(from['approvals'], 'approvals');
  return {
    id: textIn(from, 'id'),
    decisionId: textIn(from, 'decisionId'),
    state: stateIn(from),
    phase: wordIn(from, 'phase', ['request', 'response'], 'response'),
    severity: severityIn(from),
    rules: listIn(from, 'rules', readRuleName),
    headline: textIn(from, 'headline'),
    provider: textIn(from, 'provider'),
    operation: textIn(from, 'operation'),
    model: textIn(from, 'model'),
    workload: textIn(from, 'workload'),
    session: textIn(from, 'session'),
    stream: flagIn(from, 'stream'),
    digest: textIn(from, 'digest'),
    openedAtMs: instantIn(from, 'openedAt'),
    expiresAtMs: instantIn(from, 'expiresAt'),
    approvals: { needed: numberIn(approvals, 'needed'), given: textsIn(approvals, 'given') },
    roles: textsIn(from, 'roles'),
    requester: textIn(from, 'requester'),
    callerWaits: textIn(from, 'caller') === 'waiting',
    possibleDuplicate: flagIn(from, 'possibleDuplicate'),
    outcome: outcomeIn(from),
  };
}

export function readDetail(value: unknown): HoldDetail {
  const from = shapeOf(value, 'hold');
  const policy = shapeOf(from['policy'], 'policy');
  const { exchange } = from;
  return {
    summary: readSummary(value),
    rules: listIn(from, 'rules', (item) => {
      const rule = shapeOf(item, 'rule');
      return { ...readRuleName(item), when: textIn(rule, 'when'), error: textIn(rule, 'error') };
    }),
    policy: { version: textIn(policy, 'version'), digest: textIn(policy, 'digest') },
    rulings: listIn(from, 'rulings', readRuling),
    history: Object.entries(shapeOf(from['history'], 'history')).flatMap(([state, count]) =>
      typeof count === 'number' ? [[state, count] as const] : [],
    ),
    exchange: exchange === null ? null : readExchange(exchange),
  };
}

function readRuling(item: unknown): Ruling {
  const from = shapeOf(item, 'ruling');
  return { by: textIn(from, 'by'), verdict: textIn(from, 'verdict'), atMs: instantIn(from, 'at') };
}

/** The final ruling among a decision's sealed entries; null while there is none. Names nobody's reason. */
export function readFinalRuling(value: unknown): Ruling | null {
  const entries = listIn(shapeOf(value, 'decision'), 'entries', (item) => shapeOf(item, 'entry'));
  const last = entries.findLast(
    ({ type, data }) => type === 'ruling' && isShape(data) && data['final'] === true,
  );
  if (last === undefined) return null;
  const data = shapeOf(last['data'], 'ruling');
  return { by: textIn(data, 'by'), verdict: textIn(data, 'verdict'), atMs: instantIn(last, 'at') };
}

export function readNotice(value: unknown): HoldNotice {
  const from = shapeOf(value, 'event');
  return {
    kind: textIn(from, 'kind'),
    id: textIn(from, 'id'),
    state: stateIn(from),
    callerWaits: textIn(from, 'caller') === 'waiting',
    outcome: outcomeIn(from),
  };
}

function readRuleName(item: unknown): RuleName {
  const from = shapeOf(item, 'rule');
  return { id: textIn(from, 'id'), title: textIn(from, 'title'), severity: severityIn(from) };
}

function severityIn(from: Shape): Severity {
  return wordIn(from, 'severity', severities, 'high');
}

/** A state this page does not know is no longer one to rule on. */
function stateIn(from: Shape): HoldState {
  return wordIn(from, 'state', holdStates, 'expired');
}

function outcomeIn(from: Shape): string | null {
  const { outcome } = from;
  return typeof outcome === 'string' ? outcome : null;
}
