import { describe, expect, it } from 'vitest';
import { consistencyPlan, foldHashes, inclusionPlan, type ProofHash } from '../../../src/ledger/proof.ts';
import { provesConsistency, provesInclusion } from '../../../src/ledger/verify/proof.ts';
import { leafHashOf, merkleRoot } from '../../support/ledger-builder.ts';

const sizeMax = 40;
/** Each bit is a proof of its own to check. */
const flippedSizeMax = 9;
const leaves = Array.from({ length: sizeMax }, (_, seq) => leafHashOf(Buffer.from(`leaf ${seq}`)));
const root = (size: number): Buffer => merkleRoot(leaves.slice(0, size));
const roots = Array.from({ length: sizeMax + 1 }, (_, size) => root(size));
const rootAt = (size: number): Buffer => roots[size] ?? Buffer.alloc(0);
const leafAt = (seq: number): Buffer => leaves[seq] ?? Buffer.alloc(0);

const hashesOf = (plan: readonly ProofHash[]): Buffer[] =>
  plan.map((subtrees) =>
    foldHashes(
      subtrees.map(({ height, index }) => {
        const width = 2 ** height;
        return merkleRoot(leaves.slice(index * width, (index + 1) * width));
      }),
    ),
  );

/** Every way to flip one bit of one of these. */
function* flips(hashes: readonly Buffer[]): Generator<readonly Buffer[]> {
  for (const [at, hash] of hashes.entries()) {
    for (let bit = 0; bit < 8 * hash.length; bit += 1) {
      const changed = Buffer.from(hash);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      yield hashes.with(at, changed);
    }
  }
}

/** Trees up to this size are tried with everything that does not belong to them. */
const triedSizeMax = 17;

function* inclusions(upTo = sizeMax): Generator<{ seq: number; size: number; path: Buffer[] }> {
  for (let size = 1; size <= upTo; size += 1) {
    for (let seq = 0; seq < size; seq += 1) yield { seq, size, path: hashesOf(inclusionPlan(seq, size)) };
  }
}

function* consistencies(upTo = sizeMax): Generator<{ from: number; to: number; proof: Buffer[] }> {
  for (let to = 1; to <= upTo; to += 1) {
    for (let from = 1; from <= to; from += 1) yield { from, to, proof: hashesOf(consistencyPlan(from, to)) };
  }
}

describe(`an inclusion proof, for every leaf of every tree up to ${sizeMax}`, () => {
  it('is accepted', () => {
    for (const { seq, size, path } of inclusions()) {
      expect(provesInclusion(leafAt(seq), seq, size, path, rootAt(size)), `${seq} of ${size}`).toBe(true);
    }
  });

  it('is refused for every other leaf number and leaf, and at other sizes over their own root', () => {
    for (const { seq, size, path } of inclusions(triedSizeMax)) {
      for (let other = 0; other < sizeMax; other += 1) {
        if (other === seq) continue;
        expect(provesInclusion(leafAt(seq), other, size, path, rootAt(size))).toBe(false);
        expect(provesInclusion(leafAt(other), seq, size, path, rootAt(size))).toBe(false);
      }
      for (let other = 1; other <= sizeMax; other += 1) {
        if (other !== size) expect(provesInclusion(leafAt(seq), seq, other, path, rootAt(other))).toBe(false);
      }
    }
  });

  it('is refused with a hash too many, too few, or two swapped', () => {
    for (const { seq, size, path } of inclusions(triedSizeMax)) {
      const swapped = path.length > 1 ? [path.toReversed()] : [];
      const wrong = [
        [...path, leafAt(0)],
        [leafAt(0), ...path],
        ...(path.length > 0 ? [path.slice(1), path.slice(0, -1)] : []),
      ];
      for (const other of [...wrong, ...swapped]) {
        expect(provesInclusion(leafAt(seq), seq, size, other, rootAt(size))).toBe(false);
      }
    }
  });
});

describe(`a consistency proof, between every two trees up to ${sizeMax}`, () => {
  it('is accepted', () => {
    for (const { from, to, proof } of consistencies(triedSizeMax)) {
      expect(provesConsistency(from, rootAt(from), to, rootAt(to), proof), `${from} to ${to}`).toBe(true);
    }
  });

  it('is refused over any other root, and with a hash too many or too few', () => {
    for (const { from, to, proof } of consistencies(triedSizeMax)) {
      for (let other = 1; other <= sizeMax; other += 1) {
        if (other !== from) expect(provesConsistency(from, rootAt(other), to, rootAt(to), proof)).toBe(false);
        if (other !== to) expect(provesConsistency(from, rootAt(from), to, rootAt(other), proof)).toBe(false);
      }
      const wrong = [
        [...proof, leafAt(0)],
        ...(proof.length > 0 ? [proof.slice(1), proof.slice(0, -1)] : []),
      ];
      for (const other of wrong) {
        expect(provesConsistency(from, rootAt(from), to, rootAt(to), other)).toBe(false);
      }
    }
  });
});

describe('with any one bit flipped', () => {
  it(`no inclusion proof is accepted: leaf, path and root, every proof up to ${flippedSizeMax} leaves`, () => {
    for (const { seq, size, path } of inclusions(triedSizeMax)) {
      if (size > flippedSizeMax) break;
      for (const [leaf = leafAt(0), top = leafAt(0), ...hashes] of flips([
        leafAt(seq),
        rootAt(size),
        ...path,
      ])) {
        if (provesInclusion(leaf, seq, size, hashes, top)) expect.fail(`leaf ${seq} of ${size}`);
      }
    }
    expect(provesInclusion(leafAt(0), 0, 1, [], rootAt(1))).toBe(true);
  });

  it(`no consistency proof is accepted: both roots and every hash, every proof up to ${flippedSizeMax} leaves`, () => {
    for (const { from, to, proof } of consistencies(flippedSizeMax)) {
      for (const [older = leafAt(0), newer = leafAt(0), ...hashes] of flips([
        rootAt(from),
        rootAt(to),
        ...proof,
      ])) {
        if (provesConsistency(from, older, to, newer, hashes)) expect.fail(`${from} to ${to}`);
      }
    }
    expect(provesConsistency(1, rootAt(1), 1, rootAt(1), [])).toBe(true);
  });
});

describe('what is no proof', () => {
  it('is not planned', () => {
    for (const [seq, size] of [
      [0, 0],
      [1, 1],
      [-1, 3],
      [Number.NaN, 3],
    ] as const)
      expect(() => inclusionPlan(seq, size)).toThrow(RangeError);
    for (const [from, to] of [
      [0, 1],
      [3, 2],
      [1, Number.NaN],
    ] as const)
      expect(() => consistencyPlan(from, to)).toThrow(RangeError);
  });

  it('is refused: numbers that count nothing, hashes that are none, more hashes than any tree is high', () => {
    const [a, b] = [leafAt(0), leafAt(1)];
    expect(provesInclusion(a, 0.5, 2, [b], rootAt(2))).toBe(false);
    expect(provesInclusion(a, -1, 2, [b], rootAt(2))).toBe(false);
    expect(provesInclusion(a, 0, 2 ** 53, [b], rootAt(2))).toBe(false);
    expect(provesInclusion(a, 0, 2, [b.subarray(1)], rootAt(2))).toBe(false);
    expect(
      provesInclusion(
        a,
        0,
        2,
        Array.from({ length: 200 }, () => b),
        rootAt(2),
      ),
    ).toBe(false);
    expect(provesConsistency(0, rootAt(0), 2, rootAt(2), [])).toBe(false);
  });
});

it('is planned at any size with no more hashes than the tree is high', () => {
  const size = 2 ** 52 + 12_345;
  expect(inclusionPlan(size - 1, size).length).toBeLessThan(54);
  expect(inclusionPlan(2 ** 40, size)).toHaveLength(53);
  expect(consistencyPlan(2 ** 51 + 1, size).length).toBeLessThan(55);
});
