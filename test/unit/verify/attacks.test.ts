import { describe, expect, it } from 'vitest';
import { type VerifyOptions, verifyLedger } from '../../../src/ledger/verify/verify.ts';
import {
  buildFullLedger,
  createLedgerBuilder,
  decodeBlock,
  type Fields,
  highWaterLine,
  merkleRoot,
  recordKey,
  signNote,
} from '../../support/ledger-builder.ts';
import {
  buildPlainLedger,
  dropRecord,
  editBlock,
  editBodies,
  editLeaf,
  editNote,
  editRecord,
  type Records,
  setFields,
  sourceOf,
} from '../../support/ledger-tampering.ts';

// Blocks begin at 0, 1 (entries 1 to 3), 4, 5, 6 and 7 (entries 7 and 8).
const plain = buildPlainLedger();
const { records } = plain;
const twin = buildPlainLedger('two');

const verify = (tampered: Records, options: VerifyOptions = {}) => verifyLedger(sourceOf(tampered), options);

async function causeOf(tampered: Records, options: VerifyOptions = {}): Promise<string> {
  const { ok, findings } = await verify(tampered, options);
  expect(ok).toBe(false);
  return `${findings[0]?.code} at ${findings[0]?.seq}`;
}

const codesOf = async (tampered: Records, options: VerifyOptions = {}): Promise<readonly string[]> =>
  (await verify(tampered, options)).findings.map(({ code, seq }) => `${code} at ${seq}`);

describe('an untouched ledger', () => {
  it('passes, with all it can be compared with', async () => {
    const full = buildFullLedger();
    const verdict = await verifyLedger(full.source(), {
      trustedKeys: [full.verifierKey],
      highWater: full.highWater(),
      checkpoint: full.checkpoint(11),
      openBody: full.kek,
      everySignature: true,
    });
    expect(verdict.findings).toEqual([]);
    expect(verdict).toMatchObject({
      ok: true,
      assurance: 'ANCHORED',
      keyTrust: 'given',
      durability: 'strict',
    });
    expect(verdict).toMatchObject({
      size: full.size(),
      root: full.root().toString('base64'),
      origin: full.origin,
    });
    expect(verdict.bodies).toEqual({ stored: 30, checked: 30, opened: 30, erased: 0 });
    expect(verdict.decisions).toMatchObject({ total: 12, open: 2 });
    expect(verdict.decisions.byOutcome).toMatchObject({
      delivered: 5,
      denied: 2,
      expired: 1,
      interrupted: 1,
    });
  });

  it('reports its progress by the entries read so far', async () => {
    const seen: number[] = [];
    await verify(records, { onProgress: (entries) => seen.push(entries) });
    expect(seen).toEqual([1, 4, 5, 6, 7, 9]);
  });

  it('lists at most a hundred findings and says how many more there were', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    for (let index = 0; index < 150; index += 1) builder.response(0);
    builder.commit();
    const { findings, notes } = await verify(builder.records);
    expect(findings).toHaveLength(100);
    expect(notes).toContain('50 more findings are not listed.');
  });

  it('says what a local verification cannot show', async () => {
    const { assurance, keyTrust, notes } = await verify(records);
    expect([assurance, keyTrust]).toEqual(['LOCAL', 'self-declared']);
    expect(notes.join(' ')).toMatch(/re-signing with a stolen key.*never passed through it/);
  });

  it('says that some was sealed with relaxed durability, and that the clock stepped back', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.seal({
      type: 'stop',
      data: { reason: 'x' },
      override: { durability: 'relaxed', at: '2020-01-01T00:00:00.000Z' },
    });
    builder.commit();
    const { ok, durability, notes } = await verify(builder.records);
    expect([ok, durability]).toEqual([true, 'mixed']);
    expect(notes.join(' ')).toMatch(/relaxed durability.*stepped back 1 time\./);
  });
});

describe('edits', () => {
  it.each([
    ['first', 1],
    ['middle', 2],
    ['last', 3],
  ])('an edited %s entry of a block is named, and nothing else', async (_name, seq) => {
    const tampered = setFields(records, 1, seq - 1, { at: '2026-11-22T10:00:00.000Z' });
    expect(await codesOf(tampered)).toEqual([`entry_altered at ${seq}`]);
  });

  it('an entry whose prev was edited is named, not the one before it', async () => {
    expect(await codesOf(setFields(records, 1, 1, { prev: '0'.repeat(64) }))).toEqual(['entry_altered at 2']);
    expect(await codesOf(setFields(records, 4, 0, { prev: '0'.repeat(64) }))).toEqual(['entry_altered at 4']);
  });

  it('two edited entries of a block are both named', async () => {
    const at = '2026-11-22T10:00:00.000Z';
    const tampered = setFields(setFields(records, 1, 0, { at }), 1, 2, { at });
    expect(await codesOf(tampered)).toEqual(['entry_altered at 1', 'entry_altered at 3']);
  });

  it('an edited last entry of the ledger contradicts its signed root', async () => {
    const tampered = setFields(records, 7, 1, { at: '2026-11-22T10:00:00.000Z' });
    expect(await codesOf(tampered)).toEqual(['root_mismatch at 7']);
  });

  it('a metadata swap between two entries names both', async () => {
    const swapped = editBlock(records, 1, ({ leaves, note }) => {
      const [a, b, c] = leaves.map((leaf) => JSON.parse(leaf.toString()));
      const texts = [{ ...a, at: b.at, mono: a.mono }, { ...b, at: a.at }, c].map((leaf) =>
        JSON.stringify(leaf),
      );
      return { leaves: texts.map((text) => Buffer.from(text)), note };
    });
    expect(await codesOf(swapped)).toEqual(['entry_altered at 1', 'entry_altered at 2']);
  });

  it('an entry in other bytes of the same meaning is not canonical', async () => {
    expect(await causeOf(editLeaf(records, 1, 1, (text) => text.replace('":', '": ')))).toBe(
      'leaf_not_canonical at 2',
    );
  });

  it('an entry with a repeated key is not canonical', async () => {
    const tampered = editLeaf(records, 1, 1, (text) => text.replace('"v":1', '"v":1,"v":1'));
    expect(await causeOf(tampered)).toBe('leaf_not_canonical at 2');
  });

  it('an entry that is two child hashes instead of a leaf is malformed', async () => {
    const node = merkleRoot([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
    const tampered = editBlock(records, 1, ({ leaves: [, ...rest], note }) => ({
      leaves: [Buffer.concat([node, node]), ...rest],
      note,
    }));
    expect(await causeOf(tampered)).toBe('leaf_malformed at 1');
  });

  it('a field that the format does not know is malformed', async () => {
    expect(await causeOf(setFields(records, 1, 1, { zz: 1 }))).toBe('leaf_malformed at 2');
  });

  it.each([0, 2])('a version changed to %i is refused', async (v) => {
    expect(await causeOf(setFields(records, 1, 1, { v }))).toBe('version_unsupported at 2');
  });

  it('a block of another version is refused', async () => {
    const tampered = editRecord(records, 1, 1, (value) =>
      Buffer.concat([Buffer.from('HPB0'), value.subarray(4)]),
    );
    expect(await causeOf(tampered)).toBe('version_unsupported at 1');
  });

  it('a type that version 1 only reserves is refused', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.seal({ type: 'document', data: { by: 'mallory' } });
    builder.commit();
    expect(await causeOf(builder.records)).toBe('version_unsupported at 1');
  });
});

describe('what follows from damage', () => {
  it('is not taken for misconduct: rulings are judged up to the damaged entry only', async () => {
    const tampered = editLeaf(records, 1, 1, () => '{');
    const { findings, notes } = await verify(tampered);
    expect(findings.map(({ code, seq }) => `${code} at ${seq}`)).toEqual([
      'leaf_malformed at 2',
      'entry_altered at 2',
    ]);
    expect(notes.join(' ')).toContain('judged up to entry 0 only');
  });
});

describe('what is missing, moved or added', () => {
  it('a block deleted from the middle is a gap', async () => {
    expect(await causeOf(dropRecord(dropRecord(records, 4, 1), 4, 2))).toBe('gap at 4');
  });

  it('a deleted beginning is a gap', async () => {
    expect(await causeOf(dropRecord(records, 0, 1))).toBe('gap at 0');
  });

  it('an entry deleted from inside a block is found where it stood', async () => {
    const tampered = editBlock(records, 1, ({ leaves: [a, , c], note }) => ({
      leaves: [a, c].filter((leaf) => leaf !== undefined),
      note,
    }));
    expect(await causeOf(tampered)).toBe('seq_mismatch at 2');
  });

  it('reordered entries are found at the first that moved', async () => {
    const tampered = editBlock(records, 1, ({ leaves, note }) => ({ leaves: leaves.toReversed(), note }));
    expect(await causeOf(tampered)).toBe('seq_mismatch at 1');
  });

  it('a duplicated entry is found where it was put', async () => {
    const tampered = editBlock(records, 1, ({ leaves: [a, b], note }) => ({
      leaves: [a, a, b].filter((leaf) => leaf !== undefined),
      note,
    }));
    expect(await causeOf(tampered)).toBe('seq_mismatch at 2');
  });

  it('a second block for the same entries is a duplicate', async () => {
    const block = records.find((record) => record.key[7] === 1 && record.key[8] === 1);
    const extra = { key: recordKey(2, 1), value: block?.value ?? Buffer.alloc(0) };
    expect(await causeOf([...records.slice(0, 3), extra, ...records.slice(3)])).toBe('duplicate at 2');
  });

  it('a record given twice is a duplicate, one out of key order is out of order', async () => {
    const [first, second, third] = [records.slice(0, 1), records.slice(1, 2), records.slice(2)];
    expect(await causeOf([...first, ...first, ...second, ...third])).toBe('duplicate at 0');
    expect(await causeOf([...second, ...first, ...third])).toMatch(/^gap at 0/);
    expect(await codesOf([...second, ...first, ...third])).toContain('out_of_order at 0');
  });

  it('a record under a key of another form is refused', async () => {
    expect(await causeOf([...records, { key: Buffer.from('zz'), value: Buffer.alloc(0) }])).toBe(
      'record_key_malformed at 9',
    );
  });

  it('a cut block is malformed', async () => {
    expect(await causeOf(editRecord(records, 4, 1, (value) => value.subarray(0, -1)))).toBe(
      'block_malformed at 4',
    );
  });

  it('an empty store is a finding', async () => {
    expect(await causeOf([])).toBe('ledger_empty at -1');
  });

  it('a store that stops with an error is a finding', async () => {
    async function* failing() {
      yield* records.slice(0, 2);
      throw new Error('checksum mismatch');
    }
    const { findings } = await verifyLedger(failing());
    expect(findings[0]).toMatchObject({
      code: 'store_unreadable',
      seq: 4,
      message: expect.stringContaining('checksum'),
    });
  });

  it('a block spliced in from another ledger belongs to that one', async () => {
    const foreign = editRecord(records, 4, 1, () =>
      Buffer.from(twin.records.find((r) => r.key[7] === 4)?.value ?? ''),
    );
    expect(await causeOf(foreign)).toBe('ledger_mismatch at 4');
  });

  it('a snapshot that was altered, removed or added is found', async () => {
    const full = buildFullLedger();
    const seq = Number(full.records.find((record) => record.key[8] === 3)?.key[7]);
    const altered = editRecord(full.records, seq, 3, (value) =>
      Buffer.from(value.toString().replace('"v":1', '"v":2')),
    );
    expect(await causeOf(altered)).toBe(`snapshot_mismatch at ${seq}`);
    expect(await causeOf(dropRecord(full.records, seq, 3))).toBe(`snapshot_mismatch at ${seq}`);
    expect(await causeOf([...records, { key: recordKey(8, 3), value: Buffer.from('{}') }])).toBe(
      'snapshot_mismatch at 8',
    );
  });
});

describe('checkpoints and keys', () => {
  it('an edited root of an earlier checkpoint is found, and the chain past it still holds', async () => {
    const root = Buffer.alloc(32).toString('base64');
    const tampered = editNote(records, 1, (text) => text.replace(/\n[^\n]{44}\n/, `\n${root}\n`));
    expect(await codesOf(tampered)).toEqual(['root_mismatch at 1']);
  });

  it('an edited size of an earlier checkpoint is found', async () => {
    expect(await causeOf(editNote(records, 1, (text) => text.replace('\n4\n', '\n5\n')))).toBe(
      'checkpoint_size_mismatch at 1',
    );
  });

  it('a checkpoint of another ledger is found', async () => {
    const foreign = editNote(records, 1, () => twin.checkpoint(4));
    expect(await causeOf(foreign)).toBe('ledger_mismatch at 1');
  });

  it('a stripped signature is found on any block', async () => {
    const strip = (text: string): string => text.slice(0, text.indexOf('\u2014'));
    expect(await causeOf(editNote(records, 4, strip))).toBe('signature_missing at 4');
    expect(await causeOf(editNote(records, 7, strip))).toBe('signature_missing at 7');
  });

  it('a signature under another key is found on any block', async () => {
    const resign = (size: number): string => signNote('mallory', plain.origin, size, plain.root(size));
    expect(await causeOf(editNote(records, 4, () => resign(5)))).toBe('key_unknown at 4');
    expect(await causeOf(editNote(records, 7, () => resign(9)))).toBe('key_unknown at 7');
  });

  it('a forged last signature is invalid', async () => {
    const forge = (text: string): string =>
      text.replace(/[A-Za-z0-9]{8}([A-Za-z0-9+/]{2}=*)\n$/, 'AAAAAAAA$1\n');
    expect(await codesOf(editNote(records, 7, forge))).toEqual(['signature_invalid at 7']);
  });

  it('a forged superseded signature is found when every signature is asked for', async () => {
    const forge = (text: string): string => text.replace(/.{8}(.{4}\n)$/, 'AAAAAAAA$1');
    expect((await verify(editNote(records, 4, forge))).ok).toBe(true);
    expect(await causeOf(editNote(records, 4, forge), { everySignature: true })).toBe(
      'signature_invalid at 4',
    );
  });

  it('a whole ledger made under another key is not trusted', async () => {
    expect(await causeOf(twin.records, { trustedKeys: [plain.verifierKey] })).toBe('key_unknown at 0');
  });

  it('an empty list of trusted keys trusts nobody', async () => {
    expect(await causeOf(records, { trustedKeys: [] })).toBe('key_unknown at 0');
  });

  it('a trusted key that cannot be read is a finding', async () => {
    expect(await causeOf(records, { trustedKeys: ['x'] })).toBe('verifier_key_malformed at -1');
  });

  it('a genesis key of another algorithm is refused', async () => {
    const builder = createLedgerBuilder();
    builder.genesis({ key: builder.verifierKey.replace(/\+A[A-Za-z0-9+/]/, '+Ag') });
    builder.commit();
    expect(await causeOf(builder.records)).toBe('algorithm_unsupported at 0');
  });

  it('an entry under another key than the ledger has is refused', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.seal({ type: 'stop', data: { reason: 'x' }, override: { kid: '00000000' } });
    builder.commit();
    expect(await causeOf(builder.records)).toBe('key_unknown at 1');
  });

  it('a sealed entry that does not name the one before it is found', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.seal({ type: 'stop', data: { reason: 'x' }, override: { prev: '1'.repeat(64) } });
    builder.commit();
    expect(await causeOf(builder.records)).toBe('chain_broken at 1');
  });

  it('a monotonic clock that runs backwards within one boot is found', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.seal({ type: 'stop', data: { reason: 'x' }, override: { mono: 1 } });
    builder.commit();
    expect(await causeOf(builder.records)).toBe('mono_decreased at 1');
  });
});

describe('cut tails and rollbacks', () => {
  const cut = records.filter((record) => (record.key[7] ?? 0) < 6);

  it('a cut tail is below the high-water mark', async () => {
    expect(await causeOf(cut, { highWater: plain.highWater() })).toBe('rolled_back at 6');
  });

  it('a cut tail alone cannot be seen, and the verdict says so', async () => {
    const { ok, notes } = await verify(cut, { highWater: null });
    expect(ok).toBe(true);
    expect(notes.join(' ')).toContain('entries cut from the end would not be noticed');
  });

  it('a rollback of the whole directory, high-water mark included, ends before a kept checkpoint', async () => {
    const options = { highWater: highWaterLine(6, plain.root(6)), checkpoint: plain.checkpoint() };
    expect(await codesOf(cut, options)).toEqual(['truncated_by_checkpoint at 6']);
  });

  it('a high-water mark that is older than the ledger is no finding', async () => {
    expect(await codesOf(records, { highWater: highWaterLine(4, plain.root(4)) })).toEqual([]);
  });

  it('a high-water mark with another root at its size is found', async () => {
    expect(await causeOf(records, { highWater: highWaterLine(4, plain.root(3)) })).toBe(
      'high_water_mismatch at 3',
    );
  });

  it.each(['', 'x', plain.highWater().slice(0, -1), plain.highWater().replace('1 0', '1 1')])(
    'a high-water file that reads %j is malformed',
    async (highWater) => {
      expect(await causeOf(records, { highWater })).toBe('high_water_malformed at -1');
    },
  );

  it('a fork is not the tree of a kept checkpoint', async () => {
    const fork = signNote('one', plain.origin, 4, plain.root(3));
    expect(await causeOf(records, { checkpoint: fork })).toBe('checkpoint_not_in_ledger at 3');
  });

  it('a kept checkpoint of another ledger is not in this one', async () => {
    expect(await causeOf(records, { checkpoint: twin.checkpoint(4) })).toBe('checkpoint_not_in_ledger at -1');
  });

  it('a kept checkpoint whose own signature fails anchors nothing', async () => {
    const forged = signNote('mallory', plain.origin, 4, plain.root(4));
    const verdict = await verify(records, { checkpoint: forged });
    expect(verdict.findings[0]?.code).toBe('key_unknown');
    expect(verdict.assurance).toBe('LOCAL');
  });
});

describe('bodies', () => {
  it('an altered body is found without a key', async () => {
    const tampered = editBodies(records, 1, ({ head, items }) => ({
      head,
      items: items.map((item, index) => (index === 1 ? { ...item, ct: Buffer.alloc(item.ct.length) } : item)),
    }));
    expect(await codesOf(tampered)).toEqual(['body_altered at 2']);
  });

  it('two swapped bodies are both found', async () => {
    const tampered = editBodies(records, 1, ({ head, items }) => ({
      head,
      items: items.map((item, index) => ({
        ...item,
        ct: items[index === 0 ? 1 : index === 1 ? 0 : 2]?.ct ?? item.ct,
      })),
    }));
    // Equal requests under different keys: other bytes.
    expect(await codesOf(tampered)).toEqual(['body_altered at 1', 'body_altered at 2']);
  });

  it('a bodies record that is gone leaves every part missing', async () => {
    expect(await codesOf(dropRecord(records, 1, 2))).toEqual([
      'body_missing at 1',
      'body_missing at 2',
      'body_missing at 3',
    ]);
  });

  it('a body that no part names is unexpected', async () => {
    const tampered = editRecord(records, 1, 2, (value) => {
      value.writeUInt8(1, value.lastIndexOf(Buffer.from([0, 0, 0, 0, 0, 0, 0, 3])) + 8);
      return value;
    });
    expect(await codesOf(tampered)).toEqual(['body_unexpected at 3', 'body_missing at 3']);
  });

  it('a body of an entry of no block there, kept beside those of a block, is unexpected', async () => {
    const tampered = editRecord(records, 1, 2, (value) => {
      value.writeUInt8(200, value.lastIndexOf(Buffer.from([0, 0, 0, 0, 0, 0, 0, 3])) + 7);
      return value;
    });
    expect(await codesOf(tampered)).toEqual(['body_unexpected at 200', 'body_missing at 3']);
  });

  it('bodies for a block that is not there are unexpected', async () => {
    const extra = { key: recordKey(9, 2), value: Buffer.from('HPV1') };
    expect(await causeOf([...records, extra])).toBe('body_unexpected at 9');
  });

  it('a bodies record with bytes after its end is malformed', async () => {
    const tampered = editRecord(records, 1, 2, (value) => Buffer.concat([value, Buffer.of(0)]));
    expect(await causeOf(tampered)).toBe('bodies_malformed at 1');
  });

  it('another key-encryption key does not unwrap', async () => {
    expect(await causeOf(records, { openBody: twin.kek })).toBe('key_wrap_invalid at 1');
  });

  it('data keys that do not belong to the parts do not open them', async () => {
    const openBody = async ({ wrapped }: { wrapped: Uint8Array }) => new Uint8Array(wrapped.length - 16);
    expect(await causeOf(records, { openBody })).toBe('commitment_mismatch at 1');
  });

  it('a commitment to another plaintext is found only by whoever opens the body', async () => {
    const build = (override: Fields) => {
      const builder = createLedgerBuilder();
      builder.genesis();
      const data = { digest: 'cd'.repeat(32), result: 'loaded', version: '1' };
      builder.seal({ type: 'policy', data, parts: { source: 'a' }, override });
      builder.commit();
      return builder;
    };
    const honest = decodeBlock(build({}).records[0]?.value ?? Buffer.alloc(0)).leaves[1]?.toString() ?? '';
    const [part] = JSON.parse(honest).parts;
    const lying = build({ parts: [{ ...part, c: '0'.repeat(64) }] });
    expect((await verify(lying.records)).ok).toBe(true);
    expect(await causeOf(lying.records, { openBody: lying.kek })).toBe('commitment_mismatch at 1');
  });
});
