/** 500 MB either way: bytes exact, memory bounded. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkUpstream, bulkHash, startBulkUpstream } from '../support/bulk-upstream.ts';
import { endAll } from '../support/endings.ts';
import { type SidecarProcess, spawnSidecar } from '../support/sidecar.ts';

const pieceBytes = 64 * 1024;
const pieces = 8_000;
const grownMbMax = 64;

let upstream: BulkUpstream;
let sidecar: SidecarProcess;

beforeAll(async () => {
  upstream = await startBulkUpstream();
  sidecar = await spawnSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
  // What the first bodies load and compile is not growth.
  await download(64);
  await upload(64);
});
afterAll(endAll);

/** The largest resident size the process ever had, in MB. */
function peakMb(): number {
  const status = readFileSync(`/proc/${sidecar.pid}/status`, 'latin1');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

function download(count: number): Promise<{ bytes: number; sha256: string }> {
  return new Promise((resolve, reject) => {
    request(`${sidecar.proxyUrl}/v1/blobs?pieces=${count}`, (res) => {
      const hash = createHash('sha256');
      let bytes = 0;
      res.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        hash.update(chunk);
      });
      res.on('end', () => resolve({ bytes, sha256: hash.digest('hex') }));
      res.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

function upload(count: number): Promise<{ status: number; sha256: string }> {
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    const req = request(
      `${sidecar.proxyUrl}/v1/blobs`,
      { method: 'POST', headers: { 'content-length': count * pieceBytes } },
      (res) => {
        res.resume();
        res.on('end', () => resolve({ status: res.statusCode ?? 0, sha256: hash.digest('hex') }));
      },
    ).on('error', reject);
    const write = (from: number): void => {
      for (let i = from; i < count; i++) {
        const piece = Buffer.alloc(pieceBytes, `up-${i}`);
        hash.update(piece);
        if (!req.write(piece)) {
          req.once('drain', () => write(i + 1));
          return;
        }
      }
      req.end();
    };
    write(0);
  });
}

test('an answer of 500 MB arrives exactly, and the sidecar grows by less than 64 MB', async () => {
  const before = peakMb();
  const { bytes, sha256 } = await download(pieces);
  expect(bytes).toBe(pieces * pieceBytes);
  expect(sha256).toBe(bulkHash(pieces));
  expect(peakMb() - before).toBeLessThan(grownMbMax);
}, 120_000);

test('an upload of 500 MB arrives exactly, and the sidecar grows by less than 64 MB', async () => {
  const before = peakMb();
  const { status, sha256 } = await upload(pieces);
  expect(status).toBe(200);
  expect(upstream.uploaded()).toMatchObject({ bytes: pieces * pieceBytes, sha256 });
  expect(peakMb() - before).toBeLessThan(grownMbMax);
}, 120_000);
