/**
 * A bucket with object lock as an anchor, against a strict stand-in for S3: it checks the signature by its own reading
 * of the specification, wants a digest with a lock as S3 does, and lets nobody replace or delete what is locked.
 * No S3-compatible server can be had where these tests run.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBucketAnchor } from '../../src/anchor/bucket.ts';
import { noProxy } from '../../src/core/egress.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { headerIn, type SignedRequest, signatureDefect } from '../support/aws-signature.ts';
import { endAll } from '../support/endings.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { call, codesOf, upstreams } from './scene.ts';

const accessKeyId = 'AKIDEXAMPLE';
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const day = 24 * 3_600_000;

interface Stored {
  readonly body: Buffer;
  readonly mode: string;
  readonly until: string;
}
interface Store {
  readonly server: Server;
  readonly objects: Map<string, Stored>;
  readonly defects: string[];
  locks: boolean;
  status: number;
}

let store: Store;
let url: string;
beforeEach(async () => {
  const objects = new Map<string, Stored>();
  const defects: string[] = [];
  const settings = { locks: true, status: 200 };
  const server = createServer(async (req, res) => {
    const request = await received(req);
    const defect = signatureDefect(request, accessKeyId, secretAccessKey);
    if (defect !== '' || headerIn(request, 'x-amz-content-sha256') === '') {
      defects.push(defect === '' ? 'no x-amz-content-sha256' : defect);
      return res.writeHead(403).end();
    }
    const object = objects.get(request.target);
    if (request.method === 'HEAD') {
      if (object === undefined) return res.writeHead(404).end();
      const lock = {
        'x-amz-object-lock-mode': object.mode,
        'x-amz-object-lock-retain-until-date': object.until,
      };
      return res.writeHead(200, settings.locks ? lock : {}).end();
    }
    const digest = createHash('md5').update(request.body).digest('base64');
    if (request.method !== 'PUT' || headerIn(request, 'content-md5') !== digest)
      return res.writeHead(400).end();
    if (object !== undefined && !object.body.equals(request.body)) return res.writeHead(403).end();
    const mode = headerIn(request, 'x-amz-object-lock-mode');
    const until = headerIn(request, 'x-amz-object-lock-retain-until-date');
    if (settings.status === 200) objects.set(request.target, { body: request.body, mode, until });
    res.writeHead(settings.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/anchors`;
  store = Object.assign(settings, { server, objects, defects });
});
afterEach(async () => {
  await endAll();
  await new Promise((resolve) => store.server.close(resolve));
});

async function received(req: IncomingMessage): Promise<SignedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const pairs = req.rawHeaders.flatMap((name, i) =>
    i % 2 === 0 ? [`${name}: ${req.rawHeaders[i + 1]}`] : [],
  );
  const target = req.url ?? '';
  const method = req.method ?? '';
  return {
    method,
    target,
    head: [`${method} ${target} HTTP/1.1`, ...pairs].join('\r\n'),
    body: Buffer.concat(chunks),
  };
}

const nowMs = Date.UTC(2026, 10, 26, 11);
const checkpoint = (fill = 1) => ({
  origin: 'holdpoint/00ff',
  size: 42,
  root: Buffer.alloc(32, fill),
  note: Buffer.from(`a note ${fill}\n`),
});
const send = (secret = secretAccessKey, fill = 1) =>
  openBucketAnchor({
    name: 'b',
    url,
    region: 'eu-central-1',
    prefix: 'holdpoint/',
    retainDays: 30,
    credentials: () => ({ accessKeyId, secretAccessKey: secret }),
    clock: { nowMs: () => nowMs, monoUs: () => 0 },
    egress: noProxy,
  }).send(checkpoint(fill), 0, new AbortController().signal);

describe('a bucket with object lock', () => {
  it('is put the note, signed, locked in mode COMPLIANCE until its date', async () => {
    const { text } = await send();
    expect(text).toBe('holdpoint/holdpoint-00ff/0000000000000042-0101010101010101.checkpoint');
    expect(store.defects).toEqual([]);
    expect(store.objects.get(`/anchors/${text}`)).toEqual({
      body: checkpoint().note,
      mode: 'COMPLIANCE',
      until: new Date(nowMs + 30 * day).toISOString(),
    });
  });

  it('takes the same note again, and another history of that size is another object', async () => {
    const first = await send();
    expect(await send()).toEqual(first);
    expect((await send(secretAccessKey, 2)).text).not.toBe(first.text);
    expect(store.objects.size).toBe(2);
  });

  it('that does not lock is no anchor, though it takes the object', async () => {
    store.locks = false;
    await expect(send()).rejects.toMatchObject({
      code: 'anchor_failed',
      message: expect.stringMatching(/object lock/),
    });
  });

  it('with another secret is refused', async () => {
    await expect(send('other')).rejects.toMatchObject({
      code: 'anchor_failed',
      message: expect.stringMatching(/403/),
    });
    expect(store.defects).toEqual(['the signature does not match']);
  });

  it('that fails is a failure', async () => {
    store.status = 503;
    await expect(send()).rejects.toMatchObject({ code: 'anchor_failed' });
  });

  it('holds what raises the verdict to ANCHORED', async () => {
    const anchors = { everyMs: 60_000, to: { b: { kind: 'bucket', url, region: 'eu-central-1' } } };
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const sidecar = await startTestSidecar({ upstreams: await upstreams(), anchors, env });
    await call(sidecar.proxyUrl);
    await sidecar.stop();
    const newest = [...store.objects.keys()].sort().at(-1) ?? '';
    const note = store.objects.get(newest)?.body.toString('utf8') ?? '';
    const kept = `${sidecar.place.directory}/kept.note`;
    writeFileSync(kept, note);
    const verdict = await verifyDirectory(sidecar.place.dataDir, { checkpoint: kept });
    expect([verdict.assurance, codesOf(verdict)]).toEqual(['ANCHORED', []]);
  });

  it('without credentials stops the start', async () => {
    const anchors = { to: { b: { kind: 'bucket', url, region: 'eu-central-1' } } };
    const settings = { upstreams: await upstreams(), anchors };
    await expect(startTestSidecar(settings)).rejects.toThrow(
      /anchors\.to\.b: the environment has no AWS_ACCESS_KEY_ID/,
    );
  });
});
