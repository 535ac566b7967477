import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/ledger/verify/encoding.ts';
import {
  appendHash,
  emptyRange,
  leafHash,
  nodeHash,
  rootOf,
  type TreeRange,
} from '../../../src/ledger/verify/tree.ts';
import { frontierOf, leafHashOf, merkleRoot } from '../../support/ledger-builder.ts';

// The inputs and roots that Certificate Transparency implementations share.
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
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const bytesOf = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array(0);

function rangeOver(leaves: readonly Uint8Array[]): TreeRange {
  const range = emptyRange();
  for (const leaf of leaves) appendHash(range, leafHash(leaf));
  return range;
}

describe('the Merkle tree of RFC 6962', () => {
  it.each(roots.map((root, size) => [size, root] as const))('has the known root at size %i', (size, root) => {
    expect(toHex(rootOf(rangeOver(inputs.slice(0, size).map(bytesOf))))).toBe(root);
  });

  it('agrees with the recursive definition, root and frontier, at every size up to 70', () => {
    const leaves = Array.from({ length: 70 }, (_, index) => Buffer.from(`leaf ${index}`));
    for (let size = 0; size <= leaves.length; size += 1) {
      const hashes = leaves.slice(0, size).map(leafHashOf);
      const range = rangeOver(leaves.slice(0, size));
      expect(toHex(rootOf(range))).toBe(merkleRoot(hashes).toString('hex'));
      expect(range.frontier.map(toHex)).toEqual(frontierOf(hashes));
    }
  });

  it('never takes two child hashes for a leaf', () => {
    const left = leafHash(Buffer.from('a'));
    const right = leafHash(Buffer.from('b'));
    expect(leafHash(Buffer.concat([left, right]))).not.toEqual(nodeHash(left, right));
  });
});
