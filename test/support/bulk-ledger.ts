/** A large ledger as a busy sidecar seals it: by the product's own sealer, in memory, as one export. */
import { exportStream } from '../../src/ledger/export.ts';
import type { Draft } from '../../src/ledger/sealer.ts';
import { createLedgerUnderTest } from '../fault/ledger-under-test.ts';

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
  const answer = {
    bytes: 1024,
    decision,
    elapsedUs: 812_345,
    finish: 'stop',
    fingerprint: 'fp_1',
    model: 'gpt-4.1',
  };
  const judged = { policy: digest, result: 'ok', rules: [], status: 200, verdict: 'pass' };
  return {
    type: 'response',
    data: { ...answer, ...judged, streamed: false, toolCalls: 0, usage },
    refs: [decision],
    parts: [{ name: 'response', bytes: body }],
  };
}

/** The export of a ledger of at least `entries`: requests and responses with a body each, their outcomes batched. */
export async function exportBulkLedger(entries: number, bodyBytes: number): Promise<Buffer> {
  const house = createLedgerUnderTest();
  const body = Buffer.alloc(bodyBytes, 'x');
  const ledger = await house.open();
  for (let sealed = 0; sealed < entries; sealed += 2 * atOnce) {
    const requests = Array.from({ length: atOnce }, () =>
      ledger.seal({ type: 'request', data: requestData, parts: [{ name: 'request', bytes: body }] }),
    );
    const responses = requests.map(({ seq }) => ledger.seal(response(seq, body)));
    await Promise.all([...requests, ...responses].map(({ durable }) => durable));
    for (const { seq } of requests) ledger.settle(seq, 'delivered');
  }
  await ledger.close('sealed');
  const store = await house.disk.open();
  const frames: Buffer[] = [];
  for await (const frame of exportStream(store)) frames.push(frame);
  await store.close();
  return Buffer.concat(frames);
}
