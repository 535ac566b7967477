/**
 * One HTTP message as bytes (`message/http`, RFC 9112): how an exchange is stored, shown and delivered again.
 * Headers travel as node:http's raw list (name, value, name, value, ...), order and case kept. Pure.
 */
import { gatewayConfigs, gatewayConfigWithout } from './gateway-config.ts';
import { remembered } from './remembered.ts';

export type RawHeaders = readonly string[];

export interface HttpMessage {
  /** `POST /v1/chat/completions HTTP/1.1` or `HTTP/1.1 200 OK`. */
  readonly startLine: string;
  readonly headers: RawHeaders;
  /** As received, with content coding, without transfer coding. */
  readonly body: Buffer;
}

/** Every HTTP/1.1 request has a Host (RFC 9112 section 3.2). */
export function lacksHost(request: {
  readonly httpVersion: string;
  readonly headers: { readonly host?: string | undefined };
}): boolean {
  return request.httpVersion === '1.1' && request.headers.host === undefined;
}

/** Stands in a stored message where a credential was. */
export const removedValue = '[removed]';

/** Carry credentials: their values are never stored. */
const secretHeaders = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'x-goog-upload-url',
  'x-goog-upload-control-url',
  'ocp-apim-subscription-key',
  'x-auth-token',
  'x-access-token',
  'cf-access-client-secret',
  'cf-access-token',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'sec-websocket-protocol',
  'openai-ephemeral-user-id',
]);

/** How gateways and whoever else name their own. */
const secretHeaderNames =
  /-(authorization|auth|api-?key|virtual-key|access-key(-id)?|(session|access|api|auth)-token|jwt|password|secret)$/;

/** Whether the values of a field of this name are never stored. */
export function isSecretHeader(lowerCaseName: string): boolean {
  return secretHeaders.has(lowerCaseName) || secretHeaderNames.test(lowerCaseName);
}

const secretQueryNames =
  /^(key|api[-_]?key|(.*[-_])?token|sig|signature|password|(.*[-_])?secret|credential|awsaccesskeyid|x-(amz|goog)-.*|upload_id|code)$/i;

/** Belong to one connection (RFC 9110 section 7.6.1): not forwarded in either direction. */
const hopByHopHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The message's bytes. */
export function encodeHttpMessage(message: HttpMessage): Buffer {
  const head = encodeHttpHead(message);
  const bytes = Buffer.allocUnsafe(head.length + message.body.length);
  message.body.copy(bytes, bytes.write(head, 'latin1'));
  return bytes;
}

/** What comes before the body, in Latin-1, as node:http reads headers, so that every byte comes back. */
export function encodeHttpHead({ startLine, headers }: Omit<HttpMessage, 'body'>): string {
  let head = `${startLine}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}

/** Reads what encodeHttpMessage wrote. Throws RangeError on anything else. */
export function decodeHttpMessage(bytes: Buffer): HttpMessage {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) throw new RangeError('An HTTP message without an end of its headers.');
  const [startLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(': ');
    if (colon === -1) throw new RangeError('An HTTP message with a malformed header line.');
    headers.push(line.slice(0, colon), line.slice(colon + 2));
  }
  return { startLine, headers, body: bytes.subarray(end + 4) };
}

/** The headers with the values of credentials taken out. */
export function withoutSecrets(headers: RawHeaders): string[] {
  const safe = headers.slice();
  for (let i = 0; i + 1 < safe.length; i += 2) {
    const secrecy = secrecyOf(safe[i] ?? '');
    if (secrecy === 'secret') safe[i + 1] = removedValue;
    else if (secrecy === 'address') safe[i + 1] = targetWithoutSecrets(safe[i + 1] ?? '');
    else if (secrecy === 'config') safe[i + 1] = gatewayConfigWithout(safe[i + 1] ?? '', removedValue);
  }
  return safe;
}

/** Servers that send a caller on repeat its query, and the key in it. */
const addressHeaders = new Set(['location', 'content-location', 'referer']);

/** What of a field's value is not stored: all of it, the keys in a gateway's config or in an address, nothing. */
const secrecyOf = remembered((name): 'secret' | 'address' | 'config' | 'none' => {
  const lower = name.toLowerCase();
  if (isSecretHeader(lower)) return 'secret';
  if (addressHeaders.has(lower)) return 'address';
  return gatewayConfigs.includes(lower) ? 'config' : 'none';
});

/** The headers with the value of one more taken out, which carries a credential here; `name` in lower case. */
export function withoutValueOf(name: string | undefined, headers: RawHeaders): RawHeaders {
  if (name === undefined || valuesOf(headers, name).length === 0) return headers;
  return headers.map((text, at) =>
    at % 2 === 1 && headers[at - 1]?.toLowerCase() === name ? removedValue : text,
  );
}

/** Stored headers as they go out: what is not stored of them is as `own` has it, and away where that has none. */
export function withSecretsOf(own: RawHeaders, stored: RawHeaders): string[] {
  const whole: string[] = [];
  const taken = new Map<string, number>();
  for (let i = 0; i + 1 < stored.length; i += 2) {
    const name = stored[i] ?? '';
    if (secrecyOf(name) === 'none') {
      whole.push(name, stored[i + 1] ?? '');
      continue;
    }
    const lower = name.toLowerCase();
    const place = taken.get(lower) ?? 0;
    taken.set(lower, place + 1);
    const value = valuesOf(own, lower)[place];
    if (value !== undefined) whole.push(name, value);
  }
  return whole;
}

/** A request target with the values of credential parameters taken out. */
export function targetWithoutSecrets(target: string): string {
  const mark = target.indexOf('?');
  if (mark === -1) return target;
  const pairs = target.slice(mark + 1).split('&');
  const safe = pairs.map((pair) => {
    const name = pair.split('=', 1)[0] ?? '';
    return secretQueryNames.test(decodeLoosely(name)) ? `${name}=${removedValue}` : pair;
  });
  return `${target.slice(0, mark)}?${safe.join('&')}`;
}

function decodeLoosely(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // Not percent-encoded text; compared as it stands.
    return name;
  }
}

/** The headers that go on to the next hop: all but hop-by-hop ones, those `Connection` names, and those `drop` names. */
export function endToEndHeaders(headers: RawHeaders, drop: (lowerCaseName: string) => boolean): string[] {
  const named = connectionNames(headers);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const lower = name.toLowerCase();
    if (!hopByHopHeaders.has(lower) && !named.has(lower) && !drop(lower))
      kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}

/**
 * What a message says of its own body, its sender or its way is not taken from behind it (RFC 9110 section 6.5.1), but
 * for the digest of a body that was not known before its end (RFC 9530 section 2).
 */
const notBehindBody = /^(content-(?!digest$).*|host|set-cookie|holdpoint-.*)$/;

/** The fields that came behind a body, as far as they go on. */
export function endToEndTrailers(trailers: RawHeaders): string[] {
  return endToEndHeaders(trailers, (name) => notBehindBody.test(name));
}

/** The last field of a message of which only the beginning is stored. */
export const wholeBodyHeader = 'holdpoint-whole-body';

/** A stored message without the `count` fields that came behind its body, and those. */
export function splitTrailers(
  message: HttpMessage,
  count: number,
): { readonly message: HttpMessage; readonly trailers: RawHeaders } {
  if (count === 0) return { message, trailers: [] };
  const { headers } = message;
  const end = headers.at(-2) === wholeBodyHeader ? headers.length - 2 : headers.length;
  const begin = Math.max(0, end - 2 * count);
  const own = [...headers.slice(0, begin), ...headers.slice(end)];
  return { message: { ...message, headers: own }, trailers: headers.slice(begin, end) };
}

const noNames: ReadonlySet<string> = new Set();

/** The headers that `Connection` keeps to this hop, in lower case (RFC 9110 section 7.6.1). */
export function connectionNames(headers: RawHeaders): ReadonlySet<string> {
  const values = valuesOf(headers, 'connection');
  // What clients send nearly always names no header, and is asked for several times in a call.
  if (values.every(isOption)) return noNames;
  return new Set(
    values.flatMap((value) =>
      value
        .toLowerCase()
        .split(',')
        .map((name) => name.trim()),
    ),
  );
}

function isOption(value: string): boolean {
  return value === 'keep-alive' || value === 'close';
}

/** All values of a header; `name` in lower case. */
export function valuesOf(headers: RawHeaders, name: string): readonly string[] {
  // Each call asks its headers dozens of times, and mostly for what is there once or not at all.
  let values: string[] | null = null;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isNamed(headers[i], name)) continue;
    const value = headers[i + 1] ?? '';
    if (values === null) values = [value];
    else values.push(value);
  }
  return values ?? noValues;
}

const noValues: readonly string[] = [];

function isNamed(header: string | undefined, lowerCaseName: string): boolean {
  if (header === lowerCaseName) return true;
  return header?.length === lowerCaseName.length && header.toLowerCase() === lowerCaseName;
}

/** The fields without which a body's bytes say nothing. */
const bodyFields = ['content-type', 'content-encoding'] as const;

/** Their bytes below 0x80 are what they are in UTF-8, so that a text has the same structure whoever reads it as which. */
const plainCharset = /^(utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|latin-?1|windows-125\d)$/i;
const charsetParameter = /;\s*charset\s*=\s*"?([^";\s]*)/gi;

/**
 * Why readers may take the body for different things: one of these fields is there more than once, or goes no further
 * than this connection, or names a charset in which a quotation mark may be part of something else to who heeds it (many
 * clients, and servers on Spring or .NET). '' where there is one reading.
 */
export function bodyFieldDoubt(headers: RawHeaders): string {
  const repeated = bodyFields.find((name) => valuesOf(headers, name).length > 1);
  if (repeated !== undefined) return `there is more than one ${repeated} header`;
  const type = headerOf(headers, 'content-type');
  // Most types have no parameter, and each call is asked for its own and its answer's several times.
  const charsets = type.includes(';') ? type.matchAll(charsetParameter) : [];
  for (const [, charset = ''] of charsets)
    if (!plainCharset.test(charset)) return `the content-type names the charset ${JSON.stringify(charset)}`;
  const staying = connectionNames(headers);
  const kept = bodyFields.find((name) => staying.has(name));
  return kept === undefined ? '' : `the connection keeps the ${kept} header to itself`;
}

/** The first value of a header, or ''. */
export function headerOf(headers: RawHeaders, name: string): string {
  for (let i = 0; i + 1 < headers.length; i += 2) if (isNamed(headers[i], name)) return headers[i + 1] ?? '';
  return '';
}

/** A reason phrase as node:http takes it, one character for each byte: undici reads it as UTF-8. */
export function reasonOf(statusText: string): string {
  // Nearly all of them are plain, and every answer has one.
  if (plainReason.test(statusText)) return statusText;
  return sendableReason(Buffer.from(statusText, 'utf8').toString('latin1'));
}

/** What no phrase may have in it (RFC 9112 section 4) becomes a space; node:http would throw instead. */
export function sendableReason(latin1: string): string {
  return latin1.replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ');
}

const plainReason = /^[\t\x20-\x7e]*$/;
