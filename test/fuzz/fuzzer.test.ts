/** The fuzzer itself: guided by coverage it finds what chance does not, and a seed gives the same run again. */
import { expect, test } from 'vitest';
import { type FuzzReport, runFuzzer } from './report.ts';

const inputs = 40_000;
/** Four processes that compile a little and count to the bound. */
const timeoutMs = 90_000;
const fuzzToy = (...options: readonly string[]) =>
  runFuzzer('toy', '--inputs', String(inputs), '--seconds', '80', '--seed', '1', ...options);

test(
  'coverage leads to a planted fault that the same number of blind mutations does not find',
  async () => {
    const [guided, blind] = await Promise.all([fuzzToy(), fuzzToy('--blind')]);
    expect(guided.findings.map(({ kind }) => kind)).toEqual([expect.stringContaining('the planted fault')]);
    expect(blind.findings).toEqual([]);
    expect(blind.inputs).toBe(inputs);
    expect(blind.blocksReached).toBeLessThan(guided.blocksReached);
  },
  timeoutMs,
);

test(
  'the same seed tries the same inputs',
  async () => {
    const few = ['--inputs', '10000'];
    const [one, other] = await Promise.all([fuzzToy(...few), fuzzToy(...few)]);
    const counts = ({ perSecond: _perSecond, ...report }: FuzzReport) => report;
    expect(counts(one)).toEqual(counts(other));
    expect(one.kept).toBeGreaterThan(0);
  },
  timeoutMs,
);
