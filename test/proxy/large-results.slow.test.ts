/**
 * Results of 120 MB: every line judged and sealed, bytes exact, memory bounded. Measured in a sidecar that has served
 * calls before, as V8 makes room for short-lived objects under any load, and keeps it.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { type SidecarProcess, spawnSidecar } from '../support/sidecar.ts';
import { chatRequest, chatText } from './answers.ts';
import { holdTransfers } from './policies.ts';

const words = 'word '.repeat(2_400);
const lineOf = (i: number): string =>
  `${JSON.stringify({
    custom_id: `a${i}`,
    response: { status_code: 200, body: JSON.parse(chatText(`${i} ${words}`)) },
    error: null,
  })}\n`;
/** The lines that are being judged and sealed, and what waits to be collected. */
const grownMbMax = 64;
const callsInRound = 2_000;
const callsAtOnce = 16;
const roundsMax = 10;
/** A round of calls that adds less than this found the sidecar as it stays. */
const settledMb = 4;

let sidecar: SidecarProcess;

beforeAll(async () => {
  const server = createServer(async (req, res) => {
    if (req.method === 'POST') {
      req.resume();
      res.writeHead(200, { 'content-type': 'application/json' }).end(chatText(words));
      return;
    }
    const lines = Number(new URL(req.url ?? '/', 'http://upstream').searchParams.get('lines'));
    res.writeHead(200, { 'content-type': 'application/octet-stream' });
    for (let i = 0; i < lines; i++) if (!res.write(lineOf(i))) await once(res, 'drain');
    res.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const openai = { url, protocol: 'openai', mount: '/' } as const;
  sidecar = await spawnSidecar({ policy: holdTransfers, upstreams: { openai } });
  // What the first file loads and compiles is not growth, nor is what calls of the same size take.
  await download(100);
  let before = 0;
  for (let round = 0; round < roundsMax && peakMb() - before > settledMb; round += 1) {
    before = peakMb();
    await manyCalls();
  }
}, 300_000);
// The sidecar's own files of a gigabyte are removed then.
afterAll(endAll, 120_000);

/** The largest resident size the process ever had, in MB. */
function peakMb(): number {
  const status = readFileSync(`/proc/${sidecar.pid}/status`, 'latin1');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

async function manyCalls(): Promise<void> {
  let calls = 0;
  const caller = async (): Promise<void> => {
    while (calls < callsInRound) {
      calls += 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: callsAtOnce }, caller));
}

async function call(): Promise<void> {
  const body = chatRequest({ user: words });
  const answer = await fetch(`${sidecar.proxyUrl}/v1/chat/completions`, { method: 'POST', body });
  expect([answer.status, (await answer.text()).length]).toEqual([200, chatText(words).length]);
}

async function download(lines: number): Promise<{ status: number; sha256: string }> {
  const req = request(`${sidecar.proxyUrl}/v1/files/file-1/content?lines=${lines}`).end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const hash = createHash('sha256');
  for await (const chunk of res) hash.update(chunk as Buffer);
  return { status: res.statusCode ?? 0, sha256: hash.digest('hex') };
}

test('a file of 120 MB arrives exactly after all of its lines were judged, and the sidecar grows by less than 64 MB', async () => {
  const before = peakMb();
  const lines = 10_000;
  const expected = createHash('sha256');
  for (let i = 0; i < lines; i++) expected.update(lineOf(i));
  expect(await download(lines)).toEqual({ status: 200, sha256: expected.digest('hex') });
  const { entries } = await sidecar.ada.lastDecision();
  expect(entries[0]?.data).toMatchObject({ line: lines });
  expect(peakMb() - before).toBeLessThan(grownMbMax);
});
