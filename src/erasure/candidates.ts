/**
 * Which decisions an erasure is about. A batch and its lines are one: what a line says lies in the batch's body too,
 * so that they are erased together or not at all.
 */
import { HoldpointError } from '../core/errors.ts';
import type { Entry } from '../ledger/entry.ts';
import { type Match, matches, type Scope } from '../ledger/erasure.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Request seqs, the carrying decision's first. */
export type Group = readonly [number, ...number[]];

/** How many carrying decisions are remembered, so that lines name each of them once. */
const rememberedMax = 65_536;

/**
 * Groups in the order of the ledger, each once. Holds one block of entries in memory.
 * @param match of the retention rule that the scope names
 * @param fromSeq where a scope over a class begins to look
 * @param onLooked told how far it looked
 */
export async function* groupsOf(
  ledger: Ledger,
  scope: Scope,
  match: Match,
  fromSeq: number,
  onLooked: (seq: number) => void,
): AsyncGenerator<Group> {
  let remembered = new Set<number>();
  for await (const request of requestsOf(ledger, scope, match, fromSeq, onLooked)) {
    const { batch } = request.data;
    const root = typeof batch === 'number' ? batch : request.seq;
    if (remembered.has(root)) continue;
    if (remembered.size >= rememberedMax) remembered = new Set();
    remembered.add(root);
    yield [root, ...(await ledger.linesOf(root))];
  }
}

async function* requestsOf(
  ledger: Ledger,
  scope: Scope,
  match: Match,
  fromSeq: number,
  onLooked: (seq: number) => void,
): AsyncGenerator<Entry> {
  if ('decision' in scope) {
    const entry = await ledger.entry(scope.decision);
    if (entry.type !== 'request')
      throw new HoldpointError('not_found', `Entry ${scope.decision} is not a decision.`);
    yield entry;
  } else if ('subject' in scope) {
    for (const seq of await ledger.decisionsOf(scope.subject)) {
      const entry = await ledger.entry(seq);
      // The index is never evidence.
      if (entry.type === 'request' && entry.data['subject'] === scope.subject) yield entry;
      onLooked(seq);
    }
  } else {
    const wanted = 'match' in scope ? scope.match : match;
    for await (const entries of ledger.blocks({ fromSeq, reverse: false })) {
      for (const entry of entries) {
        // Entries come in the order of time, but for a clock that stepped back, which one more run makes good.
        if (scope.before !== undefined && entry.at >= scope.before) return;
        if (entry.type === 'request' && entry.seq >= fromSeq && matches(wanted, entry.data)) yield entry;
        onLooked(entry.seq);
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}
