/**
 * How fast the portable verifier reads: `node test/bench/verify.ts [ENTRIES]` seals a ledger of exchanges with bodies
 * through the product's own sealer, in memory, and verifies its export as `holdpoint verify` does. Counted in CPU time:
 * on a shared machine the clock measures the others.
 */
import { verifyExport } from '../../src/ledger/verify/index.ts';
import { exportBulkLedger } from '../support/bulk-ledger.ts';

const entries = Number(process.argv[2] ?? 100_000);
const rounds = 5;
const chunkBytes = 65_536;

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

const shown = (rate: number | undefined): string => Math.round(rate ?? 0).toLocaleString('en');

for (const bodyBytes of [16, 1024]) {
  const stream = await exportBulkLedger(entries, bodyBytes);
  const rates: number[] = [];
  let size = 0;
  for (let round = 0; round < rounds; round += 1) {
    const from = process.cpuUsage();
    const verdict = await verifyExport(chunksOf(stream));
    if (!verdict.ok) throw new Error(`the ledger does not verify: ${JSON.stringify(verdict.findings[0])}`);
    const { user, system } = process.cpuUsage(from);
    size = verdict.size;
    rates.push(size / ((user + system) / 1e6));
  }
  rates.sort((a, b) => a - b);
  const median = shown(rates[rounds >> 1]);
  process.stdout.write(
    `${size} entries, bodies of ${bodyBytes} bytes, ${Math.round(stream.length / 1e6)} MB: median ${median}, best ${shown(rates.at(-1))} entries per second of CPU\n`,
  );
}
