/** Sealed messages of a decision, or why they cannot be read. */
import { HoldpointError } from '../core/errors.ts';
import type { Facts, ResponseFacts } from '../core/facts.ts';
import { decodeHttpMessage, type HttpMessage, headerOf } from '../core/http-message.ts';
import { leafTextMax } from '../core/leaf-text.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Action, Phase } from '../policy/policy.ts';
import { socketBodyType } from '../provider/realtime/body.ts';

/**
 * Why facts cannot be rebuilt: the body was erased; only its beginning is stored; the connection passed unread; the
 * family of the API is not known here; what is stored cannot be opened.
 */
export const obstacles = ['erased', 'cut', 'not_recorded', 'unknown_family', 'damaged'] as const;
export type Obstacle = (typeof obstacles)[number];

export type ReplayedLedger = Pick<Ledger, 'part' | 'entry'>;

/** The ledger as it was when the answer was judged: what a reviewer had sent in the request's place stands there for it. */
export function asSent(
  ledger: ReplayedLedger,
  entries: readonly Entry[],
  answer: Entry | undefined,
): ReplayedLedger {
  const [first] = entries;
  // Behind the answer, it is that which was amended.
  const amended = entries.find((entry) => isAmendment(entry) && entry.seq < (answer?.seq ?? 0));
  if (first === undefined || amended === undefined) return ledger;
  return {
    entry: (seq) => ledger.entry(seq),
    part: (seq, name) =>
      seq === first.seq && name === 'request'
        ? ledger.part(amended.seq, 'amendment')
        : ledger.part(seq, name),
  };
}

/** A ruling that puts what it carries in the place of what was held: the request's before there is an answer, the answer's after. */
export function isAmendment({ type, data }: Entry): boolean {
  return type === 'ruling' && data['verdict'] === 'amend' && data['final'] === true;
}

/** What was sealed of the judgement over one phase. */
export interface Judged {
  readonly phase: Phase;
  /** Ids of the rules that matched then. */
  readonly rules: readonly string[];
  readonly verdict: Action | 'pass';
}

/** One exchange as rules judge it; a body that carries many has one for each of them beside its own. */
export interface Heard {
  readonly facts: Facts;
  readonly defects: readonly string[];
}

export interface Replayable extends Judged {
  readonly heard: () => Iterable<Heard>;
  /** Facts that rules can read and the record does not have, such as `request.subject`. */
  readonly lacking: ReadonlySet<string>;
  /** Nothing was held or denied here whatever the rules said: a handshake, or what was only reported. */
  readonly flagsOnly: boolean;
}

export interface Obstructed extends Judged {
  readonly obstacle: Obstacle;
}

export function judgedIn(phase: Phase, { data }: Entry): Judged {
  const { rules, verdict } = data;
  const ids = Array.isArray(rules) ? rules.filter((id) => typeof id === 'string') : [];
  const isStrict = verdict === 'flag' || verdict === 'hold' || verdict === 'deny';
  return { phase, rules: ids, verdict: isStrict ? verdict : 'pass' };
}

/**
 * What rules judge of an answer: not the calls in it that its reader has already, by a release. `known` has them as an entry
 * does, [place, decision] each; anything else is none.
 */
export function withoutKnown(facts: ResponseFacts, known: unknown): ResponseFacts {
  if (!Array.isArray(known)) return facts;
  const places = new Set(known.map((each) => (Array.isArray(each) ? each[0] : null)));
  return { ...facts, toolCalls: facts.toolCalls.filter((_, place) => !places.has(place)) };
}

/** A member of an entry's data; '' where it is no text. */
export function textOf(data: Entry['data'], name: string): string {
  const value = data[name];
  return typeof value === 'string' ? value : '';
}

/**
 * The path that a request asked for: of one that is too long for a leaf, the leaf has the beginning and its message the
 * whole. A line of a batch has a path of its own, which its message does not name.
 */
export function pathIn({ data }: Pick<Entry, 'data'>, { startLine }: Pick<HttpMessage, 'startLine'>): string {
  const path = textOf(data, 'path');
  if (path.length < leafTextMax) return path;
  const [, target = ''] = startLine.split(' ');
  const [whole = ''] = target.split('?', 1);
  return whole.startsWith(path) ? whole : path;
}

export async function messageIn(
  ledger: ReplayedLedger,
  entry: Entry,
  name: 'request' | 'response',
): Promise<HttpMessage | Obstacle> {
  try {
    return decodeHttpMessage(await ledger.part(entry.seq, name));
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'erased') return 'erased';
    if (error instanceof HoldpointError && error.code === 'ledger_damaged') return 'damaged';
    if (error instanceof RangeError) return 'damaged';
    throw error;
  }
}

/** Messages of a connection stand with what was understood of them; a body that came by HTTP and claims to be such is none. */
export function isSocketBody(entry: Entry, message: HttpMessage): boolean {
  return headerOf(message.headers, 'content-type') === socketBodyType && entry.data['carrier'] === undefined;
}
