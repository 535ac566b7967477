/**
 * The states of a hold and what moves it between them. Pure: a ruling and the time go in, the next state or
 * a refusal comes out. Delivery is tracked apart from the ruling; silence never releases.
 *
 *     pending -> released | denied | amended | expired
 */
import { HoldpointError } from '../core/errors.ts';
import { noOtherNames, type OtherNames } from '../core/people.ts';
import { saysSomething } from '../core/visible-text.ts';
import type { HoldTermsFixed } from './terms.ts';

export const holdStates = ['pending', 'released', 'denied', 'amended', 'expired'] as const;
export type HoldStatus = (typeof holdStates)[number];
export type HumanVerdict = 'release' | 'deny' | 'amend';
export type Verdict = HumanVerdict | 'expired';

export interface Approval {
  readonly by: string;
  readonly role: string;
  readonly verdict: Verdict;
  readonly atMs: number;
  /** Released by one person alone, past the quorum. */
  readonly breakGlass?: true;
  /** Places of the tool calls that were taken out of the answer, from 0. */
  readonly withheld?: readonly number[];
  /** In whose stead; the role is theirs. */
  readonly inStead?: string;
  /** The entry that has the reason as a part; absent where none was given. */
  readonly reasonAt?: number;
}

export interface HoldState {
  readonly terms: HoldTermsFixed;
  readonly status: HoldStatus;
  readonly rulings: readonly Approval[];
  /** How many steps of its ladder it has gone up. */
  readonly escalated: number;
}

/** What a reviewer's key signed; checked before it gets here, sealed with the ruling. */
export interface SignedStatement {
  /** Canonical JSON. */
  readonly statement: string;
  /** The text whose digest the statement names. */
  readonly order: string;
  /** Base64. */
  readonly value: string;
}

export interface RulingRequest {
  readonly verdict: HumanVerdict;
  readonly by: string;
  readonly role: string;
  /** What people call them, beside the name that counts. */
  readonly display?: string;
  readonly digest: string;
  readonly reason: string;
  /** Release alone and at once, where the terms let this role. */
  readonly breakGlass?: boolean;
  /** Of an amendment that takes tool calls out of the answer: their places, from 0. */
  readonly withheld?: readonly number[];
  readonly signed?: SignedStatement;
  /** Who is away and lent `role` to `by`, which whoever asks for the ruling has checked. */
  readonly inStead?: string;
  /** What is known of people by now; that each has one name, and may rule, where it is not said. */
  readonly people?: PeopleNow;
}

/** What is known of people at the moment, and is not sealed with a ruling. */
export interface PeopleNow {
  /** Further names of anybody: they count as the same person. */
  readonly otherNames: OtherNames;
  /** Whether an approval that was given before still counts: not once who gave it may rule no more. */
  readonly counts: (approval: Approval) => boolean;
}

const everybody: PeopleNow = { otherNames: noOtherNames, counts: () => true };

export function openState(terms: HoldTermsFixed): HoldState {
  return { terms, status: 'pending', rulings: [], escalated: 0 };
}

/**
 * The state after a person ruled. Throws HoldpointError `already_ruled`, `ruling_expired`, `digest_mismatch`,
 * `forbidden` or `invalid_argument`; then nothing changed.
 */
export function afterRuling(state: HoldState, ruling: RulingRequest, nowMs: number): HoldState {
  refuseUnlessOpen(state, nowMs);
  const { terms } = state;
  if (ruling.digest !== terms.digest) {
    throw new HoldpointError(
      'digest_mismatch',
      'The ruling names other bytes than the ones held.',
      'Read the hold again and rule on its present digest.',
    );
  }
  if (ruling.breakGlass === true) return afterBreakGlass(state, ruling, nowMs);
  const allowed = rolesNow(state);
  if (!allowed.includes(ruling.role)) {
    throw new HoldpointError(
      'forbidden',
      `This hold needs one of the roles: ${allowed.join(', ')}.`,
      'Ask somebody who has it.',
    );
  }
  if (terms.notRequester) refuseRequester(terms, ruling);
  if (ruling.verdict !== 'release') requireReason(ruling, ruling.verdict);
  if (!isLastWord(state, ruling)) refuseSecond(state, ruling);
  const { by, role, verdict, inStead } = ruling;
  const stead = inStead === undefined ? {} : { inStead };
  const rulings = [...state.rulings, { by, role, verdict, atMs: nowMs, ...stead }];
  return { ...state, rulings, status: statusAfter(verdict, { ...state, rulings }, ruling.people) };
}

/** Whose word a ruling is: who makes it, and in whose stead. */
function voicesOf({ by, inStead }: Pick<RulingRequest, 'by' | 'inStead'>): readonly string[] {
  return inStead === undefined ? [by] : [by, inStead];
}

/** The same, by every name that these people have. */
function namesIn(
  ruling: Pick<RulingRequest, 'by' | 'inStead'>,
  { otherNames }: PeopleNow = everybody,
): readonly string[] {
  return voicesOf(ruling).flatMap((name) => [name, ...otherNames(name)]);
}

/**
 * Whether nothing is lacking but that somebody says so, and this is one of those who approved. An approval may count again
 * once its giver's right came back: the others had ruled by then, and nothing leaves by itself. It adds nothing to the count.
 */
function isLastWord(state: HoldState, { verdict, by, inStead, people }: RulingRequest): boolean {
  if (verdict !== 'release' || !isApproved(state, people)) return false;
  return releasesOf(state, people).some((given) => given.by === by && given.inStead === inStead);
}

/** Nobody rules twice, neither by themselves, by another of their names, nor through somebody who stands in for them. */
function refuseSecond({ rulings }: HoldState, ruling: RulingRequest): void {
  const spent = rulings.flatMap(voicesOf);
  const again = namesIn(ruling, ruling.people).find((name) => spent.includes(name));
  if (again === undefined) return;
  const own = rulings.some(({ by }) => by === again);
  const isAlias = !voicesOf(ruling).includes(again);
  throw new HoldpointError(
    'already_ruled',
    own
      ? `${again}${isAlias ? ', who is the same person,' : ''} has ruled on this hold already.`
      : `Somebody has ruled on this hold in the stead of ${again} already.`,
    'Another reviewer must give the remaining approval.',
  );
}

/** Who may rule by now: whom the terms name, and those whom it has escalated to. */
export function rolesNow({ terms, escalated }: HoldState): readonly string[] {
  const further = (terms.escalation ?? []).slice(0, escalated).flatMap((step) => step.roles);
  return [...new Set([...terms.roles, ...further])];
}

/** One person alone, in a role that the terms name for it; never the one who asked. */
function afterBreakGlass(state: HoldState, ruling: RulingRequest, nowMs: number): HoldState {
  const { terms } = state;
  if (ruling.verdict !== 'release') {
    throw new HoldpointError(
      'invalid_argument',
      'Breaking the glass releases what is held as it is.',
      'Deny or amend without it.',
    );
  }
  if (terms.breakGlass?.roles.includes(ruling.role) !== true) {
    const who = terms.breakGlass?.roles.join(', ') ?? '';
    throw new HoldpointError(
      'forbidden',
      who === '' ? 'Nobody may break the glass on this hold.' : `Only the roles ${who} may break the glass.`,
      who === '' ? 'Ask for the approvals that it needs.' : 'Ask somebody who has one of them.',
    );
  }
  if (ruling.inStead !== undefined)
    throw new HoldpointError(
      'invalid_argument',
      'Nobody breaks the glass in the stead of another.',
      'Do it in your own role, where the hold lets it.',
    );
  refuseRequester(terms, ruling);
  requireReason(ruling, 'break the glass');
  const { by, role, verdict } = ruling;
  const rulings = [...state.rulings, { by, role, verdict, atMs: nowMs, breakGlass: true as const }];
  return { ...state, rulings, status: 'released' };
}

function refuseRequester(terms: HoldTermsFixed, ruling: RulingRequest): void {
  if (!namesIn(ruling, ruling.people).includes(terms.requester)) return;
  throw new HoldpointError(
    'forbidden',
    'The requester of a call cannot rule on it.',
    'Ask another reviewer.',
  );
}

function requireReason({ reason }: RulingRequest, what: string): void {
  if (saysSomething(reason)) return;
  throw new HoldpointError(
    'invalid_argument',
    `A reason is required to ${what}.`,
    'Say why, in a sentence the auditor will read.',
  );
}

/** Throws `ruling_expired` or `already_ruled` where nobody rules any more. */
export function refuseUnlessOpen(state: HoldState, nowMs: number): void {
  if (state.status === 'expired' || (state.status === 'pending' && nowMs >= state.terms.expiresAtMs)) {
    throw new HoldpointError(
      'ruling_expired',
      'The hold expired before the ruling.',
      'The workload was told; it may ask again.',
    );
  }
  if (state.status !== 'pending') {
    throw new HoldpointError(
      'already_ruled',
      `The hold is already ${state.status}.`,
      'A ruling is final and used once.',
    );
  }
}

/**
 * One denial denies; an amendment counts as the approval of its own bytes only when one approval suffices. Whoever
 * approved before approved other bytes.
 */
function statusAfter(verdict: HumanVerdict, state: HoldState, people: PeopleNow | undefined): HoldStatus {
  if (verdict === 'deny') return 'denied';
  if (verdict === 'amend') {
    if (state.terms.approvals > 1) {
      throw new HoldpointError(
        'invalid_argument',
        'A hold that needs several approvals cannot be amended by one person.',
        'Release or deny it.',
      );
    }
    return isApproved({ ...state, rulings: asReleases(state.rulings.slice(-1)) }, people)
      ? 'amended'
      : refuseNeeds(state);
  }
  return isApproved(state, people) ? 'released' : 'pending';
}

const asReleases = (rulings: readonly Approval[]): Approval[] =>
  rulings.map((ruling) => ({ ...ruling, verdict: 'release' }));

function refuseNeeds({ terms }: HoldState): never {
  throw new HoldpointError(
    'invalid_argument',
    `This hold also needs ${(terms.needs ?? []).map(({ roles }) => roles.join(' or ')).join(' and ')}.`,
    'Release or deny it.',
  );
}

/** So many different people, and in each role that is asked for so many; whom it escalated to counts for any. */
function isApproved(state: HoldState, people: PeopleNow | undefined): boolean {
  const releases = releasesOf(state, people);
  return releases.length >= state.terms.approvals && needsOf(state, people).every(({ left }) => left === 0);
}

/**
 * Who released so far and still counts, each person once. A person rules once; but that two names are one person's may
 * have been found out since both released.
 */
export function releasesOf({ rulings }: HoldState, people: PeopleNow = everybody): Approval[] {
  const spoken = new Set<string>();
  return rulings.filter((ruling) => {
    if (ruling.verdict !== 'release') return false;
    const isFirst = !namesIn(ruling, people).some((name) => spoken.has(name));
    for (const voice of voicesOf(ruling)) spoken.add(voice);
    // In the first one's role or in none: verifiers count so, and must not find less than what was counted here.
    return isFirst && people.counts(ruling);
  });
}

/** What is asked for by role, and how many people it still lacks. */
export function needsOf(
  state: HoldState,
  people?: PeopleNow,
): { approvals: number; roles: readonly string[]; left: number }[] {
  const releases = releasesOf(state, people);
  const further = (state.terms.escalation ?? []).slice(0, state.escalated).flatMap((step) => step.roles);
  return (state.terms.needs ?? []).map(({ approvals, roles }) => {
    const given = releases.filter(({ role }) => roles.includes(role) || further.includes(role)).length;
    return { approvals, roles, left: Math.max(0, approvals - given) };
  });
}

/** The state once its time is over; unchanged when it was ruled before. */
export function afterExpiry(state: HoldState, nowMs: number): HoldState {
  if (state.status !== 'pending' || nowMs < state.terms.expiresAtMs) return state;
  return {
    ...state,
    status: 'expired',
    rulings: [...state.rulings, { by: 'holdpoint', role: 'holdpoint', verdict: 'expired', atMs: nowMs }],
  };
}
