/**
 * Many streams at a time: `node test/bench/streams.ts [count]`. A provider that speaks at a steady pace, a tool-call rule
 * in force, and for every stream the time to its first token and the longest silence, direct and through the sidecar.
 */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent } from 'undici';
import { chatBody, closedLoop, type LoadResult, openLoop, percentile } from './load.ts';
import { cpuUs, rssMb, type Started, start } from './processes.ts';
import { startSidecar } from './targets.ts';

const rssMbMax = 300;
const sampleEveryMs = 250;
const path = '/v1/chat/completions';
/** A sidecar runs for weeks: what V8 still compiles in the first seconds is nobody's waiting time. */
const warmUpCalls = 6_000;
const warmUpConcurrency = 32;
/** For CPU time: streams whose words come one by one, as a model says them. */
const spokenPaceMs = 2;
const spokenStreams = 1_000;
const spokenRounds = 5;

export interface StreamFigures {
  readonly streams: number;
  readonly failed: number;
  readonly firstTokenMs: readonly number[];
  /** Per stream, the longest wait between two pieces. */
  readonly longestSilenceMs: readonly number[];
}

/** Opens `count` streams, `openPerSecond` of them a second, and follows each to its end. */
export async function follow(url: string, count: number, openPerSecond: number): Promise<StreamFigures> {
  const agent = new Agent({ connections: count, pipelining: 1 });
  const firstTokenMs: number[] = [];
  const longestSilenceMs: number[] = [];
  let failed = 0;
  const running: Promise<void>[] = [];
  const t0 = performance.now();
  for (let i = 0; i < count; i++) {
    const waitMs = t0 + (i * 1000) / openPerSecond - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    running.push(
      followOne(agent, url).then((one) => {
        if (one === null) failed += 1;
        else {
          firstTokenMs.push(one.firstTokenMs);
          longestSilenceMs.push(one.longestSilenceMs);
        }
      }),
    );
  }
  await Promise.all(running);
  await agent.destroy();
  const sorted = (values: number[]): number[] => values.sort((a, b) => a - b);
  return {
    streams: count,
    failed,
    firstTokenMs: sorted(firstTokenMs),
    longestSilenceMs: sorted(longestSilenceMs),
  };
}

function followOne(
  agent: Agent,
  url: string,
): Promise<{ firstTokenMs: number; longestSilenceMs: number } | null> {
  return new Promise((resolve) => {
    const from = performance.now();
    let last = 0;
    let firstTokenMs = 0;
    let longestSilenceMs = 0;
    let tail = '';
    agent.dispatch(
      {
        origin: url,
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench', 'x-pace-ms': '400' },
        body: chatBody(true),
      },
      {
        onRequestStart: () => undefined,
        onResponseStart: () => undefined,
        onResponseData: (_controller, chunk) => {
          const now = performance.now();
          if (last === 0) firstTokenMs = now - from;
          else longestSilenceMs = Math.max(longestSilenceMs, now - last);
          last = now;
          tail = (tail + chunk.toString('latin1')).slice(-16);
        },
        onResponseEnd: () => resolve(tail.includes('[DONE]') ? { firstTokenMs, longestSilenceMs } : null),
        onResponseError: () => resolve(null),
      },
    );
  });
}

/** Streams one after the other over connections that are kept, as an SDK opens them: to the first byte of each. */
async function oneAtATime(url: string): Promise<LoadResult> {
  return openLoop({ url, path, headers: {} }, 50, 400, { stream: true });
}

/** CPU time of the proxy's process per stream, its words coming one by one. */
async function cpuUsPerStream({ url, pid }: Started): Promise<number> {
  const before = cpuUs(pid);
  const target = { url, path, headers: { 'x-pace-ms': String(spokenPaceMs) } };
  const { calls } = await closedLoop(target, warmUpConcurrency, spokenStreams, { stream: true });
  return (cpuUs(pid) - before) / calls;
}

/** The median of rounds in turns, so that a noisy minute falls on all alike. */
async function compareCpu(contestants: readonly Started[]): Promise<readonly number[]> {
  const rounds: number[][] = contestants.map(() => []);
  for (let round = 0; round < spokenRounds; round++)
    for (const [i, contestant] of contestants.entries()) rounds[i]?.push(await cpuUsPerStream(contestant));
  return rounds.map((of) =>
    percentile(
      of.sort((a, b) => a - b),
      0.5,
    ),
  );
}

async function main(count: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-streams-'));
  const log = openSync(join(directory, 'log'), 'a');
  const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const upstream = await start(process.execPath, [script('./upstream.ts')], 2);
  const sidecar = await startSidecar(upstream.url, directory, log);
  const bare = await start(process.execPath, [script('./bare-proxy.ts'), upstream.url], log);
  let rssPeakMb = 0;
  const sampler = setInterval(() => {
    rssPeakMb = Math.max(rssPeakMb, rssMb(sidecar.pid));
  }, sampleEveryMs);
  try {
    for (const { url } of [upstream, sidecar, bare])
      await closedLoop({ url, path, headers: {} }, warmUpConcurrency, warmUpCalls, { stream: true });
    const alone = await oneAtATime(upstream.url);
    for (const [name, { url }] of Object.entries({ sidecar, 'bare http-proxy': bare })) {
      const { latencyMs, failed } = await oneAtATime(url);
      const added = (fraction: number): string =>
        (percentile(latencyMs, fraction) - percentile(alone.latencyMs, fraction)).toFixed(2);
      say(
        `one at a time, ${name}, failed ${failed}: first token p50 +${added(0.5)} ms, p99 +${added(0.99)} ms`,
      );
    }
    const [own = Number.NaN, other = Number.NaN] = await compareCpu([sidecar, bare]);
    say(
      `${warmUpConcurrency} at a time, 42 pieces each: CPU ${own.toFixed(0)} us a stream, bare http-proxy ${other.toFixed(0)} us: ` +
        `${(own / other).toFixed(2)} times`,
    );
    const direct = await follow(upstream.url, count, 200);
    const through = await follow(sidecar.url, count, 200);
    const added = (fraction: number): string =>
      (percentile(through.firstTokenMs, fraction) - percentile(direct.firstTokenMs, fraction)).toFixed(2);
    const silence = ({ longestSilenceMs }: StreamFigures, fraction: number): string =>
      percentile(longestSilenceMs, fraction).toFixed(0);
    say(
      `all at a time, ${count} streams, failed ${through.failed} (direct ${direct.failed}): first token p50 +${added(0.5)} ms, ` +
        `p99 +${added(0.99)} ms; longest silence p50 ${silence(through, 0.5)} ms, max ${silence(through, 1)} ms ` +
        `(direct ${silence(direct, 0.5)} and ${silence(direct, 1)} ms)`,
    );
    say(`peak RSS of the sidecar ${rssPeakMb.toFixed(0)} MB (bound ${rssMbMax})`);
    process.exitCode = rssPeakMb < rssMbMax && through.failed === 0 ? 0 : 1;
  } finally {
    clearInterval(sampler);
    await Promise.all([sidecar.stop(), bare.stop()]);
    await upstream.stop();
    closeSync(log);
    rmSync(directory, { recursive: true, force: true });
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main(Number(process.argv[2] ?? 1_000));
