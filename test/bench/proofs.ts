/**
 * Proofs over synthetic ledgers, from tiles in a real LevelDB: `node test/bench/proofs.ts [entries ...]`.
 * Prints, per size, how long the tiles take to make, and the bytes and time of inclusion and consistency proofs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { HoldpointError } from '../../src/core/errors.ts';
import { consistencyPlan, inclusionPlan, type ProofHash } from '../../src/ledger/proof.ts';
import { openTileIndex, type TileIndex } from '../../src/ledger/tile-index.ts';
import { appendLeaf, emptyTree, leafHash, treeRoot } from '../../src/ledger/tree.ts';
import { openLevelStore } from '../../src/store/level.ts';

const defaultSizes = [10_000, 1_000_000];
const blockEntries = 500;
const proofs = 300;

const leafAt = (seq: number): Buffer => Buffer.from(`{"seq":${seq},"type":"synthetic"}`);

interface Measured {
  readonly bytesMax: number;
  readonly medianMs: number;
  readonly worstMs: number;
}

async function measure(tiles: TileIndex, planOf: (i: number) => readonly ProofHash[]): Promise<Measured> {
  const times: number[] = [];
  let bytesMax = 0;
  for (let i = 0; i < proofs; i += 1) {
    const plan = planOf(i);
    const before = performance.now();
    const hashes = await tiles.hashes(plan);
    times.push(performance.now() - before);
    bytesMax = Math.max(bytesMax, 32 * hashes.length);
  }
  times.sort((a, b) => a - b);
  return { bytesMax, medianMs: times[proofs >> 1] ?? 0, worstMs: times.at(-1) ?? 0 };
}

/** False while the tiles are still being made. */
async function isMade(tiles: TileIndex): Promise<boolean> {
  try {
    await tiles.hashes([]);
    return true;
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'overloaded') return false;
    throw error;
  }
}

async function benchSize(size: number): Promise<void> {
  let tree = emptyTree;
  for (let seq = 0; seq < size; seq += 1) tree = appendLeaf(tree, leafHash(leafAt(seq)));
  const signed = { size, root: treeRoot(tree) };
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-bench-'));
  const store = await openLevelStore(dir);
  const onError = (error: unknown): void => {
    throw error;
  };
  const readBlock = async (firstSeq: number): Promise<Buffer[]> =>
    Array.from({ length: Math.min(blockEntries, size - firstSeq) }, (_, i) => leafAt(firstSeq + i));
  const options = { store, readBlock, signed: () => signed, onError };
  try {
    const making = await openTileIndex(options);
    const before = performance.now();
    making.advance(size);
    while (!(await isMade(making))) await new Promise(setImmediate);
    const madeMs = performance.now() - before;
    await making.close();
    // Opened again, so that nothing is cached: what was kept is read and checked.
    const tiles = await openTileIndex(options);
    const spread = (i: number): number => Math.floor((size / proofs) * i);
    const inclusion = await measure(tiles, (i) => inclusionPlan(spread(i), size));
    const consistency = await measure(tiles, (i) => consistencyPlan(1 + spread(i), size));
    await tiles.close();
    console.log(`${size} entries: tiles made in ${(madeMs / 1000).toFixed(1)} s`);
    for (const [name, { bytesMax, medianMs, worstMs }] of Object.entries({ inclusion, consistency })) {
      console.log(
        `  ${name.padEnd(12)} at most ${bytesMax} bytes, median ${medianMs.toFixed(2)} ms, worst ${worstMs.toFixed(2)} ms`,
      );
    }
  } finally {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

const sizes = process.argv.slice(2).map(Number);
for (const size of sizes.length > 0 ? sizes : defaultSizes) await benchSize(size);
