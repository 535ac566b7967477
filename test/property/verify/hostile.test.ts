import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBlock, readBodies, readRecordKey } from '../../../src/ledger/verify/framing.ts';
import { parseHighWater } from '../../../src/ledger/verify/high-water.ts';
import { parseCheckpoint, parseVerifierKey } from '../../../src/ledger/verify/note.ts';
import { isRefusal } from '../../../src/ledger/verify/reasons.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { recordKey } from '../../support/ledger-builder.ts';
import { buildPlainLedger, type Records, sourceOf } from '../../support/ledger-tampering.ts';

const bytes = fc.uint8Array({ maxLength: 200 });
const prefixed = (magic: string) => bytes.map((rest) => Buffer.concat([Buffer.from(magic), rest]));
const { records } = buildPlainLedger();

describe('hostile records', () => {
  it('never make a reader throw', () => {
    fc.assert(
      fc.property(bytes, prefixed('HPB1'), prefixed('HPV1'), fc.string(), (any, block, bodies, text) => {
        expect(readBlock(any).kind).not.toBe('read');
        expect(readBodies(any).kind).not.toBe('read');
        expect(readBlock(block).kind).toMatch(/read|malformed/);
        expect(readBodies(bodies).kind).toMatch(/read|malformed/);
        expect(any.length === 9 || readRecordKey(any) === undefined).toBe(true);
        expect(isRefusal(parseCheckpoint(any))).toBe(true);
        expect(isRefusal(parseVerifierKey(text))).toBe(true);
        expect(parseHighWater(text)).toBeUndefined();
      }),
    );
  });

  it('never pass, and never stop a verification', async () => {
    const key = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.tuple(fc.nat(12), fc.nat(4)).map(([seq, kind]) => recordKey(seq, kind)),
    );
    const value = fc.oneof(
      bytes,
      fc.constantFrom(...records).map((record) => record.value),
    );
    const hostile: fc.Arbitrary<Records> = fc.array(fc.record({ key, value }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(hostile, async (planted) => {
        const genuine = new Set(records.map((record) => Buffer.from(record.key).toString('hex')));
        const added = planted.filter((record) => !genuine.has(Buffer.from(record.key).toString('hex')));
        fc.pre(added.length > 0);
        const sorted = [...records, ...added].sort((a, b) => Buffer.compare(a.key, b.key));
        expect((await verifyLedger(sourceOf(sorted))).ok).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('never pass when some are taken away, unless only the tail is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...records], { minLength: 1 }), async (left) => {
        const lastBlock = left.findLastIndex((record) => record.key[8] === 1);
        const isPrefix = lastBlock >= 0 && left.every((record, index) => record === records[index]);
        const next = records[left.length];
        const isWholeCommit = isPrefix && (next === undefined || next.key[8] === 1);
        expect((await verifyLedger(sourceOf(left))).ok).toBe(isWholeCommit);
      }),
      { numRuns: 60 },
    );
  });
});
