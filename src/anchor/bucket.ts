/**
 * An S3-compatible bucket with object lock as an anchor: each note is an object that nobody can delete or replace
 * until its date has passed, whatever keys they hold (mode COMPLIANCE). Requests are signed with AWS Signature
 * Version 4. What was put is looked at again, because a server that knows nothing of locks takes the headers too.
 */
import { createHash } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { sha256Hex } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import type { Egress } from '../core/egress.ts';
import { type Anchor, anchorFailed, type Checkpoint } from './anchor.ts';
import { type AnchorHead, type AnchorRequest, ask } from './http.ts';

export interface BucketOptions {
  readonly name: string;
  /** The bucket: its name in the host, or the first step of the path. */
  readonly url: string;
  readonly region: string;
  /** '' or ends with a slash. */
  readonly prefix: string;
  readonly retainDays: number;
  /** Those of now: what rotates them needs no restart. */
  readonly credentials: () => {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly clock: Clock;
  readonly egress: Egress;
}

const answerBytesMax = 64 * 1024;
const msPerDay = 24 * 3_600_000;
/** Servers may keep dates to the second. */
const datePrecisionMs = 1_000;

export function openBucketAnchor(options: BucketOptions): Anchor {
  const { name, url, region, credentials, clock } = options;
  const signer = new SignatureV4({
    service: 's3',
    region,
    credentials: async () => credentials(),
    sha256: Sha256,
    // S3 signs the path as it is sent, unlike every other service.
    uriEscapePath: false,
  });
  const base = new URL(url);
  const basePath = base.pathname.replace(/\/+$/, '');

  async function send(
    method: 'PUT' | 'HEAD',
    key: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<AnchorHead> {
    const target = new URL(base);
    target.pathname = `${basePath}/${key}`;
    const { host, protocol, hostname } = target;
    const path = target.pathname;
    const digest = { 'x-amz-content-sha256': sha256Hex(body) };
    const signed = await signer.sign(
      { method, protocol, hostname, path, query: {}, headers: { ...headers, ...digest, host } },
      { signingDate: new Date(clock.nowMs()) },
    );
    const { host: _host, ...sent } = signed.headers;
    const request: AnchorRequest = { method, url: target, headers: sent };
    return ask(
      method === 'PUT' ? { ...request, body: new Uint8Array(body) } : request,
      answerBytesMax,
      signal,
      options.egress,
    );
  }

  async function requireLocked(key: string, untilMs: number, signal: AbortSignal): Promise<void> {
    const { status, header } = await send('HEAD', key, {}, Buffer.alloc(0), signal);
    const isKept = Date.parse(header('x-amz-object-lock-retain-until-date')) >= untilMs - datePrecisionMs;
    if (status === 200 && header('x-amz-object-lock-mode') === 'COMPLIANCE' && isKept) return;
    throw anchorFailed(
      `${name} took the object but does not say that it is locked (${status}): the bucket needs object lock, and the credentials s3:GetObject and s3:GetObjectRetention.`,
    );
  }

  return {
    name,
    kind: 'bucket',
    send: async (checkpoint, _from, signal) => {
      const key = `${options.prefix}${keyOf(checkpoint)}`;
      const untilMs = clock.nowMs() + options.retainDays * msPerDay;
      const headers = {
        'content-type': 'text/plain; charset=utf-8',
        // S3 takes no locked object without a digest of its own kind.
        'content-md5': createHash('md5').update(checkpoint.note).digest('base64'),
        'x-amz-object-lock-mode': 'COMPLIANCE',
        'x-amz-object-lock-retain-until-date': new Date(untilMs).toISOString(),
      };
      const { status } = await send('PUT', key, headers, checkpoint.note, signal);
      if (status !== 200) throw anchorFailed(`${name} answered a PUT with ${status}.`);
      await requireLocked(key, untilMs, signal);
      return { text: key, files: [] };
    },
  };
}

/** Sorts by size; two histories of one size are two objects. */
function keyOf({ origin, size, root }: Checkpoint): string {
  return `${origin.replace(/[^A-Za-z0-9._-]/g, '-')}/${String(size).padStart(16, '0')}-${root.toString('hex', 0, 8)}.checkpoint`;
}
