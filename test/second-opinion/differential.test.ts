/** Both verifiers on ledgers that anything was done to, with what an auditor remembers: they agree which is intact, and what is wrong first with the others. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonPath } from '../support/python.ts';
import { type Folder, makeFolder, streamOf } from './ledgers.ts';
import { changedLedger, outsideMemory, untouched } from './mutations.ts';
import { missing, type Opinion, opinionSchema, ours } from './opinions.ts';

const runFile = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const runs = 150;

/** One process for all of them: starting it takes longer than what it does. */
const program = `
import json
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import verify
for arguments in sys.argv[2:]:
    verify.main(json.loads(arguments))
`;

/** @param asked the arguments of each, as verify.py takes them */
async function opinionsOf(asked: readonly (readonly string[])[]): Promise<readonly Opinion[]> {
  const { stdout } = await runFile(
    pythonPath,
    ['-c', program, here, ...asked.map((each) => JSON.stringify(each))],
    {
      maxBuffer: 64 * 1024 ** 2,
    },
  );
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => opinionSchema.parse(JSON.parse(line)));
}

const firstOf = (findings: readonly Opinion['findings'][number][]): string =>
  findings
    .slice(0, 1)
    .map(({ code, seq }) => `${code} at ${seq}`)
    .join();

describe.skipIf(missing.length > 0)('a ledger that something was done to', () => {
  let folder: Folder;
  beforeAll(() => {
    folder = makeFolder();
  });
  afterAll(() => folder.remove());

  it('has the same first cause in both opinions, or none', async () => {
    const [seed = 0] = fc.sample(fc.nat(), 1);
    const streams = [...untouched, ...fc.sample(changedLedger, { numRuns: runs, seed })].map(streamOf);
    const remembered = fc.sample(outsideMemory, { numRuns: streams.length, seed });
    const opinions = await opinionsOf(
      streams.map((bytes, at) => {
        const { trust = '', checkpoint = '' } = remembered[at] ?? {};
        return [
          ...(trust === '' ? [] : ['--trust', trust]),
          ...(checkpoint === '' ? [] : ['--checkpoint', folder.write(`${at}.note`, checkpoint)]),
          folder.write(`${at}.hpj`, bytes),
        ];
      }),
    );
    expect(opinions).toHaveLength(streams.length);
    for (const [at, bytes] of streams.entries()) {
      const { trust = '', checkpoint = '' } = remembered[at] ?? {};
      const { findings } = await ours(bytes, {
        ...(trust === '' ? {} : { trustedKeys: [trust] }),
        ...(checkpoint === '' ? {} : { checkpoint }),
      });
      expect
        .soft(firstOf(opinions[at]?.findings ?? []), `ledger ${at} of seed ${seed}`)
        .toBe(firstOf(findings));
    }
  }, 180_000);
});
