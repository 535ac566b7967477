import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appendToEdge,
  emptyEdge,
  encodeBundle,
  type FullTile,
  hasTile,
  parseTilePath,
  type TileName,
  tilePath,
} from '../../../src/ledger/tiles.ts';
import { leafHashOf, merkleRoot } from '../../support/ledger-builder.ts';

const name: fc.Arbitrary<TileName> = fc.record({
  level: fc.oneof(fc.nat(63), fc.constant('entries' as const)),
  index: fc.oneof(fc.nat(2000), fc.nat({ max: 2 ** 45 })),
  width: fc.integer({ min: 1, max: 256 }),
});

describe('the path of a tile', () => {
  it.each([
    ['tile/0/000', { level: 0, index: 0, width: 256 }],
    ['tile/0/999.p/255', { level: 0, index: 999, width: 255 }],
    ['tile/1/x001/000', { level: 1, index: 1000, width: 256 }],
    ['tile/2/x001/x234/067', { level: 2, index: 1_234_067, width: 256 }],
    ['tile/entries/x001/x234/067.p/1', { level: 'entries', index: 1_234_067, width: 1 }],
  ] as const)('%s is the specification’s', (path, tile) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  it('is read back to the tile it names', () => {
    fc.assert(
      fc.property(name, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
  });

  it.each([
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/0',
    'tile/0/0000',
    'tile/0/x000/001',
    'tile/0/x001',
    'tile/0/001/002',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000/',
    'tile/x/000',
    'tile/entries/x999/x999/x999/x999/x999/999',
    '/tile/0/000',
    '',
  ])('%j is none', (path) => {
    expect(parseTilePath(path)).toBe(null);
  });
});

describe('the right edge', () => {
  const leaves = Array.from({ length: 600 }, (_, seq) => leafHashOf(Buffer.from(`leaf ${seq}`)));

  it('lets go of each tile when it is full, and its hash goes to the level above', () => {
    const edge = emptyEdge();
    const full: FullTile[] = leaves.flatMap((leaf) => appendToEdge(edge, leaf));
    expect(full.map(({ level, index }) => [level, index])).toEqual([
      [0, 0],
      [0, 1],
    ]);
    expect(full.map(({ hashes }) => hashes)).toEqual([
      Buffer.concat(leaves.slice(0, 256)),
      Buffer.concat(leaves.slice(256, 512)),
    ]);
    expect(edge.rows).toEqual([
      leaves.slice(512),
      [merkleRoot(leaves.slice(0, 256)), merkleRoot(leaves.slice(256, 512))],
    ]);
  });

  it('fills a tile of the second level after 256 of the first', () => {
    const edge = emptyEdge();
    const leaf = leafHashOf(Buffer.alloc(0));
    const full = Array.from({ length: 65_536 }, () => appendToEdge(edge, leaf)).flat();
    expect(full.slice(-2).map(({ level, index }) => [level, index])).toEqual([
      [0, 255],
      [1, 0],
    ]);
    expect(edge.rows.map((row) => row.length)).toEqual([0, 0, 1]);
  });
});

it('a tree has the tiles that the specification counts', () => {
  const has = (level: number, index: number, width: number) => hasTile(70_000, { level, index, width });
  expect([has(0, 272, 256), has(0, 273, 112), has(0, 273, 113), has(0, 274, 1)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect([has(1, 0, 256), has(1, 1, 17), has(1, 1, 18)]).toEqual([true, true, false]);
  expect([has(2, 0, 1), has(2, 0, 2), has(3, 0, 1)]).toEqual([true, false, false]);
});

describe('an entry bundle', () => {
  it('has each leaf behind its length in two bytes', () => {
    const leaves = [Buffer.from('a'), Buffer.alloc(65_535, 'b')];
    const bundle = encodeBundle(leaves);
    expect(bundle.subarray(0, 5)).toEqual(Buffer.from('000161ffff', 'hex'));
    expect(bundle).toHaveLength(2 + 1 + 2 + 65_535);
  });

  it('is refused a leaf that two bytes cannot count', () => {
    expect(() => encodeBundle([Buffer.alloc(65_536)])).toThrow(RangeError);
  });
});
