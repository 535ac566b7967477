import { describe, expect, it } from 'vitest';
import { readStream, type StreamRecord } from '../../../src/ledger/verify/stream.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createStoryIndex, type StoryIndex } from '../../../src/verifier-page/story-index.ts';
import { streamOf } from '../../second-opinion/ledgers.ts';
import { buildFullLedger, createLedgerBuilder, decodeBlock } from '../../support/ledger-builder.ts';
import { dropRecord, type Records } from '../../support/ledger-tampering.ts';

/** Indexes records as the page does, from one stream. */
async function indexOf(records: Records): Promise<{ index: StoryIndex; stream: Buffer }> {
  const stream = streamOf(records);
  const index = createStoryIndex();
  let current: StreamRecord | null = null;
  async function* source(): AsyncGenerator<StreamRecord> {
    const chunks = (async function* (): AsyncGenerator<Uint8Array> {
      yield stream;
    })();
    for await (const record of readStream(chunks)) {
      current = record;
      if (record.key[8] === 2)
        index.addBodies(Number(Buffer.from(record.key).readBigUInt64BE()), {
          at: record.at,
          bytes: record.value.length,
        });
      yield record;
    }
  }
  await verifyLedger(source(), {
    onBlock: (block) => {
      if (current !== null) index.addBlock(block, { at: current.at, bytes: current.value.length });
    },
  });
  return { index, stream };
}

const typesOf = (index: StoryIndex, stream: Buffer, seq: number): readonly string[] =>
  (index.decision(seq)?.entries ?? []).map(({ block, position, seq: entry }) => {
    const leaf = JSON.parse(
      String(decodeBlock(stream.subarray(block.at, block.at + block.bytes)).leaves[position]),
    );
    expect(leaf.seq).toBe(entry);
    return leaf.type;
  });

describe('the index of stories', () => {
  it('finds every entry of a decision by its place in the file, the one that closed it last', async () => {
    const { index, stream } = await indexOf(buildFullLedger().records);
    const [held] = index.list('held', 0, 1).seqs;
    expect(held).toBe(9);
    expect(typesOf(index, stream, 9)).toEqual([
      'request',
      'response',
      'hold',
      'ruling',
      'delivery',
      'delivery',
      'delivery',
    ]);
  });

  it('counts decisions by outcome as the verdict does', async () => {
    const full = buildFullLedger();
    const { index } = await indexOf(full.records);
    const { decisions } = await verifyLedger(full.source());
    expect(index.counts()).toMatchObject({
      all: decisions.total,
      open: decisions.open,
      delivered: decisions.byOutcome.delivered,
      denied: decisions.byOutcome.denied,
    });
  });

  it('lists a page of a kind, and how many there are', async () => {
    const { index } = await indexOf(buildFullLedger().records);
    const all = index.list('all', 0, 100);
    expect(all.seqs.length).toBe(all.total);
    expect(index.list('all', 3, 2)).toEqual({ total: all.total, seqs: all.seqs.slice(3, 5) });
    const denied = index.list('denied', 0, 100).seqs.map((seq) => index.decision(seq)?.outcome);
    expect(new Set(denied)).toEqual(new Set(['denied']));
  });

  it('knows where the bodies of an entry lie', async () => {
    const { index, stream } = await indexOf(buildFullLedger().records);
    const place = index.decision(9)?.entries[0];
    const bodies = place?.bodies;
    expect(stream.subarray(bodies?.at, (bodies?.at ?? 0) + 4).toString()).toBe('HPV1');
    expect(index.decision(3)?.entries.at(-1)?.bodies).toBe(null);
  });

  it('keeps seqs right where a block is missing, and tells of no entry that is not there', async () => {
    const { records } = buildFullLedger();
    const { index, stream } = await indexOf(dropRecord(dropRecord(records, 3, 1), 3, 2));
    expect(index.decision(3)).toBe(null);
    expect(typesOf(index, stream, 9).slice(0, 2)).toEqual(['request', 'response']);
  });

  it('marks the decisions a finding is about', async () => {
    const { index } = await indexOf(buildFullLedger().records);
    index.markDamaged([11, -1]);
    expect(index.list('damaged', 0, 10)).toEqual({ total: 1, seqs: [9] });
  });

  it('answers null for an entry that is no request, and for none at all', async () => {
    const { index } = await indexOf(buildFullLedger().records);
    expect([index.decision(10), index.decision(10_000), index.decision(-1)]).toEqual([null, null, null]);
  });

  it('grows with the ledger', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    for (let i = 0; i < 3000; i += 1) builder.request();
    builder.commit();
    const { index } = await indexOf(builder.records);
    expect(index.counts()['all']).toBe(3000);
    expect(index.decision(3000)?.entries[0]?.position).toBe(3000);
  });
});
