/**
 * What is kept beside the ledger and can be made from it again: lookup, subjects, reviewers' keys, granted tokens,
 * oversight, search index and tiles, in one store of their own. Never evidence. Owns that store.
 */
import type { Step } from './head.ts';
import { type Lookup, openLookup } from './lookup.ts';
import { type Oversight, openOversight } from './oversight.ts';
import { readBlocks } from './reader.ts';
import { openRetentionMarks, type RetentionMarks } from './retention-marks.ts';
import { openReviewerKeys, type ReviewerKeys } from './reviewer-keys.ts';
import { openSearchIndex, type SearchIndex } from './search.ts';
import type { OpenStore, RecordStore } from './store.ts';
import { openSubjects, type Subjects } from './subjects.ts';
import { openTokenGrants, type TokenGrants } from './token-grants.ts';
import { openTreeReader, type TreeReader, type TreeReaderOptions } from './tree-reader.ts';

export interface Derived {
  readonly lookup: Pick<Lookup, 'entriesOf'>;
  readonly subjects: Pick<Subjects, 'decisionsOf' | 'linesOf' | 'legalHolds'>;
  readonly reviewerKeys: Pick<ReviewerKeys, 'all'>;
  readonly oversight: Pick<Oversight, 'glassBroken' | 'delegations'>;
  readonly tokenGrants: Pick<TokenGrants, 'all'>;
  readonly search: Pick<SearchIndex, 'find'>;
  readonly tree: Omit<TreeReader, 'close'>;
  readonly retentionMarks: RetentionMarks;
  /** Takes entries that became durable, in order, and their leaf hashes. */
  take(steps: readonly Step[], hashes: readonly Buffer[]): void;
  /** Feeds it with what the ledger sealed and it did not see, such as after a crash. */
  catchUp(store: RecordStore, size: number): Promise<void>;
  /** Writes what it knows and lets the store go. */
  close(): Promise<void>;
}

export interface DerivedOptions extends Omit<TreeReaderOptions, 'indexStore'> {
  readonly openIndexStore: OpenStore<RecordStore>;
}

/** Opens what is there; what it lacks is caught up with once the ledger is open. */
export async function openDerived(options: DerivedOptions): Promise<Derived> {
  const { onError } = options;
  const indexStore = await options.openIndexStore();
  const lookup = await openLookup(indexStore, onError);
  const search = await openSearchIndex(indexStore, onError);
  const subjects = await openSubjects(indexStore, onError);
  const reviewerKeys = await openReviewerKeys(indexStore, onError);
  const oversight = await openOversight(indexStore, onError);
  const tokenGrants = await openTokenGrants(indexStore, onError);
  const fed: readonly Fed[] = [lookup, subjects, reviewerKeys, tokenGrants, oversight, search];
  const tree = await openTreeReader({ ...options, indexStore }).catch(async (error: unknown) => {
    await lookup.close();
    throw error;
  });
  return {
    lookup,
    subjects,
    reviewerKeys,
    oversight,
    tokenGrants,
    search,
    tree,
    retentionMarks: openRetentionMarks(indexStore),
    take: (steps, hashes) => {
      for (const one of fed) one.add(steps);
      tree.advance(steps[0]?.seq, hashes);
    },
    catchUp: (store, size) => catchUp(store, fed, size),
    close: async () => {
      // Made again from the ledger: its failure must not keep the evidence from being closed.
      await tree.close().catch(onError);
      try {
        await Promise.all([
          subjects.flush(),
          reviewerKeys.flush(),
          tokenGrants.flush(),
          oversight.flush(),
          search.flush(),
        ]);
      } finally {
        await lookup.close();
      }
    },
  };
}

type Fed = Pick<
  Lookup | Subjects | ReviewerKeys | TokenGrants | Oversight | SearchIndex,
  'add' | 'nextSeq' | 'forget'
>;

async function catchUp(store: RecordStore, derived: readonly Fed[], size: number): Promise<void> {
  // It knows more than was sealed: it belongs to entries that are gone, so it is made anew.
  for (const one of derived) if (one.nextSeq() > size) one.forget();
  const from = Math.min(...derived.map((one) => one.nextSeq()));
  if (from >= size) return;
  for await (const entries of readBlocks(store, { fromSeq: from, reverse: false }))
    for (const one of derived) one.add(entries.filter((entry) => entry.seq >= one.nextSeq()));
}
