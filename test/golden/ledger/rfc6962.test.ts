/** The tree, paths and consistency proofs that implementations of Certificate Transparency test each other with. */
import { describe, expect, it } from 'vitest';
import { consistencyPlan, foldHashes, inclusionPlan, type ProofHash } from '../../../src/ledger/proof.ts';
import { provesConsistency, provesInclusion } from '../../../src/ledger/verify/proof.ts';
import { leafHashOf, merkleRoot } from '../../support/ledger-builder.ts';

const inputs = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const leaves = inputs.map((hex) => leafHashOf(Buffer.from(hex, 'hex')));

const paths: readonly (readonly [seq: number, size: number, path: readonly string[]])[] = [
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
  [0, 1, []],
];

const proofs: readonly (readonly [from: number, to: number, proof: readonly string[]])[] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

const hashesOf = (plan: readonly ProofHash[]): string[] =>
  plan.map((subtrees) =>
    foldHashes(
      subtrees.map(({ height, index }) => {
        const width = 2 ** height;
        return merkleRoot(leaves.slice(index * width, (index + 1) * width));
      }),
    ).toString('hex'),
  );

const bytesOf = (hashes: readonly string[]) => hashes.map((hex) => Buffer.from(hex, 'hex'));
const root = (size: number) => merkleRoot(leaves.slice(0, size));

describe.each(paths)('the path of leaf %i in the tree of %i', (seq, size, path) => {
  it('is the one that is known', () => {
    expect(hashesOf(inclusionPlan(seq, size))).toEqual(path);
  });

  it('is accepted', () => {
    const leaf = leaves[seq] ?? Buffer.alloc(0);
    expect(provesInclusion(leaf, seq, size, bytesOf(path), root(size))).toBe(true);
  });
});

describe.each(proofs)('the consistency proof from %i to %i', (from, to, proof) => {
  it('is the one that is known', () => {
    expect(hashesOf(consistencyPlan(from, to))).toEqual(proof);
  });

  it('is accepted', () => {
    expect(provesConsistency(from, root(from), to, root(to), bytesOf(proof))).toBe(true);
  });
});
