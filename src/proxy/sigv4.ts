/**
 * Signs requests to Amazon with the sidecar's own credentials (AWS Signature Version 4,
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html): a signature covers host and path, so that
 * of a workload which called the sidecar is worth nothing at the provider. The only importer of
 * `@smithy/signature-v4`. Credentials are never logged or stored.
 */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { sha256Hex } from '../core/bytes.ts';
import type { RawHeaders } from '../core/http-message.ts';
import type { OutgoingRequest } from './forward.ts';

/** For whom a signature is made. */
export interface SigningScope {
  readonly service: string;
  readonly region: string;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The request as it goes out: with our signature, and without any that the workload gave it. */
export type SignRequest = (request: OutgoingRequest) => Promise<OutgoingRequest>;

/** What the workload's signature consists of. */
const signatureHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-region-set',
]);
const signatureParameters =
  /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|region-set)$/i;

/** Only these are signed: what a hop on the way may still change is left alone. */
function isSigned(name: string): boolean {
  return name === 'content-type' || name.startsWith('x-amz-');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded text; it is signed as it stands.
    return text;
  }
}

/** The pairs of a query as they stand, without those of a signature in the URL. */
function pairsOf(query: string): readonly string[] {
  const pairs = query === '' ? [] : query.split('&');
  return pairs.filter((pair) => !signatureParameters.test(decoded(pair.split('=', 1)[0] ?? '')));
}

function queryOf(pairs: readonly string[]): Record<string, string[]> {
  const query: Record<string, string[]> = Object.create(null);
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decoded(equals === -1 ? pair : pair.slice(0, equals));
    const values = query[name] ?? [];
    values.push(equals === -1 ? '' : decoded(pair.slice(equals + 1)));
    query[name] = values;
  }
  return query;
}

function signedHeadersOf(headers: RawHeaders): Record<string, string> {
  const signed: Record<string, string> = {};
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase();
    if (!isSigned(name)) continue;
    const value = headers[i + 1] ?? '';
    signed[name] = signed[name] === undefined ? value : `${signed[name]},${value}`;
  }
  return signed;
}

function withoutSignature(headers: RawHeaders): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!signatureHeaders.has(name.toLowerCase())) kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}

/** Opens a signer with the credentials that `current` gives for each request. Path and body go out as they are; only the signature's own headers and parameters change. */
export function createSigner(
  { service, region }: SigningScope,
  current: () => AwsCredentials,
  nowMs: () => number,
): SignRequest {
  const signer = new SignatureV4({ service, region, credentials: async () => current(), sha256: Sha256 });
  return async (request) => {
    const { protocol, host, hostname } = new URL(request.origin);
    const mark = request.path.indexOf('?');
    const path = mark === -1 ? request.path : request.path.slice(0, mark);
    const pairs = mark === -1 ? [] : pairsOf(request.path.slice(mark + 1));
    const kept = withoutSignature(request.headers);
    const digest = request.body.spool?.sha256 ?? sha256Hex(request.body.head);
    const { headers } = await signer.sign(
      {
        protocol,
        hostname,
        method: request.method,
        path,
        query: queryOf(pairs),
        headers: { ...signedHeadersOf(kept), host, 'x-amz-content-sha256': digest },
      },
      { signingDate: new Date(nowMs()) },
    );
    for (const name of signatureHeaders) {
      const value = headers[name];
      if (value !== undefined) kept.push(name, value);
    }
    return { ...request, path: pairs.length === 0 ? path : `${path}?${pairs.join('&')}`, headers: kept };
  };
}
