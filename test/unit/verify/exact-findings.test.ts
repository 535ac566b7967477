/** One change is one finding: what follows from it is not reported beside it, and what stays whole is not doubted. */
import { describe, expect, it } from 'vitest';
import { type Verdict, type VerifyOptions, verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, type Fields, leafHashOf } from '../../support/ledger-builder.ts';
import {
  buildPlainLedger,
  dropRecord,
  editBlock,
  editNote,
  editRecord,
  type Records,
  setFields,
  sourceOf,
} from '../../support/ledger-tampering.ts';

// Blocks begin at 0, 1 (entries 1 to 3), 4, 5, 6 and 7 (entries 7 and 8).
const plain = buildPlainLedger();
const { records } = plain;
const at = '2026-11-22T10:00:00.000Z';

const verify = (changed: Records, options: VerifyOptions = {}): Promise<Verdict> =>
  verifyLedger(sourceOf(changed), options);
const codesOf = async (changed: Records, options: VerifyOptions = {}): Promise<readonly string[]> =>
  (await verify(changed, options)).findings.map(({ code, seq }) => `${code} at ${seq}`);

const withoutBlock = (seq: number): Records => dropRecord(dropRecord(records, seq, 1), seq, 2);
const cut = (changed: Records, seq: number): Records =>
  editRecord(changed, seq, 1, (value) => value.subarray(0, -1));

describe('one finding', () => {
  it('is made of a missing block, whatever was kept of the tree behind it', async () => {
    const kept = { checkpoint: plain.checkpoint(), highWater: plain.highWater() };
    expect(await codesOf(withoutBlock(4), { ...kept, trustedKeys: [plain.verifierKey] })).toEqual([
      'gap at 4',
    ]);
  });

  it('is made of a block that cannot be read, and of a gap behind it one more', async () => {
    expect(await codesOf(cut(records, 4))).toEqual(['block_malformed at 4']);
    expect(await codesOf(cut(withoutBlock(6), 4))).toEqual(['block_malformed at 4', 'gap at 6']);
  });

  it('is made of a checkpoint whose root was edited, and the tree is known to its end', async () => {
    const root = Buffer.alloc(32).toString('base64');
    const edited = editNote(records, 1, (text) => text.replace(/\n[^\n]{44}\n/, `\n${root}\n`));
    const verdict = await verify(edited);
    expect(verdict.findings).toHaveLength(1);
    expect(verdict.root).toBe(plain.root().toString('base64'));
  });

  it('is made of an edited entry with a signed block of its own at the end', async () => {
    const upTo6 = records.filter(({ key }) => (key[7] ?? 0) <= 6);
    expect(await codesOf(setFields(upTo6, 6, 0, { at }))).toEqual(['entry_altered at 6']);
  });

  it('is made of a last signature that was forged, also where every one is checked', async () => {
    const forged = editNote(records, 7, () =>
      plain.checkpoint().replace(/[A-Za-z0-9]{8}([A-Za-z0-9+/]{2}=*)\n$/, 'AAAAAAAA$1\n'),
    );
    expect(await codesOf(forged, { everySignature: true })).toEqual(['signature_invalid at 7']);
  });
});

it('entries that were chained anew are told by their block and by where the chain goes on', async () => {
  const rechained = editBlock(setFields(records, 1, 0, { at }), 1, ({ leaves: [a, b, c], note }) => {
    const after = (before: Buffer, leaf: Buffer): Buffer =>
      Buffer.from(leaf.toString().replace(/"prev":"\w+"/, `"prev":"${leafHashOf(before).toString('hex')}"`));
    const [first, second, third] = [a, b, c].map((leaf) => leaf ?? Buffer.alloc(0));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three entries');
    const next = after(first, second);
    return { leaves: [first, next, after(next, third)], note };
  });
  expect(await codesOf(rechained)).toEqual(['root_mismatch at 1', 'chain_broken at 4']);
});

it('entries that changed places are told by the first number and by the chain, and by no root that follows', async () => {
  const moved = editBlock(records, 1, ({ leaves, note }) => ({ leaves: leaves.toReversed(), note }));
  const codes = await codesOf(moved, { checkpoint: plain.checkpoint(), highWater: plain.highWater() });
  expect(codes[0]).toBe('seq_mismatch at 1');
  expect(codes.slice(1).filter((code) => !/^(chain|body)_/.test(code))).toEqual([]);
});

it('a checkpoint before the last has one signature', async () => {
  const twice = editNote(records, 1, (text) => `${text}${text.slice(text.indexOf('\u2014'))}`);
  expect(await codesOf(twice)).toEqual(['note_malformed at 1']);
});

it('a signature of a checkpoint before the last has 64 bytes, and is in the name of the ledger', async () => {
  const longer = editNote(records, 1, (text) =>
    text.replace(
      /\S+\n$/,
      (line) => `${Buffer.concat([Buffer.from(line, 'base64'), Buffer.alloc(1)]).toString('base64')}\n`,
    ),
  );
  expect(await codesOf(longer)).toEqual(['signature_invalid at 1']);
  const renamed = editNote(records, 1, (text) => text.replace(/\u2014 \S+/, '\u2014 other.example'));
  expect(await codesOf(renamed)).toEqual(['key_unknown at 1']);
});

it('two entries of one microsecond are in order, and of one millisecond without a step back', async () => {
  const builder = createLedgerBuilder();
  builder.genesis({});
  const same: Fields = { at, mono: 1_000_000 };
  for (const reason of ['one', 'two']) builder.seal({ type: 'stop', data: { reason }, override: same });
  builder.commit();
  const { findings, notes } = await verify(builder.records);
  expect(findings).toEqual([]);
  expect(notes.join('\n')).not.toContain('stepped back');
});
