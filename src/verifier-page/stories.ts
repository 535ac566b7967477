/** Decisions read back from the file when somebody looks at them; nothing of their content is kept but a few blocks. */
import type { UnwrapKeys } from '../ledger/verify/bodies.ts';
import { isJsonObject, type JsonObject, parseCanonical } from '../ledger/verify/canonical.ts';
import { fromUtf8 } from '../ledger/verify/encoding.ts';
import { findingsMax } from '../ledger/verify/findings.ts';
import { readBlock } from '../ledger/verify/framing.ts';
import { readLeaf } from '../ledger/verify/leaf.ts';
import { openPart } from '../ledger/verify/open-part.ts';
import type { Outcome } from '../ledger/verify/outcomes.ts';
import { type Finding, isRefusal } from '../ledger/verify/reasons.ts';
import type { Verdict } from '../ledger/verify/verify.ts';
import type { LedgerFiles } from './ledger-files.ts';
import type { EntryPlace, Extent, Shown, StoryIndex } from './story-index.ts';

export interface DecisionLine {
  readonly seq: number;
  readonly id: string;
  /** UTC as sealed; '' where the entry cannot be read. */
  readonly at: string;
  readonly model: string;
  readonly operation: string;
  readonly workload: string;
  /** What the rules said to the request. */
  readonly verdict: string;
  readonly outcome: Outcome | 'open';
  readonly held: boolean;
  readonly damaged: boolean;
}

export interface StoryEntry {
  readonly seq: number;
  readonly type: string;
  readonly at: string;
  readonly data: JsonObject;
  readonly parts: readonly { readonly name: string; readonly size: number }[];
  /** The entry's own bytes as text. */
  readonly json: string;
  readonly findings: readonly Finding[];
}

export interface Story {
  readonly line: DecisionLine;
  readonly entries: readonly StoryEntry[];
  /** How many entries it has beyond those listed. */
  readonly more: number;
  /** True when a key was given, so that bodies can be asked for. */
  readonly canOpen: boolean;
}

export interface StoryPlace {
  readonly decision: number;
  readonly entry: number;
  readonly part: number;
}

export type PartContent =
  | { readonly kind: 'opened'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** It is gone, and an entry of the ledger says so. */
  | { readonly kind: 'erased' }
  | { readonly kind: 'refused'; readonly why: string };

export interface Stories {
  list(
    shown: Shown,
    from: number,
    count: number,
  ): Promise<{ readonly total: number; readonly lines: readonly DecisionLine[] }>;
  story(seq: number): Promise<Story | null>;
  part(place: StoryPlace): Promise<PartContent>;
}

export const storyEntriesMax = 200;
/** Entries of one decision tend to lie in neighbouring blocks. */
const blocksKept = 4;

export function createStories(
  ledger: LedgerFiles,
  index: StoryIndex,
  unwrap: UnwrapKeys | null,
  verdict: Verdict,
): Stories {
  const kept = new Map<number, Promise<readonly Uint8Array[]>>();
  const leavesOf = (block: Extent): Promise<readonly Uint8Array[]> => {
    const known = kept.get(block.at);
    if (known !== undefined) return known;
    const reading = readLeaves(ledger, block);
    kept.set(block.at, reading);
    for (const oldest of kept.keys()) {
      if (kept.size <= blocksKept) break;
      kept.delete(oldest);
    }
    return reading;
  };
  const bytesOf = async (place: EntryPlace): Promise<Uint8Array> =>
    (await leavesOf(place.block))[place.position] ?? new Uint8Array(0);

  async function lineOf(seq: number): Promise<DecisionLine | null> {
    const found = index.decision(seq);
    const [request] = found?.entries ?? [];
    if (found === null || request === undefined) return null;
    const { outcome, held, damaged } = found;
    const fields = fieldsOf(await bytesOf(request));
    const data = dataOf(fields);
    const id = `d-${verdict.origin.replace('holdpoint/', '').slice(0, 8)}-${seq}`;
    return {
      ...{ seq, id, outcome, held, damaged },
      at: textIn(fields, 'at'),
      model: textIn(data, 'model'),
      operation: textIn(data, 'operation'),
      workload: textIn(data, 'workload'),
      verdict: textIn(data, 'verdict'),
    };
  }

  async function entryOf(place: EntryPlace): Promise<StoryEntry> {
    const bytes = await bytesOf(place);
    const fields = fieldsOf(bytes);
    const parts = fields['parts'];
    return {
      seq: place.seq,
      type: textIn(fields, 'type'),
      at: textIn(fields, 'at'),
      data: dataOf(fields),
      parts: (Array.isArray(parts) ? parts : []).filter(isJsonObject).map((part) => ({
        name: textIn(part, 'name'),
        size: typeof part['size'] === 'number' ? part['size'] : 0,
      })),
      json: fromUtf8(bytes) ?? '',
      findings: verdict.findings.filter(({ seq }) => seq === place.seq),
    };
  }

  return {
    async list(shown, from, count) {
      const { total, seqs } = index.list(shown, from, count);
      const lines: DecisionLine[] = [];
      // One after the other: neighbours share blocks.
      for (const seq of seqs) {
        const line = await lineOf(seq);
        if (line !== null) lines.push(line);
      }
      return { total, lines };
    },
    async story(seq) {
      const line = await lineOf(seq);
      const places = index.decision(seq)?.entries ?? [];
      if (line === null) return null;
      const entries: StoryEntry[] = [];
      for (const place of places.slice(0, storyEntriesMax)) entries.push(await entryOf(place));
      return { line, entries, more: places.length - entries.length, canOpen: unwrap !== null };
    },
    async part({ decision, entry, part }) {
      const place = index.decision(decision)?.entries.find(({ seq }) => seq === entry);
      if (place === undefined) return refused('there is no such entry');
      if (unwrap === null) return refused('no key-encryption key was given');
      if (place.bodies === null) return notStored(verdict, entry);
      const leaf = readLeaf(await bytesOf(place));
      if (isRefusal(leaf)) return refused(leaf.message);
      const record = await ledger.read(place.bodies.at, place.bodies.bytes);
      const opened = await openPart({ record, firstSeq: place.block.firstSeq, leaf, index: part }, unwrap);
      if (!isRefusal(opened)) return { kind: 'opened', bytes: opened.slice() };
      if (opened.code === 'body_missing') return notStored(verdict, entry);
      return refused(`${opened.code}: ${opened.message}`);
    },
  };
}

async function readLeaves(ledger: LedgerFiles, block: Extent): Promise<readonly Uint8Array[]> {
  const framed = readBlock(await ledger.read(block.at, block.bytes));
  return framed.kind === 'read' ? framed.record.leaves : [];
}

function fieldsOf(bytes: Uint8Array): JsonObject {
  const reading = parseCanonical(bytes);
  return reading.kind === 'canonical' && isJsonObject(reading.value) ? reading.value : {};
}

function dataOf(fields: JsonObject): JsonObject {
  const { data } = fields;
  return isJsonObject(data) ? data : {};
}

function textIn(fields: JsonObject, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

/** Of a part without stored bytes: an erasure names it, or the verdict has a finding about its entry. */
function notStored({ bodies, findings }: Verdict, seq: number): PartContent {
  const isReported = findings.some((finding) => finding.code === 'body_missing' && finding.seq === seq);
  const isListWhole = findings.length < findingsMax;
  return bodies.erased > 0 && !isReported && isListWhole
    ? { kind: 'erased' }
    : refused('body_missing: it is not stored');
}

function refused(why: string): PartContent {
  return { kind: 'refused', why };
}
