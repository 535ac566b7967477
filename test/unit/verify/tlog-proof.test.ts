import { describe, expect, it } from 'vitest';
import { foldHashes, inclusionPlan } from '../../../src/ledger/proof.ts';
import { formatTlogProof } from '../../../src/ledger/tlog-proof.ts';
import { verifyTlogProof } from '../../../src/ledger/verify/tlog-proof.ts';
import {
  buildFullLedger,
  decodeBlock,
  leafHashOf,
  merkleRoot,
  signNote,
} from '../../support/ledger-builder.ts';

const builder = buildFullLedger();
const leaves = builder.records
  .filter(({ key }) => key[8] === 1)
  .flatMap(({ value }) => decodeBlock(value).leaves);
const hashes = leaves.map(leafHashOf);
const leafAt = (seq: number): Buffer => leaves[seq] ?? Buffer.alloc(0);
const trustedKeys = [builder.verifierKey];

function proofOf(seq: number, note = builder.checkpoint()): string {
  const path = inclusionPlan(seq, hashes.length).map((subtrees) =>
    foldHashes(
      subtrees.map(({ height, index }) =>
        merkleRoot(hashes.slice(index * 2 ** height, (index + 1) * 2 ** height)),
      ),
    ).toString('base64'),
  );
  return formatTlogProof({ seq, hashes: path, note, leaf: leafAt(seq) });
}

const codesOf = (text: string, entry?: Uint8Array): readonly string[] =>
  verifyTlogProof(text, { trustedKeys, ...(entry === undefined ? {} : { entry }) }).findings.map(
    ({ code }) => code,
  );

describe('the proof of an entry', () => {
  it('is accepted for every entry, and gives back its text', () => {
    for (let seq = 0; seq < leaves.length; seq += 1) {
      const verdict = verifyTlogProof(proofOf(seq), { trustedKeys });
      expect(verdict).toMatchObject({ ok: true, seq, size: leaves.length, entry: leafAt(seq).toString() });
    }
  });

  it('with a bit of its text flipped, wherever, is never accepted', () => {
    const text = Buffer.from(proofOf(5));
    for (let bit = 0; bit < 8 * text.length; bit += 97) {
      const changed = Buffer.from(text);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      if (verifyTlogProof(changed.toString('utf8'), { trustedKeys }).ok) expect.fail(`bit ${bit}`);
    }
  });

  it('is about the entry that is given, whatever it carries itself', () => {
    expect(codesOf(proofOf(5), leafAt(5))).toEqual([]);
    expect(codesOf(proofOf(5), leafAt(6))).toEqual(['inclusion_invalid']);
  });

  it('without an entry shows nothing', () => {
    const bare = proofOf(5).replace(/^extra .*\n/m, '');
    expect(codesOf(bare)).toEqual(['entry_missing']);
    expect(codesOf(bare, leafAt(5))).toEqual([]);
  });

  it('under a key that is not trusted is refused', () => {
    const stranger = signNote('two', builder.origin, leaves.length, builder.root());
    expect(codesOf(proofOf(5, stranger))).toEqual(['key_unknown']);
    expect(verifyTlogProof(proofOf(5), { trustedKeys: [] }).ok).toBe(false);
  });

  it('under a checkpoint that is not signed, or of another size or root, is refused', () => {
    expect(codesOf(proofOf(5, builder.checkpoint().replace(/\u2014.*\n/, '')))).toEqual([
      'signature_missing',
    ]);
    const shorter = signNote('one', builder.origin, leaves.length - 1, builder.root(leaves.length - 1));
    expect(codesOf(proofOf(5, shorter))).toEqual(['inclusion_invalid']);
  });

  it('of a leaf that is no entry of this ledger is refused though its hash is in a signed tree', () => {
    const strange = Buffer.from('{"seq":0}');
    const note = signNote('one', builder.origin, 1, leafHashOf(strange));
    const text = formatTlogProof({ seq: 0, hashes: [], note, leaf: strange });
    expect(codesOf(text)).toEqual(['leaf_malformed']);
    const other = buildFullLedger({ seed: 'two' });
    const genesis = decodeBlock(other.records[0]?.value ?? Buffer.alloc(0)).leaves[0] ?? Buffer.alloc(0);
    const moved = signNote('one', builder.origin, 1, leafHashOf(genesis));
    expect(codesOf(formatTlogProof({ seq: 0, hashes: [], note: moved, leaf: genesis }))).toEqual([
      'ledger_mismatch',
    ]);
    expect(codesOf(formatTlogProof({ seq: 1, hashes: [], note, leaf: strange }))).toEqual([
      'inclusion_invalid',
    ]);
  });
});

describe('a text that is no proof', () => {
  const text = proofOf(3);
  it.each([
    ['nothing', ''],
    ['another version', text.replace('@v1', '@v2')],
    ['no index', text.replace(/^index .*\n/m, '')],
    ['a padded index', text.replace('index 3', 'index 03')],
    ['an index past what a number holds', text.replace('index 3', 'index 9999999999999999')],
    ['a hash cut short', text.replace(/^[A-Za-z0-9+/]{43}=$/m, 'AAAA')],
    ['extra data after the index', text.replace(/^(extra .*)\n(index 3)$/m, '$2\n$1')],
    ['carriage returns', text.replaceAll('\n', '\r\n')],
    [
      'more hashes than a tree is high',
      text.replace('index 3', `index 3${`\n${'A'.repeat(43)}=`.repeat(60)}`),
    ],
  ])('is refused: %s', (_, broken) => {
    expect(codesOf(broken)).toEqual(['proof_malformed']);
  });

  it.each([
    [1_000, 10, 760],
    [100_000, 17, 1_080],
    [262_144, 18, 1_125],
    [10_000_000, 24, 1_400],
  ])(
    'in a tree of %i entries has at most %i hashes, and without its entry at most %i bytes',
    (size, most, bytes) => {
      const seqs = [0, 1, Math.floor(size / 2), size - 2, size - 1];
      const paths = seqs.map((seq) => inclusionPlan(seq, size).length);
      expect(Math.max(...paths)).toBe(most);
      const path = Array.from({ length: most }, () => Buffer.alloc(32, 7).toString('base64'));
      const note = signNote('one', builder.origin, size, Buffer.alloc(32));
      expect(formatTlogProof({ seq: size - 1, hashes: path, note }).length).toBeLessThanOrEqual(bytes);
    },
  );
});
