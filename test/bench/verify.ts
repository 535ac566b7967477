/**
 * How fast the portable verifier reads: `node test/bench/verify.ts [ENTRIES]` seals a ledger of exchanges with bodies
 * of about 1 KB through the product's own sealer, in memory, and verifies it as `holdpoint verify` does an export. Counted in CPU time: on a shared machine the clock measures the others.
 */
import { exportStream } from '../../src/ledger/export.ts';
import type { Draft } from '../../src/ledger/sealer.ts';
import { readStream } from '../../src/ledger/verify/stream.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { createLedgerUnderTest, type LedgerUnderTest } from '../fault/ledger-under-test.ts';

const entriesWanted = Number(process.argv[2] ?? 100_000);
const rounds = 5;
/** As many decisions as share a commit under load. */
const atOnce = 64;
const digest = 'c'.repeat(64);

const requestData = {
  bytes: 1024,
  caller: 'k-5f1d1f5a9c3e4b7a',
  method: 'POST',
  model: 'gpt-4.1',
  operation: 'chat.completions',
  path: '/v1/chat/completions',
  policy: digest,
  provider: 'openai',
  rules: [],
  stream: false,
  upstream: 'openai',
  verdict: 'pass',
  workload: 'billing-agent',
};

function response(decision: number, body: Buffer): Draft {
  const usage = { source: 'provider', input: 212, output: 96, total: 308 };
  const data = {
    bytes: 1024,
    decision,
    elapsedUs: 812_345,
    finish: 'stop',
    fingerprint: 'fp_1',
    model: 'gpt-4.1',
  };
  return {
    type: 'response',
    data: {
      ...data,
      policy: digest,
      result: 'ok',
      rules: [],
      status: 200,
      streamed: false,
      toolCalls: 0,
      usage,
      verdict: 'pass',
    },
    refs: [decision],
    parts: [{ name: 'response', bytes: body }],
  };
}

/** Requests and responses with a body each, their outcomes batched, as a busy sidecar seals them. */
async function seal(house: LedgerUnderTest, bodyBytes: number): Promise<void> {
  const body = Buffer.alloc(bodyBytes, 'x');
  const ledger = await house.open();
  for (let sealed = 0; sealed < entriesWanted; sealed += 2 * atOnce) {
    const requests = Array.from({ length: atOnce }, () =>
      ledger.seal({ type: 'request', data: requestData, parts: [{ name: 'request', bytes: body }] }),
    );
    const responses = requests.map(({ seq }) => ledger.seal(response(seq, body)));
    await Promise.all([...requests, ...responses].map(({ durable }) => durable));
    for (const { seq } of requests) ledger.settle(seq, 'delivered');
  }
  await ledger.close('sealed');
}

async function exportOf(house: LedgerUnderTest): Promise<Buffer> {
  const store = await house.disk.open();
  const frames: Buffer[] = [];
  for await (const frame of exportStream(store)) frames.push(frame);
  await store.close();
  return Buffer.concat(frames);
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

for (const bodyBytes of [16, 1024]) {
  const house = createLedgerUnderTest();
  await seal(house, bodyBytes);
  const stream = await exportOf(house);
  const rates: number[] = [];
  let size = 0;
  for (let round = 0; round < rounds; round += 1) {
    const from = process.cpuUsage();
    const verdict = await verifyLedger(readStream(chunksOf(stream)));
    if (!verdict.ok) throw new Error(`the ledger does not verify: ${JSON.stringify(verdict.findings[0])}`);
    size = verdict.size;
    const { user, system } = process.cpuUsage(from);
    rates.push(size / ((user + system) / 1e6));
  }
  rates.sort((a, b) => a - b);
  const shown = (rate: number | undefined): string => Math.round(rate ?? 0).toLocaleString('en');
  process.stdout.write(
    `${size} entries, bodies of ${bodyBytes} bytes, ${(stream.length / 1e6).toFixed(0)} MB: median ${shown(rates[rounds >> 1])}, best ${shown(rates.at(-1))} entries per second of CPU\n`,
  );
}
