import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/ledger/head.ts';
import { openSearchIndex, type SearchIndex, type SearchTerms } from '../../../src/ledger/search.ts';
import { createMemoryDisk } from '../../fault/memory-disk.ts';

const unexpected = (error: unknown): void => {
  throw error;
};
const everything = Number.MAX_SAFE_INTEGER;

const request = (seq: number, data: Step['data'] = {}): Step => ({ seq, type: 'request', data });
const response = (seq: number, decision: number, data: Step['data'] = {}): Step => ({
  seq,
  type: 'response',
  data: { decision, ...data },
});
const outcome = (seq: number, decision: number, name: string): Step => ({
  seq,
  type: 'delivery',
  data: { outcomes: [[decision, name]] },
});

async function found(index: SearchIndex, terms: SearchTerms, before = everything): Promise<number[]> {
  const seqs: number[] = [];
  for await (const seq of index.find(terms, before)) seqs.push(seq);
  return seqs;
}

describe('a search', () => {
  it('finds decisions by what was asked, what was answered and how they ended, the newest first', async () => {
    const index = await openSearchIndex(await createMemoryDisk().open(), unexpected);
    index.add([
      request(0, { model: 'gpt-4.1', workload: 'billing', rules: ['secrets'], verdict: 'flag' }),
      response(1, 0, { model: 'gpt-4.1-2025-04-14', rules: ['large-transfer'], verdict: 'hold' }),
      request(2, { model: 'gpt-4.1', workload: 'support', rules: [], verdict: 'pass' }),
      outcome(3, 0, 'denied'),
      outcome(4, 2, 'delivered'),
    ]);
    expect(await found(index, { model: 'gpt-4.1' })).toEqual([2, 0]);
    expect(await found(index, { model: 'gpt-4.1' }, 2)).toEqual([0]);
    expect(await found(index, { model: 'gpt-4.1-2025-04-14' })).toEqual([0]);
    expect(await found(index, { rule: 'large-transfer', outcome: 'denied' })).toEqual([0]);
    expect(await found(index, { workload: 'support', outcome: 'denied' })).toEqual([]);
    expect(await found(index, { verdict: 'hold' })).toEqual([0]);
  });

  it('finds what somebody ruled on, and what expired', async () => {
    const index = await openSearchIndex(await createMemoryDisk().open(), unexpected);
    const ruling = (seq: number, decision: number, by: string): Step => ({
      seq,
      type: 'ruling',
      data: { by, decision, verdict: 'release' },
    });
    index.add([request(0), request(1), ruling(2, 0, 'ada'), ruling(3, 1, 'holdpoint'), ruling(4, 0, 'otto')]);
    expect(await found(index, { ruledBy: 'ada' })).toEqual([0]);
    expect(await found(index, { ruledBy: 'otto' })).toEqual([0]);
    expect(await found(index, { ruledBy: 'holdpoint' })).toEqual([1]);
    expect(await found(index, { ruledBy: 'rita' })).toEqual([]);
  });

  it('finds the upload of a file by the id that its answer gave it', async () => {
    const index = await openSearchIndex(await createMemoryDisk().open(), unexpected);
    index.add([
      request(0),
      request(1),
      response(2, 0, { file: { credential: 'a'.repeat(64), id: 'file-1' } }),
      response(3, 1, { file: 'file-1' }),
    ]);
    expect(await found(index, { file: 'file-1' })).toEqual([0]);
    expect(await found(index, { file: 'file-2' })).toEqual([]);
  });

  it('finds the same before and after it is written, and after it is opened again', async () => {
    const disk = createMemoryDisk();
    const store = await disk.open();
    const index = await openSearchIndex(store, unexpected);
    index.add([request(0, { model: 'a' }), request(1, { model: 'b' })]);
    await index.flush();
    index.add([request(2, { model: 'a' }), outcome(3, 0, 'expired')]);
    expect(await found(index, { model: 'a' })).toEqual([2, 0]);
    await index.flush();
    await store.close();
    const again = await openSearchIndex(await disk.open(), unexpected);
    expect(again.nextSeq()).toBe(4);
    expect(await found(again, { model: 'a' })).toEqual([2, 0]);
    expect(await found(again, { outcome: 'expired' })).toEqual([0]);
  });

  it('takes no entry twice, and none after a gap', async () => {
    const index = await openSearchIndex(await createMemoryDisk().open(), unexpected);
    index.add([request(0, { model: 'a' })]);
    index.add([request(0, { model: 'b' }), request(2, { model: 'b' })]);
    expect(index.nextSeq()).toBe(1);
    expect(await found(index, { model: 'b' })).toEqual([]);
  });

  it('finds a decision far back under an outcome that came much later', async () => {
    const index = await openSearchIndex(await createMemoryDisk().open(), unexpected);
    const later = Array.from({ length: 140_000 }, (_, at) => request(at + 1, { workload: 'w' }));
    index.add([request(0, { workload: 'old' }), ...later, outcome(140_001, 0, 'denied')]);
    await index.flush();
    expect(await found(index, { outcome: 'denied' })).toEqual([0]);
    expect((await found(index, { workload: 'w' }, 70_000)).length).toBe(69_999);
  });
});

it('reads no more for something rare in a ledger that is long', async () => {
  const store = await createMemoryDisk().open();
  let scans = 0;
  const counted = {
    ...store,
    scan: (range: Parameters<typeof store.scan>[0]) => {
      scans += 1;
      return store.scan(range);
    },
  };
  const index = await openSearchIndex(counted, unexpected);
  const [early, late] = [70_000, 40 * 65_536];
  for (let seq = 0; seq <= late; seq += 1) {
    const isRare = seq === early || seq === late;
    // A value that is in every bucket beside one that is in two.
    const isSpread = seq % 32_768 === 0 || isRare;
    index.add([
      isSpread
        ? request(seq, { model: isRare ? 'rare' : 'other', provider: 'openai' })
        : { seq, type: 'start', data: {} },
    ]);
  }
  await index.flush();
  scans = 0;
  expect(await found(index, { model: 'rare', provider: 'openai' })).toEqual([late, early]);
  expect(scans).toBeLessThan(20);
});

it('whatever is sealed in whatever order of writes, a search finds what a walk over all of it finds', async () => {
  const names = fc.constantFrom('a', 'b', 'c');
  const call = fc.record({
    model: names,
    workload: names,
    end: fc.option(fc.constantFrom('denied', 'expired')),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(call, { maxLength: 30 }),
      fc.array(fc.nat(60)),
      names,
      names,
      async (calls, writes, m, w) => {
        const index = await openSearchIndex(await createMemoryDisk().open(), unexpected);
        let seq = 0;
        const expected: number[] = [];
        for (const { model, workload, end } of calls) {
          const decision = seq;
          const steps = [request(seq, { model, workload })];
          if (end !== null) steps.push(outcome(seq + 1, decision, end));
          if (model === m && workload === w && end === 'denied') expected.unshift(decision);
          index.add(steps);
          seq += steps.length;
          if (writes.includes(seq)) await index.flush();
        }
        expect(await found(index, { model: m, workload: w, outcome: 'denied' })).toEqual(expected);
      },
    ),
  );
});
