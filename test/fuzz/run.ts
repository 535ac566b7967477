/**
 * Fuzzes one target: `node test/fuzz/run.ts TARGET [--seconds N] [--inputs N] [--seed N] [--blind] [--save DIR]
 * [--input FILE]`. Prints one line of JSON; exit 1 when something was found. `--input` runs that input alone.
 * A finding is written with the input that makes it, in base64.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { sha256Hex } from '../../src/core/bytes.ts';
import type { Finding, FuzzResult } from './engine.ts';

/** No input may take as long, even on a machine that is busy with other things. */
const hangMs = 30_000;
const inputBytesMax = 1 << 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    inputs: { type: 'string', default: '1000000000' },
    seed: { type: 'string', default: '1' },
    blind: { type: 'boolean', default: false },
    save: { type: 'string' },
    input: { type: 'string' },
  },
});
const [target = ''] = positionals;
const folder = new URL(`./corpus/${target}/`, import.meta.url);

function corpusOf(): Buffer[] {
  if (values.input !== undefined) return [readFileSync(values.input)];
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => readFileSync(new URL(name, folder)));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

const present = new SharedArrayBuffer(8 + inputBytesMax);
const counters = new Int32Array(present, 0, 2);
const { promise, resolve, reject } = Promise.withResolvers<FuzzResult>();
const corpus = corpusOf();
const worker = new Worker(new URL('./worker.ts', import.meta.url), {
  workerData: {
    target,
    present,
    corpus,
    seed: Number(values.seed),
    secondsMax: Number(values.seconds),
    inputsMax: values.input === undefined ? Number(values.inputs) : 1,
    guided: !values.blind,
  },
});
worker.on('message', resolve).on('error', reject);

let seen = 0;
let seenAtMs = performance.now();
const watch = setInterval(() => {
  const now = Atomics.load(counters, 0);
  if (now !== seen || now === 0) {
    seen = now;
    seenAtMs = performance.now();
  } else if (performance.now() - seenAtMs > hangMs) {
    const input = Buffer.from(new Uint8Array(present, 8, Atomics.load(counters, 1))).toString('base64');
    reject(new Error(`An input of ${target} does not end: ${input}`));
  }
}, 1_000);

try {
  const { kept, findings, seconds, inputs, ...counts } = await promise;
  const told = findings.map(({ kind, message, input }: Finding) => ({
    kind,
    message,
    input: Buffer.from(input).toString('base64'),
  }));
  const perSecond = Math.round(inputs / seconds);
  process.stdout.write(
    `${JSON.stringify({ target, inputs, perSecond, ...counts, kept: kept.length, findings: told })}\n`,
  );
  if (values.save !== undefined) {
    mkdirSync(values.save, { recursive: true });
    for (const input of kept) {
      const bytes = Buffer.from(input);
      writeFileSync(`${values.save}/${sha256Hex(bytes).slice(0, 16)}`, bytes);
    }
  }
  process.exitCode = findings.length > 0 ? 1 : 0;
} finally {
  clearInterval(watch);
  await worker.terminate();
}
