/**
 * Every parser of hostile bytes, fuzzed for a bounded time from a fixed seed. A finding's input stands in the failure;
 * `node test/fuzz/run.ts TARGET --input FILE` runs it again. What was found becomes a case of the quick tests.
 */
import { expect, test } from 'vitest';
import { type FuzzReport, runFuzzer } from './report.ts';
import { targetNames } from './targets.ts';

const secondsEach = 6;
const lanes = 2;

const fuzz = (target: string) => runFuzzer(target, '--seconds', String(secondsEach), '--seed', '1');

test('no parser breaks what it promises, and coverage leads further than the seeds', async () => {
  const names = [...(await targetNames())];
  expect(names.length).toBeGreaterThan(30);
  const reports: FuzzReport[] = [];
  const lane = async (): Promise<void> => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) reports.push(await fuzz(name));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  expect(
    reports.flatMap(({ target, findings }) => findings.map((finding) => ({ target, ...finding }))),
  ).toEqual([]);
  for (const { target, inputs, blocksReached } of reports)
    expect({ target, tried: inputs > 100, reached: blocksReached > 5 }).toEqual({
      target,
      tried: true,
      reached: true,
    });
  const sum = (of: (report: (typeof reports)[number]) => number) =>
    reports.reduce((all, one) => all + of(one), 0);
  expect(sum(({ blocksReached }) => blocksReached)).toBeGreaterThan(
    sum(({ blocksAtFirst }) => blocksAtFirst),
  );
});
