/**
 * A decision that was made elsewhere and reported, byte for byte: the leaves of its request, its answer and its outcome,
 * and the parts that they commit to. Checked with node:crypto alone, then against the product. It must pass in every later version.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { createReportDesk } from '../../../src/report/desk.ts';
import { readReport } from '../../../src/report/line.ts';
import { linesOf } from '../../../src/report/split.ts';
import { createLedgerUnderTest } from '../../fault/ledger-under-test.ts';

const vector = z
  .object({
    /** As it was reported. */
    line: z.string(),
    by: z.string(),
    policy: z.string(),
    leaves: z.tuple([z.string(), z.string(), z.string()]),
    parts: z.tuple([z.string(), z.string()]),
    records: z.array(z.object({ key: z.string(), value: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('reported-1.json', import.meta.url), 'utf8')));

async function written() {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const desk = createReportDesk({
    ledger,
    policy: () => loadPolicy('policy.yaml', vector.policy),
    fingerprint: (subject) => createHash('sha256').update(subject).digest('hex').slice(0, 16),
  });
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from(vector.line);
  }
  const results = [];
  for await (const result of desk.take(linesOf(body(), 4096), vector.by)) results.push(result);
  await ledger.close('done');
  return { house, results };
}

it('the leaves are the chain that they say, and commit to what was reported', () => {
  const leaf = z.object({
    seq: z.number(),
    prev: z.string(),
    type: z.string(),
    parts: z.array(z.object({ size: z.number() })),
  });
  const [request, response, outcome] = vector.leaves;
  const sealed = vector.leaves.map((text) => leaf.parse(JSON.parse(text)));
  expect(sealed.map(({ type }) => type)).toEqual(['request', 'response', 'delivery']);
  const hashOf = (text: string) =>
    createHash('sha256')
      .update(Buffer.concat([Buffer.of(0), Buffer.from(text)]))
      .digest('hex');
  expect([sealed[1]?.prev, sealed[2]?.prev]).toEqual([hashOf(request), hashOf(response)]);
  expect(JSON.parse(outcome)).toMatchObject({ data: { outcomes: [[sealed[0]?.seq, 'reported']] } });
  expect(sealed.flatMap(({ parts }) => parts.map(({ size }) => size))).toEqual(
    vector.parts.map((text) => Buffer.byteLength(text)),
  );
});

/** What does not hang on random keys. */
const saidSchema = z.object({
  type: z.string(),
  seq: z.number(),
  refs: z.array(z.number()),
  data: z.record(z.string(), z.unknown()),
  parts: z.array(z.object({ name: z.string(), size: z.number() })),
});

it('the product says the same of the same line', async () => {
  const { house, results } = await written();
  expect(results).toMatchObject([{ line: 1, status: 'sealed', rules: ['loans'] }]);
  const about = house.entries().filter(({ type }) => ['request', 'response', 'delivery'].includes(type));
  expect(about.map((entry) => saidSchema.parse(entry))).toEqual(
    vector.leaves.map((text) => saidSchema.parse(JSON.parse(text))),
  );
});

it('the product stores the same messages', async () => {
  const { answer, request } = readReport(Buffer.from(vector.line));
  expect([request.message.toString(), answer?.message.toString()]).toEqual(vector.parts);
});

it('the ledger around it verifies, and says that it was reported', async () => {
  const source = async function* () {
    for (const { key, value } of vector.records)
      yield { key: Buffer.from(key, 'hex'), value: Buffer.from(value, 'hex') };
  };
  const verdict = await verifyLedger(source(), {});
  expect(verdict.findings.map(({ code }) => code)).toEqual(['body_missing', 'body_missing']);
  expect(verdict.decisions).toMatchObject({ total: 0, reported: 1 });
});
