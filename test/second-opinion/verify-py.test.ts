/** verify.py, written from FORMAT.md alone, and our own verifier say the same of the same ledgers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exportStream } from '../../src/ledger/export.ts';
import {
  buildFullLedger,
  createLedgerBuilder,
  type LedgerRecord,
  sealExchange,
  sealHeldResponse,
  signNote,
} from '../support/ledger-builder.ts';
import {
  buildPlainLedger,
  dropRecord,
  editBlock,
  editBodies,
  editLeaf,
  editNote,
  editRecord,
  setFields,
} from '../support/ledger-tampering.ts';
import { type Folder, makeFolder, sealLedger, streamOf, withStore, writeTiles } from './ledgers.ts';
import { missing, ours, second } from './opinions.ts';

const plain = buildPlainLedger();
const twin = buildPlainLedger('two');
const { records } = plain;

const sealed = (make: (builder: ReturnType<typeof createLedgerBuilder>) => void): readonly LedgerRecord[] => {
  const builder = createLedgerBuilder();
  builder.genesis();
  make(builder);
  builder.commit();
  return builder.records;
};

/** What is done to a ledger, by name. Blocks begin at 0, 1 (entries 1 to 3), 4, 5, 6 and 7. */
const tampered: Readonly<Record<string, readonly LedgerRecord[]>> = {
  'an entry edited': setFields(records, 1, 1, { at: '2026-11-22T10:00:00.000Z' }),
  'the last entry of a block edited': setFields(records, 1, 2, { at: '2026-11-22T10:00:00.000Z' }),
  'the last entry edited': setFields(records, 7, 1, { at: '2026-11-22T10:00:00.000Z' }),
  'an entry in other bytes': editLeaf(records, 1, 1, (text) => text.replace('{"at"', '{ "at"')),
  'a key given twice': editLeaf(records, 1, 1, (text) => text.replace('{"at"', '{"at":"","at"')),
  'a field that is unknown': setFields(records, 1, 1, { zeal: 1 }),
  'another version': setFields(records, 1, 1, { v: 2 }),
  'a block deleted': dropRecord(dropRecord(records, 4, 1), 4, 2),
  'the first block deleted': dropRecord(records, 0, 1),
  'an entry deleted': editBlock(records, 1, ({ leaves, note }) => ({ leaves: leaves.toSpliced(1, 1), note })),
  'entries reordered': editBlock(records, 1, ({ leaves, note }) => ({ leaves: leaves.toReversed(), note })),
  'an entry duplicated': editBlock(records, 1, ({ leaves, note }) => ({
    leaves: leaves.toSpliced(1, 0, ...leaves.slice(0, 1)),
    note,
  })),
  'a record duplicated': records.flatMap((record, i) => (i === 1 ? [record, record] : [record])),
  'records reordered': records.toSpliced(1, 2, ...records.slice(1, 3).toReversed()),
  'a key of another form': records.map((record, i) =>
    i === 1 ? { ...record, key: Buffer.concat([record.key.slice(0, 8), Buffer.of(9)]) } : record,
  ),
  'a block cut': editRecord(records, 4, 1, (value) => value.subarray(0, -1)),
  nothing: [],
  'a block spliced in from another ledger': records.map((record, i) =>
    Buffer.compare(record.key, twin.records[i]?.key ?? Buffer.alloc(0)) === 0 && i === 3
      ? (twin.records[i] ?? record)
      : record,
  ),
  'metadata swapped between entries': editBlock(records, 1, ({ leaves, note }) => {
    const [first = '', second = ''] = leaves.map(String);
    const at = (text: string) => /"at":"[^"]*"/.exec(text)?.[0] ?? '';
    return {
      leaves: [
        Buffer.from(first.replace(at(first), at(second))),
        Buffer.from(second.replace(at(second), at(first))),
        ...leaves.slice(2),
      ],
      note,
    };
  }),
  'bodies swapped': editBodies(records, 1, ({ head, items }) => ({
    head,
    items: items.map((item, i) => ({ ...item, ct: items[[1, 0, 2][i] ?? 0]?.ct ?? item.ct })),
  })),
  'a body altered': editBodies(records, 1, ({ head, items }) => ({
    head,
    items: items.map((item, i) => (i === 1 ? { ...item, ct: Buffer.from(item.ct).fill(0, 0, 1) } : item)),
  })),
  'bodies deleted': dropRecord(records, 1, 2),
  'one body deleted': editBodies(records, 1, ({ head, items }) => ({ head, items: items.slice(1) })),
  'a signature stripped': editNote(records, 7, (note) => note.replace(/\u2014.*\n/, '')),
  'a signature forged': editNote(records, 7, (note) =>
    note.replace(/(.{10})(.)(.{20}\n)$/, (_, a, b, c) => `${a}${b === 'A' ? 'B' : 'A'}${c}`),
  ),
  'a signature of another key': editNote(records, 7, () =>
    signNote('two', plain.origin, plain.size(), plain.root()),
  ),
  'a root edited': editNote(records, 4, (note) =>
    note.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${Buffer.alloc(32).toString('base64')}\n`),
  ),
  'a size edited': editNote(records, 4, (note) => note.replace(/\n5\n/, '\n6\n')),
  'a response without a request': sealed((builder) => builder.response(0)),
  'a file that is tied to no one': sealed((builder) =>
    builder.response(builder.request(), { file: { id: 'file-1' } }),
  ),
  'two outcomes': sealed((builder) => {
    const decision = sealExchange(builder);
    builder.close([[decision, 'delivered']]);
    builder.close([[decision, 'delivered']]);
  }),
  'a delivery without a ruling': sealed((builder) => {
    const { decision, hold, digest } = sealHeldResponse(builder);
    builder.deliver(decision, hold, digest);
  }),
  'a delivery of other bytes': sealed((builder) => {
    const { decision, hold, digest } = sealHeldResponse(builder);
    builder.ruling(decision, hold, { digest });
    builder.deliver(decision, hold, 'a'.repeat(64));
  }),
  'a ruling by a role not allowed': sealed((builder) => {
    const { decision, hold, digest } = sealHeldResponse(builder);
    builder.ruling(decision, hold, { digest, role: 'viewer' });
  }),
  'a ruling of other bytes': sealed((builder) => {
    const { decision, hold } = sealHeldResponse(builder);
    builder.ruling(decision, hold, { digest: 'b'.repeat(64) });
  }),
  'a quorum not met': sealed((builder) => {
    const { decision, hold, digest } = sealHeldResponse(builder, { approvals: 2 });
    builder.ruling(decision, hold, { digest });
  }),
  'a release by the requester': sealed((builder) => {
    const { decision, hold, digest } = sealHeldResponse(builder);
    builder.ruling(decision, hold, { digest, by: 'agent-7' });
  }),
  'an outcome that contradicts': sealed((builder) => {
    const { decision } = sealHeldResponse(builder);
    builder.close([[decision, 'delivered']]);
  }),
  'a clock that ran backwards': sealed((builder) =>
    builder.seal({ type: 'stop', data: { reason: 'x' }, override: { mono: 0 } }),
  ),
  'a chain that does not hold': sealed((builder) =>
    builder.seal({ type: 'stop', data: { reason: 'x' }, override: { prev: 'c'.repeat(64) } }),
  ),
};

describe.skipIf(missing.length > 0)('a second opinion', () => {
  let folder: Folder;
  beforeAll(() => {
    folder = makeFolder();
  });
  afterAll(() => folder.remove());

  it('agrees that a ledger with every type of entry is intact, and on its root', async () => {
    const full = buildFullLedger();
    const file = folder.write('full', streamOf(full.records));
    const kept = folder.write('kept', full.checkpoint(11));
    const opinion = await second(file, '--trust', full.verifierKey, '--checkpoint', kept);
    expect(opinion).toEqual({
      ok: true,
      size: full.size(),
      root: full.root().toString('base64'),
      findings: [],
    });
  });

  it('agrees that what the sealer wrote and the export gave out is intact', async () => {
    const house = await sealLedger(300);
    const bytes = await withStore(house, (store) => buffer(exportStream(store)));
    const mine = await ours(bytes);
    const opinion = await second(folder.write('sealed', bytes), '--trust', mine.key);
    expect(mine.findings).toEqual([]);
    expect(opinion).toEqual({ ok: true, size: mine.size, root: mine.root, findings: [] });
  });

  it('agrees that the worked example of FORMAT.md is intact', async () => {
    const example = z
      .object({ records: z.array(z.object({ key: z.string(), value: z.string() })), verifierKey: z.string() })
      .parse(JSON.parse(readFileSync(new URL('../golden/ledger/format-1.json', import.meta.url), 'utf8')));
    const written = example.records.map(({ key, value }) => ({
      key: Buffer.from(key, 'hex'),
      value: Buffer.from(value, 'hex'),
    }));
    const opinion = await second(folder.write('example', streamOf(written)), '--trust', example.verifierKey);
    expect(opinion).toMatchObject({ ok: true, findings: [] });
  });

  it.each(Object.keys(tampered))('finds the same cause: %s', async (name) => {
    const bytes = streamOf(tampered[name] ?? []);
    const [mine, opinion] = await Promise.all([ours(bytes), second(folder.write(name, bytes))]);
    const [{ code, seq } = { code: 'none', seq: -1 }] = mine.findings;
    expect([mine.ok, opinion.ok]).toEqual([false, false]);
    expect(opinion.findings.map((finding) => `${finding.code} at ${finding.seq}`)).toEqual([
      `${code} at ${seq}`,
    ]);
  });

  it('trusts no other key than the one it is given', async () => {
    const bytes = streamOf(records);
    const [mine, opinion] = await Promise.all([
      ours(bytes, { trustedKeys: [twin.verifierKey] }),
      second(folder.write('untrusted', bytes), '--trust', twin.verifierKey),
    ]);
    expect([mine.findings[0]?.code, opinion.findings[0]?.code]).toEqual(['key_unknown', 'key_unknown']);
  });

  it('misses a cut tail as we do, and finds it with a checkpoint that was kept', async () => {
    const cut = folder.write('tail', streamOf(records.slice(0, -1)));
    const kept = folder.write('later', plain.checkpoint());
    expect((await second(cut)).ok).toBe(true);
    expect((await second(cut, '--checkpoint', kept)).findings).toMatchObject([
      { code: 'truncated_by_checkpoint' },
    ]);
  });

  it.each([
    ['cut inside a frame', (bytes: Buffer) => bytes.subarray(0, -5)],
    ['with a bit flipped', (bytes: Buffer) => bytes.fill(bytes.readUInt8(200) ^ 1, 200, 201)],
    ['without its header', (bytes: Buffer) => bytes.subarray(16)],
    ['spliced to another', (bytes: Buffer) => Buffer.concat([bytes, bytes])],
  ] as const)('refuses a file %s, as we do', async (name, damage) => {
    const bytes = damage(streamOf(records));
    const [mine, opinion] = await Promise.all([ours(bytes), second(folder.write(name, bytes))]);
    expect([mine.findings[0]?.code, opinion.findings[0]?.code]).toEqual([
      'store_unreadable',
      'store_unreadable',
    ]);
  });

  it('agrees with the tiles that were exported, and finds one that was altered', async () => {
    const house = await sealLedger(300);
    const directory = await writeTiles(house, folder, 'tiles');
    const opinion = await second(directory);
    expect(opinion).toMatchObject({ ok: true, findings: [] });
    const tile = readFileSync(join(directory, 'tile', '0', '000'));
    folder.write('tiles/tile/0/000', tile.fill(tile.readUInt8(99) ^ 1, 99, 100));
    expect((await second(directory)).findings).toMatchObject([{ code: 'root_mismatch' }]);
  });
});
