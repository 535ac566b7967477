/** Results of 120 MB: every line judged and sealed, bytes exact, memory bounded. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { type SidecarProcess, spawnSidecar } from '../support/sidecar.ts';
import { chatText } from './answers.ts';
import { holdTransfers } from './policies.ts';

const words = 'word '.repeat(2_400);
const lineOf = (i: number): string =>
  `${JSON.stringify({
    custom_id: `a${i}`,
    response: { status_code: 200, body: JSON.parse(chatText(`${i} ${words}`)) },
    error: null,
  })}\n`;
/** What may be in memory as a whole, the lines that are being judged and sealed, and what waits to be collected. */
const grownMbMax = 220;

let sidecar: SidecarProcess;

beforeAll(async () => {
  const server = createServer(async (req, res) => {
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
  // What the first file loads and compiles is not growth.
  await download(100);
});
afterAll(endAll);

/** The largest resident size the process ever had, in MB. */
function peakMb(): number {
  const status = readFileSync(`/proc/${sidecar.pid}/status`, 'latin1');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

async function download(lines: number): Promise<{ status: number; sha256: string }> {
  const req = request(`${sidecar.proxyUrl}/v1/files/file-1/content?lines=${lines}`).end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const hash = createHash('sha256');
  for await (const chunk of res) hash.update(chunk as Buffer);
  return { status: res.statusCode ?? 0, sha256: hash.digest('hex') };
}

test('a file of 120 MB arrives exactly after all of its lines were judged, and the sidecar grows by less than 220 MB', async () => {
  const before = peakMb();
  const lines = 10_000;
  const expected = createHash('sha256');
  for (let i = 0; i < lines; i++) expected.update(lineOf(i));
  expect(await download(lines)).toEqual({ status: 200, sha256: expected.digest('hex') });
  const { entries } = await sidecar.ada.lastDecision();
  expect(entries[0]?.data).toMatchObject({ line: lines });
  expect(peakMb() - before).toBeLessThan(grownMbMax);
});
