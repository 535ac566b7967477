/** A hold as one line of the queue, as the control port describes it, and what events say of it. */
import {
  flagIn,
  instantIn,
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

export interface Approvals {
  readonly needed: number;
  /** Who released so far. */
  readonly given: readonly string[];
  /** What is asked for in each role, and how many people it lacks; empty where any will do. */
  readonly byRole: readonly {
    readonly needed: number;
    readonly roles: readonly string[];
    readonly left: number;
  }[];
}

/** From then on these may rule, too. */
export interface Escalation {
  readonly atMs: number;
  readonly roles: readonly string[];
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
  /** The same wherever the same bytes are held; '' where that is not known, or not for this person. */
  readonly contentDigest: string;
  readonly openedAtMs: number;
  readonly expiresAtMs: number;
  readonly approvals: Approvals;
  /** Who may rule. */
  readonly roles: readonly string[];
  /** Who may rule besides from then on, while nobody has. */
  readonly escalation: readonly Escalation[];
  /** Roles that may release alone and at once. */
  readonly breakGlass: readonly string[];
  readonly requester: string;
  readonly callerWaits: boolean;
  readonly possibleDuplicate: boolean;
  /** Who is on it; '' for nobody. */
  readonly assignee: string;
  readonly commentCount: number;
  /** How the decision ended; null while it has not. */
  readonly outcome: string | null;
}

export interface Identity {
  /** What rulings are sealed under. */
  readonly name: string;
  readonly role: string;
  /** What the role may do: the sidecar decides, by the same names. */
  readonly permissions: readonly string[];
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
  return {
    name,
    role: textIn(from, 'role'),
    permissions: textsIn(from, 'permissions'),
    display: typeof display === 'string' ? display : name,
  };
}

/** Whether somebody may do something, by what `whoami` says of their role; nobody may do anything. */
export function may(
  identity: Identity | null,
  permission: 'read_content' | 'read_ledger' | 'read_erasures' | 'rule' | 'backtest',
): boolean {
  return identity?.permissions.includes(permission) === true;
}

/** Whether somebody may erase, and place and lift legal holds: two roles alone may, which verifiers know by name. */
export function mayErase(identity: Identity | null): boolean {
  return identity?.role === 'privacy' || identity?.role === 'admin';
}

export interface HoldPage {
  readonly items: readonly HoldSummary[];
  /** How many there are on all pages. */
  readonly total: number;
  readonly next: string | null;
}

export function readHolds(value: unknown): HoldPage {
  const from = shapeOf(value, 'holds');
  return {
    items: listIn(from, 'items', readSummary),
    total: numberIn(from, 'total'),
    next: from['next'] === null ? null : textIn(from, 'next'),
  };
}

export function readSummary(value: unknown): HoldSummary {
  const from = shapeOf(value, 'hold');
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
    contentDigest: textIn(from, 'contentDigest'),
    openedAtMs: instantIn(from, 'openedAt'),
    expiresAtMs: instantIn(from, 'expiresAt'),
    approvals: readApprovals(shapeOf(from['approvals'], 'approvals')),
    roles: textsIn(from, 'roles'),
    escalation: listIn(from, 'escalation', readEscalation),
    breakGlass: textsIn(from, 'breakGlass'),
    requester: textIn(from, 'requester'),
    callerWaits: textIn(from, 'caller') === 'waiting',
    possibleDuplicate: flagIn(from, 'possibleDuplicate'),
    assignee: textIn(from, 'assignee'),
    commentCount: numberIn(from, 'commentCount'),
    outcome: outcomeIn(from),
  };
}

function readApprovals(from: Shape): Approvals {
  return {
    needed: numberIn(from, 'needed'),
    given: textsIn(from, 'given'),
    byRole: listIn(from, 'byRole', (item) => {
      const need = shapeOf(item, 'need');
      return {
        needed: numberIn(need, 'needed'),
        roles: textsIn(need, 'roles'),
        left: numberIn(need, 'left'),
      };
    }),
  };
}

export function readEscalation(item: unknown): Escalation {
  const from = shapeOf(item, 'escalation');
  return { atMs: instantIn(from, 'at'), roles: textsIn(from, 'roles') };
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

export function readRuleName(item: unknown): RuleName {
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
