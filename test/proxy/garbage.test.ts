/** What a call leaves behind: V8 says how much of it was still there two quick collections later, and moved to the old. */
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { closedLoop } from '../bench/load.ts';
import { start } from '../bench/processes.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { spawnSidecar } from '../support/sidecar.ts';
import { startFlags } from '../support/start-flags.ts';

afterEach(endAll);

const concurrency = 32;
const callsPerRound = 4_000;
const rounds = 2;
/**
 * Collects often while the sidecar warms up, as it happens by itself in one process of three. Without one of its flags V8 takes
 * what calls are made of for objects that stay, for as long as the process runs.
 */
const collectOften =
  'const often = setInterval(() => gc({ type: "minor" }), 20); setTimeout(clearInterval, 2_000, often);';
const warmUp = `data:text/javascript,${encodeURIComponent(collectOften)}`;
/** Entries, hashes and postings that wait to be written are some hundred bytes of each call. */
const keptBytesPerCallMax = 2_000;

/** Bytes of each quick collection that were moved, as `--trace-gc-nvp` prints them. */
function promotedIn(output: string): number[] {
  return [...output.matchAll(/ gc=s .* promoted=(\d+) /g)].map(([, bytes]) => Number(bytes));
}

/** How much of each call the sidecar keeps, once it is warm. */
async function keptBytesPerCall(upstreamUrl: string): Promise<number> {
  const sidecar = await spawnSidecar({
    upstreams: { openai: { url: upstreamUrl, protocol: 'openai', mount: '/' } },
    nodeFlags: [...startFlags, '--trace-gc', '--trace-gc-nvp', '--expose-gc', '--import', warmUp],
  });
  const target = { url: sidecar.proxyUrl, path: '/v1/chat/completions', headers: {} };
  let before = 0;
  let last: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { failed } = await closedLoop(target, concurrency, callsPerRound);
    expect(failed).toBe(0);
    const promoted = promotedIn(sidecar.output());
    last = promoted.slice(before);
    before = promoted.length;
  }
  expect(last.length).toBeGreaterThan(5);
  await sidecar.kill('SIGTERM');
  return last.reduce((sum, bytes) => sum + bytes, 0) / callsPerRound;
}

test('is collected young, also on connections that are kept', async () => {
  const script = fileURLToPath(new URL('../bench/upstream.ts', import.meta.url));
  const upstream = await start(process.execPath, [script], 2);
  atEnd(() => upstream.stop());
  expect(await keptBytesPerCall(upstream.url)).toBeLessThan(keptBytesPerCallMax);
}, 60_000);
