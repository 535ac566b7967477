/**
 * `npm run bench`: one run, side by side. CPU time per call of the proxy's process is the figure to trust on a
 * shared machine; the ratios compare what ran within the same minute. Writes bench-results.json.
 * `--only holdpoint,http-proxy` leaves the others out; `--prompt-kb 200` asks with prompts as long as agents' are.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closedLoop, openLoop, percentile } from './load.ts';
import { cpuUs, rssMb, start } from './processes.ts';
import { type Contestant, machine, startContestants } from './targets.ts';

const quick = process.argv.includes('--quick');
const only = new Set(optionOf('--only')?.split(',') ?? []);
const kilobytes = Number(optionOf('--prompt-kb') ?? 1);
/** Long prompts are fewer: the same bytes take as long. */
const share = 1 / Math.max(1, Math.sqrt(kilobytes));
const concurrency = 32;
const rounds = quick ? 2 : 5;
const callsPerRound = Math.ceil((quick ? 1_500 : 4_000) * share);
/** A sidecar runs for weeks: what V8 still compiles in the first seconds is nobody's running cost. */
const warmUpCalls = Math.ceil((quick ? 1_500 : 30_000) * share);
const rate = Math.ceil(200 * share);
const rateCalls = Math.ceil((quick ? 400 : 1_600) * share);
const streamCalls = Math.ceil((quick ? 200 : 800) * share);
const diskWrites = 400;
/** About what one call adds to the log, twice per call. */
const diskWriteBytes = 3_000;

interface Row {
  readonly name: string;
  readonly cpuUsPerCall: number | null;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly firstTokenP50Ms: number;
  readonly firstTokenP99Ms: number;
  readonly rssMb: number | null;
  readonly failed: number;
}

interface Sample {
  readonly cpuUsPerCall: number | null;
  readonly callsPerSecond: number;
  readonly failed: number;
}

const directory = mkdtempSync(join(tmpdir(), 'holdpoint-bench-'));
const upstream = await start(process.execPath, [fileURLToPath(new URL('./upstream.ts', import.meta.url))], 2);
const contestants = await startContestants(upstream, directory, only, say);
try {
  for (const contestant of contestants)
    await closedLoop(contestant.target, concurrency, warmUpCalls, { kilobytes });
  const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
  // Interleaved, so that a noisy minute falls on all of them alike.
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) samples.get(contestant.name)?.push(await saturate(contestant));
  }
  const disk = await diskFloor(directory);
  const rows: Row[] = [];
  for (const contestant of contestants) rows.push(await row(contestant, samples.get(contestant.name) ?? []));
  print(rows, disk);
  writeFileSync(
    'bench-results.json',
    `${JSON.stringify({ at: new Date().toISOString(), machine: machine(), concurrency, rate, disk, rows, ratios: ratios(rows) }, null, 2)}\n`,
  );
  say('written to bench-results.json');
} finally {
  for (const { process: started } of contestants) await started?.stop();
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
}

interface Disk {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One append and fdatasync on an idle disk: what strict durability pays twice per call, whoever writes it. */
async function diskFloor(under: string): Promise<Disk> {
  const fd = openSync(join(under, 'disk-floor'), 'w');
  const bytes = Buffer.alloc(diskWriteBytes, 1);
  const tookMs: number[] = [];
  for (let i = 0; i < diskWrites; i++) {
    const from = performance.now();
    writeSync(fd, bytes);
    fdatasyncSync(fd);
    tookMs.push(performance.now() - from);
    // At the pace of the latency run, not back to back.
    await new Promise((resolve) => setTimeout(resolve, 1000 / rate / 2));
  }
  closeSync(fd);
  tookMs.sort((a, b) => a - b);
  return { p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) };
}

async function saturate({ target, process: proxy }: Contestant): Promise<Sample> {
  const before = proxy === null ? 0 : cpuUs(proxy.pid);
  const { calls, failed, seconds } = await closedLoop(target, concurrency, callsPerRound, { kilobytes });
  const used = proxy === null ? null : (cpuUs(proxy.pid) - before) / calls;
  return { cpuUsPerCall: used, callsPerSecond: calls / seconds, failed };
}

async function row({ name, target, process: proxy }: Contestant, samples: readonly Sample[]): Promise<Row> {
  const paced = await openLoop(target, rate, rateCalls, { kilobytes });
  const streams = await openLoop(target, Math.min(50, rate), streamCalls, { stream: true, kilobytes });
  return {
    name,
    cpuUsPerCall: proxy === null ? null : median(samples.map((sample) => sample.cpuUsPerCall ?? Number.NaN)),
    callsPerSecond: median(samples.map((sample) => sample.callsPerSecond)),
    p50Ms: percentile(paced.latencyMs, 0.5),
    p99Ms: percentile(paced.latencyMs, 0.99),
    firstTokenP50Ms: percentile(streams.latencyMs, 0.5),
    firstTokenP99Ms: percentile(streams.latencyMs, 0.99),
    rssMb: proxy === null ? null : rssMb(proxy.pid),
    // Portkey's gateway 1.15.2 answers 500 to every stream on Node 24 (it appends to immutable headers).
    failed: paced.failed + streams.failed + samples.reduce((sum, sample) => sum + sample.failed, 0),
  };
}

function median(values: readonly number[]): number {
  return percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

function ratios(rows: readonly Row[]) {
  const of = (name: string): number | null =>
    rows.find((candidate) => candidate.name === name)?.cpuUsPerCall ?? null;
  const own = of('holdpoint');
  const bare = of('http-proxy');
  const portkey = of('portkey');
  return {
    cpuAgainstHttpProxy: own === null || bare === null ? null : own / bare,
    portkeyCpuAgainstOwn: own === null || portkey === null ? null : portkey / own,
  };
}

function print(rows: readonly Row[], disk: Disk): void {
  const direct = rows.find(({ name }) => name === 'direct');
  const added = (value: number, base: number | undefined): string =>
    base === undefined || Number.isNaN(value) ? '-' : (value - base).toFixed(2);
  say(
    `\n${machine()}; concurrency ${concurrency}, then ${rate} calls/s; ${kilobytes} KB prompts; medians of ${rounds} rounds\n`,
  );
  say(
    '              CPU us/call  calls/s   added p50 ms  added p99 ms  added first token p50 / p99 ms  RSS MB  failed',
  );
  for (const each of rows) {
    say(
      [
        each.name.padEnd(12),
        (each.cpuUsPerCall === null ? '-' : each.cpuUsPerCall.toFixed(0)).padStart(11),
        each.callsPerSecond.toFixed(0).padStart(9),
        added(each.p50Ms, direct?.p50Ms).padStart(13),
        added(each.p99Ms, direct?.p99Ms).padStart(13),
        `${added(each.firstTokenP50Ms, direct?.firstTokenP50Ms)} / ${added(each.firstTokenP99Ms, direct?.firstTokenP99Ms)}`.padStart(
          31,
        ),
        (each.rssMb === null ? '-' : each.rssMb.toFixed(0)).padStart(8),
        String(each.failed).padStart(7),
      ].join(' '),
    );
  }
  for (const { name, failed } of rows.filter((each) => each.failed > 0))
    say(`\n${name}: ${failed} calls failed and are in no figure; see what it answers before comparing`);
  say(
    `\nOne append and fdatasync of ${diskWriteBytes} bytes: p50 ${disk.p50Ms.toFixed(2)} ms, p99 ${disk.p99Ms.toFixed(2)} ms; holdpoint waits for two per call`,
  );
  const { cpuAgainstHttpProxy, portkeyCpuAgainstOwn } = ratios(rows);
  if (cpuAgainstHttpProxy !== null)
    say(`CPU per call against a bare http-proxy: ${cpuAgainstHttpProxy.toFixed(2)}`);
  if (portkeyCpuAgainstOwn !== null)
    say(`Portkey's gateway needs ${portkeyCpuAgainstOwn.toFixed(1)} times the CPU per call`);
}

function optionOf(name: string): string | undefined {
  return process.argv[process.argv.indexOf(name) + 1 || process.argv.length];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
