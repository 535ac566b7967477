/**
 * Checks an AWS signature as the service would: from the request as it was received, with nothing but hashes.
 * Written from the specification; shares no code with what signs.
 */
import { createHash, createHmac } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  readonly target: string;
  /** Request line and header lines. */
  readonly head: string;
  readonly body: Buffer;
}

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Every byte but letters, digits and -._~ as %XX. */
function encoded(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9._~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function canonicalQuery(query: string): string {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return `${encoded(decodeURIComponent(name))}=${encoded(decodeURIComponent(value.join('=')))}`;
    })
    .sort()
    .join('&');
}

/** The values of a header, as a service reads them. */
export function headerIn(request: SignedRequest, name: string): string {
  const lines = request.head.split('\r\n').slice(1);
  const values = lines
    .filter((line) => line.slice(0, line.indexOf(':')).toLowerCase() === name)
    .map((line) =>
      line
        .slice(line.indexOf(':') + 1)
        .trim()
        .replace(/ +/g, ' '),
    );
  return values.join(',');
}

/** Why the service would refuse the request; '' when it would not. */
export function signatureDefect(request: SignedRequest, accessKeyId: string, secret: string): string {
  const authorization = headerIn(request, 'authorization');
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (found === null) return `no signature: ${authorization}`;
  const [, keyId = '', day = '', region = '', service = '', signed = '', signature] = found;
  if (keyId !== accessKeyId) return `signed by ${keyId}`;
  const digest = headerIn(request, 'x-amz-content-sha256');
  if (digest !== '' && digest !== sha256(request.body)) return 'the digest is not that of the body';
  const names = signed.split(';');
  const given = request.head
    .split('\r\n')
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
  const unsigned = given.find(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !names.includes(name),
  );
  if (unsigned !== undefined) return `${unsigned} is not signed`;
  const mark = request.target.indexOf('?');
  const path = mark === -1 ? request.target : request.target.slice(0, mark);
  const canonical = [
    request.method,
    path.split('/').map(encoded).join('/'),
    canonicalQuery(mark === -1 ? '' : request.target.slice(mark + 1)),
    ...names.map((name) => `${name}:${headerIn(request, name)}`),
    '',
    signed,
    sha256(request.body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', headerIn(request, 'x-amz-date'), scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, text).toString('hex') === signature ? '' : 'the signature does not match';
}
