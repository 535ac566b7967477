/**
 * Which decisions an erasure is about. A batch and its lines are one: what a line says lies in the batch's body too,
 * so that they are erased together or not at all.
 */
import { HoldpointError } from '../core/errors.ts';
import { type Entry, encodeLeaf } from '../ledger/entry.ts';
import { type Match, matches, type Scope } from '../ledger/erasure.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { UnreadableEntry } from '../ledger/reader.ts';
import { leafHash } from '../ledger/tree.ts';

/** Request seqs, the carrying decision's first. */
export type Group = readonly [number, ...number[]];

/** How many decisions are remembered, at least, so that lines and what was said later name each of them once. */
export const rememberedMin = 65_536;

/** What of the ledger it reads. */
export type CandidateSource = Pick<Ledger, 'decisionsOf' | 'entry' | 'linesOf' | 'oldest'>;

/** Where a scope over a class begins to look, and who hears how far it came. */
export interface Look {
  /** Of the retention rule that the scope names. */
  readonly match: Match;
  readonly fromSeq: number;
  /** Entries to look at first, below `fromSeq`. */
  readonly again: readonly number[];
  readonly nowMs: number;
  /** False once it is to look no further. */
  readonly goesOn: () => boolean;
  /** Told how far it looked. */
  readonly onLooked: (seq: number) => void;
  /** Told of an entry that says it was sealed in a time that is still to come. */
  readonly onLater: (seq: number) => void;
  /** Told of what cannot be read: what it is, or belongs to, is passed over. */
  readonly onUnread: (error: UnreadableEntry) => void;
}

/** Names a decision for good, by its request: its seq is another's where the ledger was restored and went on. */
export function meantBy(request: Entry): string {
  return leafHash(encodeLeaf(request)).toString('hex');
}

/** Throws `not_found` where the decision that a scope names is not the one that was meant. */
export async function requireMeant(
  ledger: Pick<Ledger, 'entry'>,
  scope: Scope,
  meant: string,
): Promise<void> {
  if (!('decision' in scope)) return;
  const found = await ledger.entry(scope.decision).catch((error: unknown) => {
    if (error instanceof HoldpointError && error.code === 'not_found') return null;
    throw error;
  });
  if (found !== null && meantBy(found) === meant) return;
  throw new HoldpointError(
    'not_found',
    `The decision of entry ${scope.decision} that was to be erased is not in the ledger, which was restored since: nothing was erased.`,
    'Find the decision anew, if the backup has it, and ask for its erasure again.',
  );
}

/** Groups in the order of the ledger, each once. Holds one block of entries in memory. */
export async function* groupsOf(ledger: CandidateSource, scope: Scope, look: Look): AsyncGenerator<Group> {
  let remembered = new Set<number>();
  // Those before it, kept until as many again have come: the newest may not be sealed yet, and would be named twice.
  let earlier = remembered;
  for await (const request of requestsOf(ledger, scope, look)) {
    const root = rootOf(request);
    if (remembered.has(root) || earlier.has(root)) continue;
    if (remembered.size >= rememberedMin) {
      earlier = remembered;
      remembered = new Set();
    }
    remembered.add(root);
    const group = await groupOf(ledger, root, look);
    if (group !== null) yield group;
  }
}

/** Null where a line of it cannot be read: a batch is erased whole or not at all. */
async function groupOf(ledger: CandidateSource, root: number, look: Look): Promise<Group | null> {
  const lines: number[] = [];
  let isWhole = true;
  for (const line of await ledger.linesOf(root)) {
    if (typeof line === 'number') lines.push(line);
    else {
      look.onUnread(line);
      isWhole = false;
    }
  }
  return isWhole ? [root, ...lines] : null;
}

/** What `read` resolves to; null where it meets what cannot be read, which is told. */
async function readOr<T>(look: Look, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UnreadableEntry)) throw error;
    look.onUnread(error);
    return null;
  }
}

async function* requestsOf(ledger: CandidateSource, scope: Scope, look: Look): AsyncGenerator<Entry> {
  if ('decision' in scope) {
    const entry = await ledger.entry(scope.decision);
    if (entry.type !== 'request')
      throw new HoldpointError('not_found', `Entry ${scope.decision} is not a decision.`);
    yield entry;
  } else if ('subject' in scope) {
    for (const found of await ledger.decisionsOf(scope.subject)) {
      if (typeof found !== 'number') {
        look.onUnread(found);
        continue;
      }
      const entry = await readOr(look, () => ledger.entry(found));
      // The index is never evidence.
      if (entry?.type === 'request' && entry.data['subject'] === scope.subject) yield entry;
      look.onLooked(found);
    }
  } else yield* requestsOfClass(ledger, scope, look);
}

type ClassScope = Extract<Scope, { readonly match: Match } | { readonly rule: string }>;

async function* requestsOfClass(
  ledger: CandidateSource,
  scope: ClassScope,
  look: Look,
): AsyncGenerator<Entry> {
  const wanted = 'match' in scope ? scope.match : look.match;
  const now = new Date(look.nowMs).toISOString();
  const isLater = ({ at }: Entry): boolean => scope.before !== undefined && at >= scope.before;
  for (const seq of look.again) {
    const entry = await readOr(look, () => ledger.entry(seq));
    if (entry === null) continue;
    // Of a batch it is the carrying decision, and it may be a line alone that is of the class.
    const isJudged = entry.type === 'request';
    const request = isJudged ? entry : await requestToJudge(ledger, entry, wanted, look);
    if (request === null) continue;
    if (isLater(entry)) look.onLater(seq);
    else yield request;
  }
  for await (const entries of ledger.oldest(look.fromSeq)) {
    if (!look.goesOn()) return;
    for (const entry of entries) {
      if (entry instanceof UnreadableEntry) {
        look.onUnread(entry);
        look.onLooked(entry.last);
        continue;
      }
      // Entries come in the order of time, but for a clock that stepped back, which one more run makes good.
      if (isLater(entry) && entry.at <= now) return;
      const request = await requestToJudge(ledger, entry, wanted, look);
      // A clock that had run ahead: what comes after it is of its own time, and must not wait for that one.
      if (request !== null && isLater(entry)) look.onLater(entry.seq);
      else if (request !== null) yield request;
      look.onLooked(entry.seq);
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/**
 * The request of the class that an entry is, or that it adds something to though everything below `fromSeq` was judged,
 * such as a comment on a decision that was erased; null for any other entry.
 */
async function requestToJudge(
  ledger: CandidateSource,
  entry: Entry,
  wanted: Match,
  look: Look,
): Promise<Entry | null> {
  if (entry.type === 'request') return matches(wanted, entry.data) ? entry : null;
  const { decision } = entry.data;
  if (typeof decision !== 'number' || decision >= look.fromSeq || entry.parts.length === 0) return null;
  const request = await readOr(look, () => ledger.entry(decision));
  return request?.type === 'request' && (await hasOneOf(ledger, request, wanted, look)) ? request : null;
}

/** True where the decision is of the class, or another of its batch is: what is said of one is erased with all of them. */
async function hasOneOf(
  ledger: CandidateSource,
  request: Entry,
  wanted: Match,
  look: Look,
): Promise<boolean> {
  if (matches(wanted, request.data)) return true;
  // Where some of it cannot be read nothing of it is erased.
  for (const seq of (await groupOf(ledger, rootOf(request), look)) ?? []) {
    const entry = await readOr(look, () => ledger.entry(seq));
    if (entry?.type === 'request' && matches(wanted, entry.data)) return true;
  }
  return false;
}

/** Of a line the decision that carried it, of any other the decision itself. */
function rootOf({ seq, data: { batch } }: Entry): number {
  return typeof batch === 'number' ? batch : seq;
}
