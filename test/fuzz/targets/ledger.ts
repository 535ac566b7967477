/**
 * The ledger's bytes, by the two readers that share no code: the sealing side's, which recovers from them, and the
 * verifier's. What the verifier accepts, recovery can read, and both read the same.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { HoldpointError } from '../../../src/core/errors.ts';
import {
  decodeBlock,
  decodeBodies,
  encodeBlock,
  encodeBodies,
  parseRecordKey,
  recordKey,
} from '../../../src/ledger/block.ts';
import { canonicalize, isLeafJson } from '../../../src/ledger/canonical.ts';
import { decodeLeaf, encodeLeaf } from '../../../src/ledger/entry.ts';
import { decodeSnapshot } from '../../../src/ledger/head.ts';
import { parseCanonical } from '../../../src/ledger/verify/canonical.ts';
import { readBlock, readBodies, readRecordKey } from '../../../src/ledger/verify/framing.ts';
import { parseHighWater } from '../../../src/ledger/verify/high-water.ts';
import { readLeaf } from '../../../src/ledger/verify/leaf.ts';
import { parseCheckpoint, parseVerifierKey } from '../../../src/ledger/verify/note.ts';
import { isRefusal } from '../../../src/ledger/verify/reasons.ts';
import { buildFullLedger } from '../../support/ledger-builder.ts';
import { must, type Target, unless } from '../target.ts';

const golden = z
  .object({
    verifierKey: z.string(),
    records: z.array(z.object({ key: z.string(), value: z.string() })),
    entries: z.array(z.object({ leaf: z.string() })),
    checkpoints: z.array(z.object({ note: z.string() })),
    snapshot: z.object({ text: z.string() }),
  })
  .parse(JSON.parse(readFileSync(new URL('../../golden/ledger/format-1.json', import.meta.url), 'utf8')));

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const records = [
  ...golden.records.map(({ key, value }) => ({ key: hex(key), value: hex(value) })),
  ...buildFullLedger().records.map(({ key, value }) => ({
    key: Buffer.from(key),
    value: Buffer.from(value),
  })),
];
const ofKind = (kind: number) => records.filter(({ key }) => key[8] === kind).map(({ value }) => value);
const leaves = [
  ...golden.entries.map(({ leaf }) => (leaf.startsWith('{') ? Buffer.from(leaf) : hex(leaf))),
  ...ofKind(1).flatMap((block) => decodeBlock(block).leaves),
];

const isDamage = (error: unknown) => error instanceof HoldpointError && error.code === 'ledger_damaged';
const bounds = { inputBytesMax: 65_536, usPerByteMax: 10 };

const block: Target = {
  ...bounds,
  name: 'ledger-block',
  seeds: () => ofKind(1),
  run(input) {
    const sealed = unless(isDamage, () => decodeBlock(input));
    const verified = readBlock(input);
    if (sealed !== null)
      must(encodeBlock(sealed.leaves, sealed.note).equals(input), 'a block is written another way');
    if (verified.kind !== 'read') return;
    must(sealed !== null, 'recovery cannot read a block that verifies');
    must(
      isDeepStrictEqual(
        sealed.leaves.map(String),
        verified.record.leaves.map((leaf) => String(Buffer.from(leaf))),
      ) && sealed.note.equals(verified.record.note),
      'a block is two different blocks',
    );
  },
};

const bodies: Target = {
  ...bounds,
  name: 'ledger-bodies',
  seeds: () => ofKind(2),
  run(input) {
    const sealed = unless(isDamage, () => decodeBodies(input));
    const verified = readBodies(input);
    if (verified.kind !== 'read') return;
    must(sealed !== null, 'recovery cannot read bodies that verify');
    must(encodeBodies(sealed).equals(input), 'bodies are written another way');
    const same = sealed.items.every(({ seq, partIndex, ciphertext }, i) => {
      const item = verified.record.items[i];
      return item?.seq === seq && item.part === partIndex && ciphertext.equals(item.ct);
    });
    must(same && sealed.kekId === verified.record.kekId, 'bodies are two different bodies');
  },
};

const leaf: Target = {
  ...bounds,
  name: 'ledger-leaf',
  seeds: () => leaves,
  run(input) {
    const sealed = unless(isDamage, () => decodeLeaf(input));
    const verified = readLeaf(input);
    if (sealed !== null) {
      must(encodeLeaf(sealed).equals(input), 'a leaf is written another way');
      must(parseCanonical(input).kind === 'canonical', 'recovery reads a leaf that is not canonical');
    }
    if (isRefusal(verified)) return;
    must(sealed !== null, 'recovery cannot read a leaf that verifies');
    must(
      sealed.seq === verified.seq && sealed.type === verified.type && sealed.prev === verified.prev,
      'a leaf is two different entries',
    );
  },
};

const canonical: Target = {
  ...bounds,
  name: 'ledger-canonical',
  seeds: () => leaves,
  run(input) {
    const read = parseCanonical(input);
    const text = input.toString('utf8');
    const value = unless(
      (error) => error instanceof SyntaxError,
      (): unknown => JSON.parse(text),
    );
    if (read.kind === 'canonical') {
      must(canonicalize(read.value) === text, 'what is read as canonical is written another way');
      must(
        isDeepStrictEqual(JSON.parse(JSON.stringify(read.value)), JSON.parse(text)),
        'another value is read',
      );
    } else if (value !== null && isLeafJson(value) && Buffer.from(text).equals(input)) {
      const written = unless(
        (error) => error instanceof RangeError,
        () => canonicalize(value),
      );
      must(written !== text, 'what is written canonically is not read as that', () => JSON.stringify(read));
    }
  },
};

const note: Target = {
  ...bounds,
  name: 'ledger-note',
  seeds: () => [
    ...golden.checkpoints.map(({ note: text }) => (text.includes('\n') ? Buffer.from(text) : hex(text))),
    Buffer.from(golden.verifierKey),
    Buffer.from(golden.snapshot.text),
    Buffer.from(`holdpoint-high-water-1 ${'0'.repeat(20)} ${'a'.repeat(64)} 00000000\n`),
  ],
  run(input) {
    const text = input.toString('utf8');
    const checkpoint = parseCheckpoint(input);
    if (!isRefusal(checkpoint)) {
      must(checkpoint.signatures.length > 0, 'a checkpoint has no signature');
      must(
        input.subarray(0, checkpoint.text.length).equals(checkpoint.text),
        'another text is signed than stands there',
      );
    }
    const key = parseVerifierKey(text);
    must(isRefusal(key) || key.text === text, 'a key is another one');
    const snapshot = decodeSnapshot(input);
    must(snapshot === null || Array.isArray(snapshot.open), 'a snapshot has no list of what is open');
    must(parseHighWater(text) === undefined || text.endsWith('\n'), 'a torn high-water line is believed');
  },
};

const key: Target = {
  ...bounds,
  name: 'ledger-key',
  seeds: () => records.map((record) => record.key),
  run(input) {
    const sealed = parseRecordKey(input);
    const verified = readRecordKey(input);
    must((sealed === null) === (verified === undefined), 'one side reads a key that the other does not');
    if (sealed === null || verified === undefined) return;
    must(sealed.seq === verified.seq, 'a key is two different ones');
    must(recordKey(sealed.seq, sealed.kind).equals(input), 'a key is written another way');
  },
};

export const targets: readonly Target[] = [block, bodies, leaf, canonical, note, key];
