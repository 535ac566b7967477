/**
 * The work behind the page: verifies, and tells stories from the file. Runs in a worker, or in the page where none can be
 * had. Owns the files, the index and the key-encryption keys of one verification at a time.
 */
import { type UnwrapKeys, unwrapWithAny } from '../ledger/verify/bodies.ts';
import { readRecordKey, recordKinds } from '../ledger/verify/framing.ts';
import { readStream, type StreamRecord } from '../ledger/verify/stream.ts';
import { type Verdict, verifyLedger } from '../ledger/verify/verify.ts';
import { type Given, linesOf, readKeks } from './given.ts';
import { type LedgerFiles, openLedgerFiles } from './ledger-files.ts';
import {
  createStories,
  type DecisionLine,
  type PartContent,
  type Stories,
  type Story,
  type StoryPlace,
} from './stories.ts';
import { createStoryIndex, type Shown, type StoryIndex } from './story-index.ts';

export interface Progress {
  readonly bytes: number;
  readonly bytesTotal: number;
  readonly entries: number;
  readonly elapsedMs: number;
}

export interface Verified {
  readonly verdict: Verdict;
  readonly bytes: number;
  readonly elapsedMs: number;
  /** How many decisions there are of each kind that can be shown. */
  readonly counts: Readonly<Record<string, number>>;
  /** True when the ledger has more entries than stories are kept for. */
  readonly isCut: boolean;
}

export interface DecisionPage {
  readonly total: number;
  readonly lines: readonly DecisionLine[];
}

export interface Engine {
  /** Null when `cancel` came before the end. */
  verify(
    files: readonly File[],
    given: Given,
    onProgress: (progress: Progress) => void,
  ): Promise<Verified | null>;
  cancel(): void;
  decisions(shown: Shown, from: number, count: number): Promise<DecisionPage>;
  /** Null when there is no such decision. */
  story(seq: number): Promise<Story | null>;
  part(place: StoryPlace): Promise<PartContent>;
}

const progressEveryMs = 100;

export function createEngine(nowMs: () => number): Engine {
  let run = 0;
  let stories: Stories | null = null;

  return {
    cancel: () => {
      run += 1;
    },
    async verify(files, given, onProgress) {
      run += 1;
      const mine = run;
      stories = null;
      const ledger = openLedgerFiles(files);
      const index = createStoryIndex();
      const startedMs = nowMs();
      let reportedMs = startedMs;
      let bytes = 0;
      let entries = 0;
      const report = (): void => {
        reportedMs = nowMs();
        onProgress({ bytes, bytesTotal: ledger.bytes, entries, elapsedMs: reportedMs - startedMs });
      };
      const check = (): void => {
        if (mine !== run) throw new Error('it was cancelled');
      };
      const onRead = (length: number): void => {
        bytes += length;
        if (nowMs() - reportedMs >= progressEveryMs) report();
      };
      const keks = readKeks(given.kek);
      const verdict = await verifyIndexed(ledger, index, given, keks, check, onRead, (seq) => {
        entries = seq;
      });
      if (mine !== run) return null;
      report();
      index.markDamaged(verdict.findings.map(({ seq }) => seq));
      stories = createStories(ledger, index, unwrapOf(keks), verdict);
      const elapsedMs = nowMs() - startedMs;
      return { verdict, bytes, elapsedMs, counts: index.counts(), isCut: index.isCut() };
    },
    decisions: async (shown, from, count) =>
      stories === null ? { total: 0, lines: [] } : stories.list(shown, from, count),
    story: async (seq) => (stories === null ? null : stories.story(seq)),
    part: async (place) =>
      stories === null ? { kind: 'refused', why: 'there is no ledger' } : stories.part(place),
  };
}

/** One pass: the verdict, and on the way where everything lies. */
function verifyIndexed(
  ledger: LedgerFiles,
  index: StoryIndex,
  given: Given,
  keks: readonly Uint8Array[],
  check: () => void,
  onRead: (bytes: number) => void,
  onProgress: (entries: number) => void,
): Promise<Verdict> {
  let current: StreamRecord | null = null;
  const source = async function* (): AsyncGenerator<StreamRecord> {
    for await (const record of readStream(ledger.chunks(check, onRead))) {
      current = record;
      const key = readRecordKey(record.key);
      if (key?.kind === recordKinds.bodies)
        index.addBodies(key.seq, { at: record.at, bytes: record.value.length });
      yield record;
    }
  };
  const trustedKeys = linesOf(given.trustedKeys);
  return verifyLedger(source(), {
    onProgress,
    onBlock: (block) => {
      if (current !== null) index.addBlock(block, { at: current.at, bytes: current.value.length });
    },
    ...(trustedKeys.length === 0 ? {} : { trustedKeys }),
    ...(given.checkpoint.trim() === '' ? {} : { checkpoint: given.checkpoint }),
    ...(given.highWater === '' ? {} : { highWater: given.highWater }),
    ...(keks.length === 0 ? {} : { openBody: keks }),
  });
}

function unwrapOf(keks: readonly Uint8Array[]): UnwrapKeys | null {
  return keks.length === 0 ? null : unwrapWithAny(keks);
}
