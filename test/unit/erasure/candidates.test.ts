/** Which decisions an erasure is about: each once, though what belongs to them lies apart. */
import { expect, it } from 'vitest';
import { type CandidateSource, groupsOf, rememberedMin } from '../../../src/erasure/candidates.ts';
import type { JsonObject } from '../../../src/ledger/canonical.ts';
import type { Entry } from '../../../src/ledger/entry.ts';

const requestAt = (seq: number, data: JsonObject = {}): Entry => ({
  ...{ at: '2026-11-22T00:00:00.000Z', boot: '', data, durability: 'strict', kid: '', ledger: '' },
  ...{ mono: 0, parts: [], prev: '', refs: [], seq, type: 'request', v: 1 },
});

/** A ledger of these entries, in one block. */
function sourceOf(entries: readonly Entry[]): CandidateSource {
  return {
    decisionsOf: async () => [],
    entry: async (seq) => entries[seq] ?? requestAt(seq),
    linesOf: async () => [],
    oldest: async function* () {
      yield entries;
    },
  };
}

const look = {
  ...{ match: {}, fromSeq: 0, again: [], nowMs: Date.UTC(2026, 10, 23) },
  goesOn: () => true,
  ...{ onLooked: () => undefined, onLater: () => undefined, onUnread: () => undefined },
};

it('names a batch once whose lines come after as many other decisions as are remembered', async () => {
  const others = Array.from({ length: rememberedMin - 1 }, (_, seq) => requestAt(seq));
  const batch = others.length;
  const entries = [...others, requestAt(batch), requestAt(batch + 1), requestAt(batch + 2, { batch })];
  const roots: number[] = [];
  for await (const [root] of groupsOf(sourceOf(entries), { match: {} }, look)) roots.push(root);
  expect(roots.filter((root) => root === batch)).toEqual([batch]);
  expect(roots).toHaveLength(rememberedMin + 1);
});
