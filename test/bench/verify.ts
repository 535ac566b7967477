/**
 * How fast the verifier reads: `node test/bench/verify.ts [ENTRIES]` seals a ledger of exchanges with bodies through the
 * product's own sealer, in memory, and verifies its export as `holdpoint verify` does: with Node's primitives, with the
 * portable ones, and with every body opened. Counted in CPU time of all threads: on a shared machine the clock measures
 * the others.
 */
import { createNativePrimitives } from '../../src/ledger/native-primitives.ts';
import { type VerifyOptions, verifyExport } from '../../src/ledger/verify/index.ts';
import { kek } from '../fault/ledger-under-test.ts';
import { exportBulkLedger } from '../support/bulk-ledger.ts';
import { judge } from './judge.ts';

const entries = Number(process.argv[2] ?? 100_000);
const rounds = 5;
/** What the command does is held to it. */
const judgedWay = "Node's primitives";
const chunkBytes = 1_048_576;

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

const shown = (rate: number | undefined): string => Math.round(rate ?? 0).toLocaleString('en');

async function rateOf(stream: Buffer, options: VerifyOptions): Promise<number> {
  const from = process.cpuUsage();
  const verdict = await verifyExport(chunksOf(stream), options);
  const { user, system } = process.cpuUsage(from);
  const [finding] = verdict.findings;
  if (finding !== undefined) throw new Error(`the ledger does not verify: ${JSON.stringify(finding)}`);
  const { stored, checked, opened } = verdict.bodies;
  const due = options.openBody === undefined ? 0 : stored;
  if (checked !== stored || opened !== due) throw new Error(`of ${stored} bodies ${opened} were opened`);
  return verdict.size / ((user + system) / 1e6);
}

const openBody = new Uint8Array(kek.key);
const ways: Readonly<Record<string, () => VerifyOptions>> = {
  [judgedWay]: () => ({ primitives: createNativePrimitives() }),
  'portable primitives': () => ({}),
  "Node's, every body opened": () => ({ primitives: createNativePrimitives(), openBody }),
};

for (const bodyBytes of [16, 1024]) {
  const stream = await exportBulkLedger(entries, bodyBytes);
  process.stdout.write(`bodies of ${bodyBytes} bytes, ${Math.round(stream.length / 1e6)} MB:\n`);
  for (const [way, options] of Object.entries(ways)) {
    const rates: number[] = [];
    for (let round = 0; round < rounds; round += 1) rates.push(await rateOf(stream, options()));
    rates.sort((a, b) => a - b);
    process.stdout.write(
      `  ${way}: median ${shown(rates[rounds >> 1])}, best ${shown(rates.at(-1))} entries per second of CPU\n`,
    );
    if (way === judgedWay)
      judge('verifying, median', Math.round(rates[rounds >> 1] ?? 0), 'entries/s', { atLeast: 100_000 });
  }
}
