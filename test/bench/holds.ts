/**
 * A full queue: `node test/bench/holds.ts [holds]`. Opens so many real holds (10 000) at a sidecar of its own, then
 * measures the first page of the queue, how long after its ruling a waiting caller has its answer, and the memory the
 * sidecar has resident, also after a restart. Fails where a page takes 300 ms, a ruling 100 ms at p99, or the sidecar 250 MB.
 */
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { systemRandom } from '../../src/core/clock.ts';
import { addToken } from '../../src/store/token-file.ts';
import { percentile } from './load.ts';
import { rssMb, startRun } from './processes.ts';

const pageMsMax = 300;
const rulingMsMax = 100;
const rssMbMax = 250;
const concurrency = 32;
const rulings = 300;
const pages = 20;
const count = Number(process.argv[2] ?? 10_000);

const policy = `version: "1"
rules:
  - id: transfers
    title: Transfers wait for a person
    phase: response
    when: response.toolCalls.exists(c, c.name == "transfer_funds")
    action: hold
    hold: { expiresIn: 7d }
    tests:
      - { name: yes, expect: match, response: { toolCalls: [{ name: transfer_funds }] } }
      - { name: no, expect: no-match, response: { toolCalls: [] } }
`;
const answer = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'gpt-4.1',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            id: 'call_1',
            type: 'function',
            function: { name: 'transfer_funds', arguments: '{"amount":25000,"to":"DE89"}' },
          },
        ],
      },
      finish_reason: 'tool_calls',
    },
  ],
});

const directory = mkdtempSync(join(tmpdir(), 'holdpoint-bench-holds-'));
const provider = createServer((req, res) => {
  req.resume().once('end', () => {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(answer);
  });
});
await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
const upstreamPort = (provider.address() as AddressInfo).port;

const configFile = join(directory, 'holdpoint.yaml');
const dataDir = join(directory, 'data');
writeFileSync(join(directory, 'policy.yaml'), policy);
const proxyPort = 20_000 + (process.pid % 10_000);
const controlUrl = `http://127.0.0.1:${proxyPort + 1}`;
writeFileSync(
  configFile,
  JSON.stringify({
    proxy: { listen: `127.0.0.1:${proxyPort}` },
    control: { listen: `127.0.0.1:${proxyPort + 1}` },
    data: { dir: dataDir },
    upstreams: { openai: { url: `http://127.0.0.1:${upstreamPort}`, protocol: 'openai', mount: '/' } },
    policy: { file: join(directory, 'policy.yaml') },
    log: { level: 'silent' },
  }),
);
const token = addToken(
  join(dataDir, 'tokens.json'),
  { name: 'ada', role: 'reviewer' },
  Date.now(),
  systemRandom,
);
const log = openSync(join(directory, 'log'), 'w');
let sidecar = await startRun(configFile, log);
const agent = new Agent({ connections: concurrency, headersTimeout: 0, bodyTimeout: 0 });

async function call(user: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const body = JSON.stringify({ model: 'gpt-4.1', user, messages: [{ role: 'user', content: 'Pay.' }] });
  const sent = { 'content-type': 'application/json', ...headers };
  const { statusCode, body: got } = await request(`${sidecar.url}/v1/chat/completions`, {
    dispatcher: agent,
    method: 'POST',
    headers: sent,
    body,
  });
  await got.dump();
  return statusCode;
}

async function control(path: string, body?: unknown): Promise<unknown> {
  const { statusCode, body: got } = await request(`${controlUrl}${path}`, {
    dispatcher: agent,
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await got.text();
  if (statusCode >= 300) throw new Error(`${path}: ${statusCode} ${text}`);
  return JSON.parse(text);
}

async function openHolds(): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const status = await call(`caller ${next}`, { prefer: 'respond-async' });
      if (status !== 202) throw new Error(`a held call was answered with ${status}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

const holdSchema = z.object({ id: z.string(), digest: z.string() });
const pageSchema = z.object({ items: z.array(holdSchema.extend({ caller: z.string() })), total: z.number() });
const eventSchema = z.object({ kind: z.string(), id: z.string() });

/** Ids of holds as they are opened, from the events; ends when `signal` says so. */
async function* opened(signal: AbortSignal): AsyncGenerator<string> {
  const { body } = await request(`${controlUrl}/api/v1/events`, {
    dispatcher: agent,
    headers: { authorization: `Bearer ${token}` },
  });
  let seen = '';
  signal.addEventListener('abort', () => body.destroy(), { once: true });
  for await (const chunk of untilAborted(body, signal)) {
    seen += String(chunk);
    const lines = seen.split('\n');
    seen = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue;
      const event = eventSchema.parse(JSON.parse(line.slice('data: '.length)));
      if (event.kind === 'opened') yield event.id;
    }
  }
}

async function* untilAborted(body: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<unknown> {
  try {
    yield* body;
  } catch (error) {
    // Cut off by us.
    if (!signal.aborted) throw error;
  }
}

async function rulingTimes(): Promise<number[]> {
  const enough = new AbortController();
  const events = opened(enough.signal);
  const times: number[] = [];
  let next = events.next();
  // Once the stream of events is there, nothing that is opened is missed.
  await control('/api/v1/whoami');
  for (let i = 0; i < rulings; i += 1) {
    const answered = call(`waiting ${i}`, {}).then((status) => ({ status, atMs: performance.now() }));
    const event = await next;
    next = events.next();
    const { id, digest } = holdSchema.parse(await control(`/api/v1/holds/${event.value}`));
    const fromMs = performance.now();
    await control(`/api/v1/holds/${id}/rulings`, { verdict: 'release', digest });
    const { status, atMs } = await answered;
    if (status !== 200) throw new Error(`a released call was answered with ${status}`);
    times.push(atMs - fromMs);
  }
  enough.abort();
  await next;
  return times.sort((a, b) => a - b);
}

async function pageTimes(): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < pages; i += 1) {
    const fromMs = performance.now();
    const { total } = pageSchema.parse(await control('/api/v1/holds?state=pending&limit=100'));
    times.push(performance.now() - fromMs);
    if (total < count) throw new Error(`${total} of ${count} holds are pending`);
  }
  return times;
}

function judge(what: string, value: number, max: number, unit: string): boolean {
  const ok = value <= max;
  process.stdout.write(
    `${what.padEnd(44)} ${value.toFixed(1).padStart(8)} ${unit} (at most ${max}) ${ok ? '' : 'TOO MUCH'}\n`,
  );
  return ok;
}

try {
  const fromMs = performance.now();
  await openHolds();
  process.stdout.write(`${count} holds opened in ${((performance.now() - fromMs) / 1000).toFixed(1)} s\n`);
  const paged = await pageTimes();
  const ruled = await rulingTimes();
  const verdicts = [
    judge('first page, the first time', paged[0] ?? Number.NaN, pageMsMax, 'ms'),
    judge('first page, later, slowest', Math.max(...paged.slice(1)), pageMsMax, 'ms'),
    judge('ruling to answer, p50', percentile(ruled, 0.5), rulingMsMax, 'ms'),
    judge('ruling to answer, p99', percentile(ruled, 0.99), rulingMsMax, 'ms'),
    judge('resident memory of the sidecar', rssMb(sidecar.pid), rssMbMax, 'MB'),
  ];
  await sidecar.stop();
  sidecar = await startRun(configFile, log);
  const [again = Number.NaN] = await pageTimes();
  verdicts.push(
    judge('first page after a restart, the first time', again, pageMsMax, 'ms'),
    judge('resident memory then', rssMb(sidecar.pid), rssMbMax, 'MB'),
  );
  if (verdicts.includes(false)) process.exitCode = 1;
} finally {
  await agent.destroy();
  await sidecar.stop();
  provider.close();
  rmSync(directory, { recursive: true, force: true });
}
