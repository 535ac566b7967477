import { expect, it } from 'vitest';
import {
  appendLeaf,
  emptyTree,
  leafHash,
  nodeHash,
  type TreeState,
  treeRoot,
} from '../../../src/ledger/tree.ts';
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

it.each(roots.map((root, size) => [size, root] as const))('has the known root at size %i', (size, root) => {
  const tree = inputs
    .slice(0, size)
    .reduce((state, hex) => appendLeaf(state, leafHash(Buffer.from(hex, 'hex'))), emptyTree);
  expect(treeRoot(tree).toString('hex')).toBe(root);
});

it('agrees with the recursive definition, root and frontier, at every size from 0 to 300', () => {
  const hashes: Buffer[] = [];
  let tree: TreeState = emptyTree;
  for (let size = 0; size <= 300; size += 1) {
    expect(tree.size).toBe(size);
    expect(treeRoot(tree).equals(merkleRoot(hashes))).toBe(true);
    expect(tree.frontier.map((node) => node.toString('hex'))).toEqual(frontierOf(hashes));
    const leaf = Buffer.from(`leaf ${size}`);
    hashes.push(leafHashOf(leaf));
    tree = appendLeaf(tree, leafHash(leaf));
  }
});

it('leaves the tree it grew from as it was', () => {
  const one = appendLeaf(emptyTree, leafHash(Buffer.from('a')));
  const before = treeRoot(one).toString('hex');
  appendLeaf(appendLeaf(one, leafHash(Buffer.from('b'))), leafHash(Buffer.from('c')));
  expect(treeRoot(one).toString('hex')).toBe(before);
  expect(emptyTree.frontier).toHaveLength(0);
});

it('never takes two child hashes for a leaf', () => {
  const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
  expect(leafHash(Buffer.concat([left, right])).equals(nodeHash(left, right))).toBe(false);
});

it('refuses a leaf beyond 65 536 bytes', () => {
  expect(() => leafHash(Buffer.alloc(65_537))).toThrow(RangeError);
  expect(leafHash(Buffer.alloc(65_536, 7)).equals(leafHashOf(Buffer.alloc(65_536, 7)))).toBe(true);
});
