/** One hold with its exchange, as the control port describes it to whoever reads it. */

import { readBecause, type TruePart } from './because-data.ts';
import { type Exchange, readExchange } from './exchange-data.ts';
import {
  type Escalation,
  type HoldSummary,
  type RuleName,
  readEscalation,
  readRuleName,
  readSummary,
} from './hold-data.ts';
import { flagIn, instantIn, isShape, listIn, numberIn, type Shape, shapeOf, textIn } from './shape.ts';
import { readUnreadable, type Unreadable } from './unreadable-data.ts';

export interface HeldRule extends RuleName {
  readonly when: string;
  /** Why evaluating it failed; '' when it matched. */
  readonly error: string;
  /** What of it was true; empty where nobody can tell. */
  readonly because: readonly TruePart[];
}

export interface Ruling {
  readonly by: string;
  readonly role: string;
  readonly verdict: string;
  readonly atMs: number;
  /** Places of the tool calls that the answer was delivered without, from 0. */
  readonly withheld: readonly number[];
  /** Released by one person alone, past the approvals that were needed. */
  readonly breakGlass: boolean;
  /** Who was away and had lent the role; '' where it is one's own. */
  readonly inStead: string;
  /** '' where none was given; null where it is erased, not for this person, or not read. */
  readonly reason: string | null;
}

/** What a reviewer said; null where it is erased, or not for this person. */
export interface Comment {
  readonly by: string;
  readonly role: string;
  readonly atMs: number;
  readonly text: string | null;
}

/** Another hold of the same workload. */
export interface OtherHold {
  readonly id: string;
  readonly state: string;
  readonly openedAtMs: number;
  /** What was held, and for those who do not read content the rule's title. */
  readonly what: string;
}

/** What somebody else found of a release by one person alone. */
export interface Finding extends Comment {
  readonly verdict: string;
}

export const actionNames = ['release', 'deny', 'amend', 'amendText', 'releaseCalls', 'breakGlass'] as const;
/** For each why it is not open to the one who asked; '' where it is. */
export type Actions = Readonly<Record<(typeof actionNames)[number], string>>;

/** Somebody who is away and lent their role, in whose stead something can be done here. */
export interface Stead {
  readonly name: string;
  readonly role: string;
  readonly actions: Actions;
}

export interface HoldDetail {
  readonly summary: HoldSummary;
  readonly rules: readonly HeldRule[];
  readonly policy: { readonly version: string; readonly digest: string };
  readonly rulings: readonly Ruling[];
  /** How the rule's recent holds ended: state -> count. */
  readonly history: readonly (readonly [string, number])[];
  /** The newest first, a few. */
  readonly workloadHolds: readonly OtherHold[];
  /** Damaged entries met while those were sought. */
  readonly workloadUnreadable: readonly Unreadable[];
  readonly actions: Actions;
  readonly inStead: readonly Stead[];
  readonly comments: readonly Comment[];
  readonly review: Finding | null;
  /** Entries that cannot be read, in whole or in what somebody wrote there. */
  readonly unreadable: readonly Unreadable[];
  readonly notRequester: boolean;
  /** Who may rule besides, since when. */
  readonly escalated: readonly Escalation[];
  /** How long a released answer waits for its caller. */
  readonly collectInMs: number;
  /** The same where the glass was broken; null where nobody may. */
  readonly breakGlassCollectInMs: number | null;
  /** Null for those who do not read content, and where what is held cannot be read. */
  readonly exchange: Exchange | null;
}

export function readDetail(value: unknown): HoldDetail {
  const from = shapeOf(value, 'hold');
  const policy = shapeOf(from['policy'], 'policy');
  const { exchange } = from;
  return {
    summary: readSummary(value),
    rules: listIn(from, 'rules', (item) => {
      const rule = shapeOf(item, 'rule');
      return {
        ...readRuleName(item),
        when: textIn(rule, 'when'),
        error: textIn(rule, 'error'),
        because: readBecause(rule),
      };
    }),
    policy: { version: textIn(policy, 'version'), digest: textIn(policy, 'digest') },
    rulings: listIn(from, 'rulings', readRuling),
    history: Object.entries(shapeOf(from['history'], 'history')).flatMap(([state, count]) =>
      typeof count === 'number' ? [[state, count] as const] : [],
    ),
    workloadUnreadable: readUnreadable(from, 'workloadUnreadable'),
    unreadable: readUnreadable(from),
    workloadHolds: listIn(from, 'workloadHolds', (item) => {
      const other = shapeOf(item, 'hold');
      return {
        id: textIn(other, 'id'),
        state: textIn(other, 'state'),
        openedAtMs: instantIn(other, 'openedAt'),
        what: textIn(other, 'headline') || textIn(other, 'title'),
      };
    }),
    actions: readActions(shapeOf(from['actions'], 'actions')),
    inStead: listIn(from, 'inStead', (item) => {
      const stead = shapeOf(item, 'stead');
      return {
        name: textIn(stead, 'name'),
        role: textIn(stead, 'role'),
        actions: readActions(shapeOf(stead['actions'], 'actions')),
      };
    }),
    comments: listIn(from, 'comments', (item) => readComment(shapeOf(item, 'comment'))),
    review: from['review'] === null ? null : readFinding(shapeOf(from['review'], 'review')),
    notRequester: flagIn(from, 'notRequester'),
    escalated: listIn(from, 'escalated', readEscalation),
    collectInMs: numberIn(from, 'collectInMs'),
    breakGlassCollectInMs:
      from['breakGlassCollectInMs'] === null ? null : numberIn(from, 'breakGlassCollectInMs'),
    exchange: exchange === null ? null : readExchange(exchange),
  };
}

function readComment(from: Shape): Comment {
  return {
    by: textIn(from, 'by'),
    role: textIn(from, 'role'),
    atMs: instantIn(from, 'at'),
    text: from['text'] === null ? null : textIn(from, 'text'),
  };
}

function readFinding(from: Shape): Finding {
  return { ...readComment(from), verdict: textIn(from, 'verdict') };
}

function readActions(from: Shape): Actions {
  return {
    release: textIn(from, 'release'),
    deny: textIn(from, 'deny'),
    amend: textIn(from, 'amend'),
    amendText: textIn(from, 'amendText'),
    releaseCalls: textIn(from, 'releaseCalls'),
    breakGlass: textIn(from, 'breakGlass'),
  };
}

function readRuling(item: unknown): Ruling {
  const from = shapeOf(item, 'ruling');
  return {
    by: textIn(from, 'by'),
    role: textIn(from, 'role'),
    verdict: textIn(from, 'verdict'),
    atMs: instantIn(from, 'at'),
    withheld: listIn(from, 'withheld', place),
    breakGlass: flagIn(from, 'breakGlass'),
    inStead: textIn(from, 'inStead'),
    reason: from['reason'] === null ? null : textIn(from, 'reason'),
  };
}

function place(item: unknown): number {
  return numberIn({ place: item }, 'place');
}

/** The final ruling among a decision's sealed entries; null while there is none. Names nobody's reason. */
export function readFinalRuling(value: unknown): Ruling | null {
  const entries = listIn(shapeOf(value, 'decision'), 'entries', (item) => shapeOf(item, 'entry'));
  const last = entries.findLast(
    ({ type, data }) => type === 'ruling' && isShape(data) && data['final'] === true,
  );
  if (last === undefined) return null;
  const data = shapeOf(last['data'], 'ruling');
  return {
    by: textIn(data, 'by'),
    role: textIn(data, 'role'),
    verdict: textIn(data, 'verdict'),
    atMs: instantIn(last, 'at'),
    // An entry has these only where they apply.
    withheld: data['withheld'] === undefined ? [] : listIn(data, 'withheld', place),
    breakGlass: data['breakGlass'] === true,
    inStead: data['inStead'] === undefined ? '' : textIn(data, 'inStead'),
    reason: null,
  };
}
