/** The policies that come and go in these histories: what each says of a call, apart from how rules are compiled. */
import { createRoleBook } from '../../../src/core/roles.ts';
import type { Kind } from './rules.ts';

export type Phase = 'request' | 'response';

/** For whom, and until when, something is held. */
export interface Demand {
  /** So many people, or so many in each of the two roles. */
  readonly approvals: number | { readonly reviewer: number; readonly chief: number };
  readonly role: 'reviewer' | 'chief';
  readonly expiresInMs: number;
  /** From then on the role of `chief` may rule, too; null for never. */
  readonly escalatesInMs: number | null;
  /** Null for the house's own time. */
  readonly collectInMs: number | null;
  /** Admins may break the glass. */
  readonly hasGlass: boolean;
}
/** What a rule does with what it is true of. */
export type Said = { readonly action: 'deny' | 'flag' } | ({ readonly action: 'hold' } & Demand);
/** By the number that a call's model has for its question or answer; where there is none nothing is said. */
type ByMark = Readonly<Record<number, Said>>;

export const expiresInMs = 60_000;
export const escalatesInMs = 30_000;
/** No policy holds anything longer. */
export const expiresInMsMax = 90_000;

const usual: Demand = {
  ...{ approvals: 1, role: 'reviewer', expiresInMs, escalatesInMs },
  ...{ collectInMs: null, hasGlass: true },
};
const held = (demand: Partial<Demand> = {}): Said => ({ action: 'hold', ...usual, ...demand });
const denied: Said = { action: 'deny' };
const flagged: Said = { action: 'flag' };

/** Those that load; the first is in force in the beginning. */
export const policyNames = ['first', 'gone', 'denying', 'mute', 'flagging', 'added', 'others'] as const;
export type LoadedName = (typeof policyNames)[number];
/** `broken` is none that loads. */
export type PolicyName = LoadedName | 'broken';
export const [startsWith] = policyNames;

const byName: Readonly<Record<LoadedName, { readonly question: ByMark; readonly answer: ByMark }>> = {
  first: {
    question: { 1: held(), 2: held({ approvals: 2 }) },
    answer: { 1: held(), 2: held({ approvals: 2 }), 3: held({ approvals: 3 }) },
  },
  gone: { question: { 2: held({ approvals: 2 }) }, answer: { 2: held({ approvals: 2 }) } },
  denying: { question: { 1: denied, 2: held() }, answer: { 1: denied, 2: held() } },
  // Questions go on as they did, and no answer comes.
  mute: { question: { 1: held() }, answer: { 1: denied, 2: denied, 3: denied } },
  flagging: { question: { 1: flagged }, answer: { 1: flagged, 2: held() } },
  added: { question: { 0: held(), 1: held() }, answer: { 0: held(), 1: held() } },
  others: {
    question: {
      1: held({ approvals: 2, expiresInMs: 40_000, escalatesInMs: null, hasGlass: false }),
      2: held({ role: 'chief', escalatesInMs: null, collectInMs: 120_000 }),
    },
    answer: {
      1: held({ approvals: { reviewer: 1, chief: 1 }, escalatesInMs: 50_000, expiresInMs: expiresInMsMax }),
      2: held({ role: 'chief', escalatesInMs: null, collectInMs: 120_000, hasGlass: false }),
    },
  },
};

/** Whom rules can ask for: the house has a role of its own. */
export const roleBook = createRoleBook({ chief: { like: 'reviewer' } });

/** What a policy says of questions and of answers. */
export function sayings(name: LoadedName): readonly (readonly [phase: Phase, mark: number, said: Said])[] {
  const { question, answer } = byName[name];
  const of = (phase: Phase, said: ByMark) =>
    Object.entries(said).map(([mark, what]) => [phase, Number(mark), what] as const);
  return [...of('request', question), ...of('response', answer)];
}

/** What it says of the question, or the answer, of such a call; null for nothing. */
export function saidOf(name: PolicyName, phase: Phase, kind: Kind): Said | null {
  if (name === 'broken') throw new Error('a policy that nobody knows was in force');
  const what = phase === 'request' ? 'question' : 'answer';
  return byName[name][what][kind[what]] ?? null;
}

/** The id of the rule that says it. */
export function ruleOf(phase: Phase, kind: Kind): string {
  return phase === 'request' ? `question-${kind.question}` : `answer-${kind.answer}`;
}
