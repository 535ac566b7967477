/**
 * Fuzzing guided by coverage: an input that reaches a block not reached before, or one much more often than before,
 * is kept and mutated further. Everything follows from the seed, the target and how many inputs are tried.
 */
import { blockCount, blockHits, sourceLiterals } from './instrument.ts';
import { type Materials, mutate } from './mutate.ts';
import { createRandom } from './random.ts';
import { Broken, type Target } from './target.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly secondsMax: number;
  readonly inputsMax: number;
  /** False tries mutations of the seeds alone, for comparison. */
  readonly guided: boolean;
  /** Kept from earlier runs. */
  readonly corpus: readonly Buffer[];
  /** Called before each input, so that one that never ends is known. */
  readonly before: (input: Buffer) => void;
}

export interface Finding {
  readonly kind: string;
  readonly message: string;
  /** The shortest input found that still does it. */
  readonly input: Buffer;
}

export interface FuzzResult {
  readonly inputs: number;
  readonly seconds: number;
  readonly blocks: number;
  /** Reached by the seeds and the corpus, before the first mutation. */
  readonly blocksAtFirst: number;
  readonly blocksReached: number;
  readonly kept: readonly Buffer[];
  readonly findings: readonly Finding[];
}

const findingsMax = 12;
/** Longer inputs take long to try and to change, and reach little that shorter ones do not. */
const keptBytesMax = 12_288;
const trimStepsMax = 24;
const shrinkStepsMax = 4_000;
const shrinkMsMax = 15_000;
/** What one input may take whatever its length; collecting garbage takes some of it. */
const inputMsMax = 60;
const timedAgain = 4;

/** A count's order of magnitude, as one bit: 1, 2, 3, 4-7, 8-15, 16-31, 32-127, more. */
const bucketOf = Uint8Array.from({ length: 256 }, (_, hits) => {
  if (hits === 0) return 0;
  const limits = [1, 2, 3, 7, 15, 31, 127, 255];
  return 1 << limits.findIndex((limit) => hits <= limit);
});

/** What has been reached so far: for each block the orders of magnitude of its counts. */
function createReached() {
  const seen = new Uint8Array(blockHits.length);
  let blocks = 0;
  return {
    blocks: () => blocks,
    /** Whether the last run reached anything new; it counts as reached from now on when `note`. */
    isNew(note: boolean): boolean {
      let found = false;
      const count = blockCount();
      for (let i = 0; i < count; i += 1) {
        const bits = bucketOf[blockHits[i] ?? 0] ?? 0;
        const before = seen[i] ?? 0;
        if ((bits & ~before) === 0) continue;
        found = true;
        if (!note) return true;
        if (before === 0) blocks += 1;
        seen[i] = before | bits;
      }
      return found;
    },
  };
}

/** What makes two findings one: the message without what changes from input to input, and where it was thrown. */
function kindOf(error: unknown): string {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  const first = (message.split('\n', 1)[0] ?? '').replace(/\d+/g, '#').slice(0, 160);
  if (error instanceof Broken) return first;
  const frame = /(?:src|test)\/[\w./-]+:\d+/.exec(stack.slice(stack.indexOf('\n')))?.[0] ?? '';
  return `${error instanceof Error ? error.name : typeof error}: ${first} at ${frame}`;
}

/** Of this thread's own time: on a busy machine the clock tells of others. */
function elapsedMs(run: () => void): number {
  const from = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(from);
  return (user + system) / 1000;
}

/** Runs a target until a bound is reached. Must not be given a target that awaits. */
export function fuzz(target: Target, options: FuzzOptions): FuzzResult {
  const random = createRandom(options.seed);
  const reached = createReached();
  const kept: Buffer[] = [];
  const seeds: Buffer[] = [];
  const findings: Finding[] = [];
  let inputs = 0;

  function run(input: Buffer): void {
    options.before(input);
    inputs += 1;
    blockHits.fill(0, 0, blockCount());
    target.run(input);
  }

  /** The error of one input; undefined where all holds. Too slow is an error, when it is so again and again. */
  function attempt(input: Buffer): unknown {
    const msMax = inputMsMax + (input.length * target.usPerByteMax) / 1000;
    try {
      let leastMs = elapsedMs(() => run(input));
      for (let i = 0; i < timedAgain && leastMs > msMax; i += 1)
        leastMs = Math.min(
          leastMs,
          elapsedMs(() => run(input)),
        );
      return leastMs > msMax ? new Broken('takes longer than its length allows') : undefined;
    } catch (error) {
      return error;
    }
  }

  function report(input: Buffer, error: unknown): void {
    const kind = kindOf(error);
    if (findings.some((finding) => finding.kind === kind)) return;
    const shortest = shrink(input, (shorter) => {
      const again = attempt(shorter);
      return again !== undefined && kindOf(again) === kind;
    });
    const last = attempt(shortest) ?? error;
    const message = last instanceof Error ? `${last.message}\n${last.stack ?? ''}` : String(last);
    findings.push({ kind, message, input: shortest });
  }

  function tryInput(input: Buffer): void {
    const error = attempt(input);
    if (error !== undefined) report(input, error);
    if (error !== undefined || input.length > keptBytesMax || !reached.isNew(false)) return;
    const trimmed = trim(input);
    run(trimmed);
    reached.isNew(true);
    kept.push(trimmed);
  }

  /** The input without what it reaches the same new blocks without. */
  function trim(input: Buffer): Buffer {
    const reachedBy = newBlocks(input);
    let best = input;
    let steps = 0;
    for (let size = best.length >> 1; size >= 4 && steps < trimStepsMax; size >>= 1) {
      for (let at = 0; at < best.length && steps < trimStepsMax; steps += 1) {
        const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
        if (attempt(shorter) === undefined && reachesAll(reachedBy)) best = shorter;
        else at += size;
      }
    }
    return best;
  }

  function newBlocks(input: Buffer): readonly (readonly [block: number, bits: number])[] {
    run(input);
    const all: (readonly [number, number])[] = [];
    for (let i = 0; i < blockCount(); i += 1) {
      const bits = bucketOf[blockHits[i] ?? 0] ?? 0;
      if (bits !== 0) all.push([i, bits]);
    }
    return all;
  }
  const reachesAll = (blocks: readonly (readonly [number, number])[]): boolean =>
    blocks.every(([block, bits]) => bucketOf[blockHits[block] ?? 0] === bits);

  const until = performance.now() + options.secondsMax * 1000;
  const started = performance.now();
  const done = () =>
    inputs >= options.inputsMax || findings.length >= findingsMax || performance.now() > until;

  for (const seed of [...options.corpus, ...target.seeds()]) {
    if (done()) break;
    seeds.push(seed);
    tryInput(seed.subarray(0, target.inputBytesMax));
  }
  const blocksAtFirst = reached.blocks();
  const dictionary = dictionaryOf(seeds);
  while (!done()) {
    const corpus = options.guided && kept.length > 0 ? kept : seeds;
    // Half of the time what was kept lately: it leads on.
    const latest = random.oneIn(2) ? corpus : corpus.slice(-Math.max(8, corpus.length >> 3));
    const materials: Materials = { random, dictionary, corpus, inputBytesMax: target.inputBytesMax };
    tryInput(mutate(random.pickFrom(latest) ?? Buffer.alloc(0), materials));
  }
  return {
    inputs,
    seconds: (performance.now() - started) / 1000,
    blocks: blockCount(),
    blocksAtFirst,
    blocksReached: reached.blocks(),
    kept,
    findings,
  };
}

/** The shortest input found, by leaving parts out, of which `still` is true. */
function shrink(input: Buffer, still: (shorter: Buffer) => boolean): Buffer {
  let best = input;
  let steps = 0;
  const until = performance.now() + shrinkMsMax;
  for (let size = best.length >> 1; size >= 1; ) {
    let shortened = false;
    for (let at = 0; at < best.length; ) {
      steps += 1;
      if (steps > shrinkStepsMax || performance.now() > until) return best;
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (still(shorter)) {
        best = shorter;
        shortened = true;
      } else at += size;
    }
    if (!shortened || size > 1) size >>= 1;
  }
  return best;
}

const tokensMax = 20_000;

/** What the measured sources compare with, and the words of the seeds. */
function dictionaryOf(seeds: readonly Buffer[]): readonly Buffer[] {
  const words = new Set(sourceLiterals());
  for (const seed of seeds) {
    for (const [word] of seed.toString('latin1').matchAll(/"[\w./:-]{1,40}"|[\w./-]{2,40}/g)) {
      if (words.size < tokensMax) words.add(word);
    }
  }
  return [...words].map((word) => Buffer.from(word, 'latin1'));
}
