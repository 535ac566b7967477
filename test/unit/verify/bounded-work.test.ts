/** What a hostile ledger, or a hostile file beside it, makes a verifier work for: no more than somebody wrote down. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { takeBlock } from '../../../src/ledger/verify/chain.ts';
import { endSnapshots, takeSnapshot } from '../../../src/ledger/verify/heartbeats.ts';
import { anchorForgeriesMax } from '../../../src/ledger/verify/outside.ts';
import { createPass } from '../../../src/ledger/verify/pass.ts';
import { portable } from '../../../src/ledger/verify/primitives.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, type LedgerBuilder, signNote } from '../../support/ledger-builder.ts';
import { editRecord, type Records, sourceOf } from '../../support/ledger-tampering.ts';

/** So many heartbeats, each in a block of its own, over a decision that is open. */
function beating(heartbeats: number): LedgerBuilder {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.request();
  builder.commit();
  for (let turn = 0; turn < heartbeats; turn += 1) {
    builder.heartbeat();
    builder.commit();
  }
  return builder;
}

/** How many snapshots were worked out, and the first code that was found. */
function workedOut(records: Records): [number, string] {
  const pass = createPass({
    trusted: undefined,
    unwrap: undefined,
    primitives: portable,
    everySignature: false,
    watchedSizes: [],
  });
  let count = 0;
  for (const { key, value } of records) {
    const seq = Number(Buffer.from(key).readBigUInt64BE());
    if (key[8] === 1) {
      endSnapshots(pass);
      takeBlock(pass, seq, value);
      count += pass.awaited.filter(({ expected }) => expected !== undefined).length;
    } else if (key[8] === 3) takeSnapshot(pass, seq, value);
  }
  return [count, pass.findings.list[0]?.code ?? ''];
}

it('each snapshot that is stored is compared with the state that it must be', () => {
  expect(workedOut(beating(20).records)).toEqual([20, '']);
});

it('what heartbeats without a snapshot name is worked out for the first of them alone', () => {
  const withoutSnapshots = beating(20).records.filter(({ key }) => key[8] !== 3);
  expect(workedOut(withoutSnapshots)).toEqual([1, 'snapshot_mismatch']);
});

it('many heartbeats in one block are worked out once', () => {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.request();
  for (let turn = 0; turn < 20; turn += 1) builder.heartbeat();
  builder.commit();
  expect(workedOut(builder.records)).toEqual([1, 'snapshot_mismatch']);
});

it('a snapshot that names an open decision more than there is is not the state before its heartbeat', async () => {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.request();
  builder.heartbeat();
  builder.commit();
  const stored = builder.records.find(({ key }) => key[8] === 3)?.value ?? Buffer.alloc(0);
  const longer = Buffer.from(Buffer.from(stored).toString().replace('[[1,[1]]]', '[[1,[1]],[0,[0]]]'));
  const other = createLedgerBuilder();
  other.genesis();
  other.request();
  const beat = other.heartbeat({ snapshot: createHash('sha256').update(longer).digest('hex') });
  other.commit();
  const { findings } = await verifyLedger(sourceOf(editRecord(other.records, beat, 3, () => longer)));
  expect(findings.map(({ code, seq }) => `${code} at ${seq}`)).toEqual(['snapshot_mismatch at 2']);
});

it('a snapshot nested deeper than any stack is no reason to break off: it is not the state before its heartbeat', async () => {
  const nested = Buffer.from(`{"frontier":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
  const builder = createLedgerBuilder();
  builder.genesis();
  const beat = builder.heartbeat({ snapshot: createHash('sha256').update(nested).digest('hex') });
  builder.commit();
  const { findings } = await verifyLedger(sourceOf(editRecord(builder.records, beat, 3, () => nested)));
  expect(findings.map(({ code, seq }) => `${code} at ${seq}`)).toEqual(['snapshot_mismatch at 1']);
});

const lineOf = (note: string): string =>
  `holdpoint-anchor-1 2026-11-26T08:00:00.000Z ${Buffer.from(note).toString('base64')}\n`;

/** Lines over the last entries that name the ledger's key, and that it did not sign. */
function forged({ origin, root, size, seed, verifierKey }: LedgerBuilder, lines: number): string {
  const signed = signNote(seed, origin, size(), root());
  const keyHash = Buffer.from(verifierKey.split('+')[1] ?? '', 'hex');
  const signature = Buffer.concat([keyHash, Buffer.alloc(64)]).toString('base64');
  return lineOf(signed.replace(/\S+\n$/, `${signature}\n`)).repeat(lines);
}

it('an anchor file stuffed with forged lines is said to be one, and not looked at to its end', async () => {
  const builder = beating(1);
  const real = lineOf(builder.checkpoint(1));
  const judge = async (lines: number) => {
    const { findings, covered } = await verifyLedger(builder.source(), {
      anchors: [real + forged(builder, lines)],
    });
    return [findings.map(({ code }) => code), covered.anchoredSize];
  };
  expect(await judge(anchorForgeriesMax)).toEqual([[], 1]);
  expect(await judge(anchorForgeriesMax + 1)).toEqual([['anchor_malformed'], 0]);
});
