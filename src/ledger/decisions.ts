/** Reads decisions and their bodies from a ledger that is open; what the lookup names must say itself where it belongs. */
import { HoldpointError } from '../core/errors.ts';
import type { Json } from './canonical.ts';
import type { Entry } from './entry.ts';
import { erases, erasureIsAbout, targetsOf } from './erasure.ts';
import { outcomesOf } from './head.ts';
import type { Lookup } from './lookup.ts';
import { newestFirst } from './newest-first.ts';
import type { Opened } from './opening.ts';
import { mayBeStored, readEntry, readPart, UnreadableEntry } from './reader.ts';
import type { SearchIndex, SearchTerms } from './search.ts';
import type { Subjects } from './subjects.ts';
import type { KeyEncryptionKey } from './vault.ts';

export interface Decisions {
  /** See Ledger.decision. */
  decision(requestSeq: number, missing?: (why: UnreadableEntry) => void): Promise<readonly Entry[]>;
  /** See Ledger.part. */
  part(seq: number, name: string): Promise<Buffer>;
  /** See Ledger.find. */
  find(terms: SearchTerms, before: number): AsyncGenerator<number>;
  /** See Ledger.newest. */
  newest(before: number, terms?: SearchTerms): AsyncGenerator<Entry | UnreadableEntry>;
  /** See Ledger.decisionsOf. */
  decisionsOf(subject: string): Promise<readonly (number | UnreadableEntry)[]>;
  /** See Ledger.linesOf. */
  linesOf(decision: number): Promise<readonly (number | UnreadableEntry)[]>;
}

export interface DecisionsOptions {
  readonly opened: () => Opened;
  readonly lookup: Pick<Lookup, 'entriesOf'>;
  readonly search: Pick<SearchIndex, 'find'>;
  readonly subjects: Pick<Subjects, 'decisionsOf' | 'linesOf'>;
  readonly keks: () => readonly KeyEncryptionKey[];
}

export function createDecisions({ opened, lookup, search, subjects, keks }: DecisionsOptions): Decisions {
  /** A body that is not stored was erased, or the ledger is damaged: only a sealed entry tells which. */
  async function part(seq: number, name: string): Promise<Buffer> {
    const { store } = opened();
    try {
      return await readPart(store, keks(), seq, name);
    } catch (error) {
      if (!(error instanceof HoldpointError) || error.code !== 'ledger_damaged') throw error;
      const entry = await readEntry(store, seq);
      const index = entry.parts.findIndex((candidate) => candidate.name === name);
      const erased = await erasureOf(seq, index);
      if (erased === undefined || (await mayBeStored(store, seq, index))) throw error;
      throw new HoldpointError(
        'erased',
        `The ${name} body of entry ${seq} was erased on ${erased.at} by ${String(erased.data['by'])}.`,
        `Entry ${erased.seq} says on what basis.`,
      );
    }
  }

  async function erasureOf(seq: number, partIndex: number): Promise<Entry | undefined> {
    const { size } = opened().sealer.durable();
    for (const about of await lookup.entriesOf(seq)) {
      if (about >= size) continue;
      const entry = await readEntry(opened().store, about);
      if (erases(entry, seq, partIndex)) return entry;
    }
    return undefined;
  }

  /** Every durable entry of a decision after its request. What is open is known from the ledger itself. */
  async function entriesOf(requestSeq: number, missing: (why: UnreadableEntry) => void) {
    const { head, sealer } = opened();
    const seqs = head.open.get(requestSeq) ?? (await lookup.entriesOf(requestSeq));
    const { size } = sealer.durable();
    const durable = seqs.filter((seq) => seq > requestSeq && seq < size);
    const entries: Entry[] = [];
    // One after the other: they mostly lie in one block, which is then read once.
    for (const seq of durable) {
      const found = await entryOrDamage(seq);
      if (found instanceof UnreadableEntry) missing(found);
      else entries.push(found);
    }
    // The lookup is never evidence: what it names must say itself that it belongs here.
    return entries.filter((entry) => isAbout(entry, requestSeq));
  }

  /**
   * What was said of a decision after a first erasure of it is erased by an entry that names nothing else of it. Before
   * a first one there is none: it names the request with all that there is.
   */
  async function laterErasures(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const named = new Set(entries.flatMap(targetsOf).map(([seq, part]) => `${seq}/${part}`));
    if (named.size === 0) return [];
    const found = new Map<number, Entry>();
    for (const { type, seq, parts } of entries) {
      const left = parts.findIndex((_part, index) => !named.has(`${seq}/${index}`));
      const erased = left < 0 || type === 'erasure' ? undefined : await erasureOf(seq, left);
      if (erased !== undefined) found.set(erased.seq, erased);
    }
    return [...found.values()];
  }

  /**
   * Of what an index names, the durable requests. It is never evidence: one that outlived the entries it was made from
   * names seqs that are not sealed, or are something else's by now. Those keep nobody from the others.
   */
  async function* requestsAmong(
    seqs: AsyncIterable<number> | Iterable<number>,
    size: number,
  ): AsyncGenerator<Entry | UnreadableEntry> {
    for await (const seq of seqs) {
      if (seq >= size) continue;
      const found = await entryOrDamage(seq);
      if (found instanceof UnreadableEntry || found.type === 'request') yield found;
    }
  }

  async function entryOrDamage(seq: number): Promise<Entry | UnreadableEntry> {
    try {
      return await readDurable(seq);
    } catch (error) {
      if (error instanceof UnreadableEntry) return error;
      throw error;
    }
  }

  /** Of an entry that is known to be durable; that it is not there is damage. */
  async function readDurable(seq: number): Promise<Entry> {
    try {
      return await readEntry(opened().store, seq);
    } catch (error) {
      if (!(error instanceof HoldpointError) || error.code !== 'not_found') throw error;
      throw new UnreadableEntry(seq, error);
    }
  }

  async function requestsWith(seqs: readonly number[], name: string, value: Json) {
    const found: (number | UnreadableEntry)[] = [];
    for await (const entry of requestsAmong(seqs, opened().sealer.durable().size)) {
      if (entry instanceof UnreadableEntry) found.push(entry);
      else if (entry.data[name] === value) found.push(entry.seq);
    }
    return found;
  }

  return {
    find: async function* (terms, before) {
      const { size } = opened().sealer.durable();
      for await (const entry of requestsAmong(search.find(terms, Math.min(before, size)), size)) {
        if (entry instanceof UnreadableEntry) throw entry;
        yield entry.seq;
      }
    },
    newest: async function* (before, terms) {
      const { size } = opened().sealer.durable();
      const below = Math.min(before, size);
      if (terms === undefined) yield* newestFirst(opened().store, below);
      else yield* requestsAmong(search.find(terms, below), size);
    },
    decisionsOf: async (subject) => requestsWith(await subjects.decisionsOf(subject), 'subject', subject),
    linesOf: async (decision) => requestsWith(await subjects.linesOf(decision), 'batch', decision),
    decision: async (requestSeq, missing = thrown) => {
      const first = await readEntry(opened().store, requestSeq);
      if (first.type !== 'request')
        throw new HoldpointError('not_found', `Entry ${requestSeq} is not a decision.`);
      const entries = [first, ...(await entriesOf(requestSeq, missing))];
      const later = await laterErasures(entries);
      return later.length === 0 ? entries : [...entries, ...later].sort((a, b) => a.seq - b.seq);
    },
    part,
  };
}

function thrown(why: UnreadableEntry): void {
  throw why;
}

function isAbout(entry: Entry, decision: number): boolean {
  return (
    entry.data['decision'] === decision ||
    outcomesOf(entry.data).some(([closed]) => closed === decision) ||
    erasureIsAbout(entry).includes(decision)
  );
}
