/**
 * A message's body as it is stored: without the credentials that its API takes or hands out in it. What is forwarded
 * and delivered stays as it came; the commitment, and a ruling by its digest, is over what is stored.
 */
import { decodeContent } from '../core/content-coding.ts';
import { headerOf, type RawHeaders, removedValue } from '../core/http-message.ts';
import {
  type Redaction,
  withoutAnswerSecrets,
  withoutRequestSecrets,
} from '../provider/reading/secret-members.ts';

export interface StoredBody {
  readonly headers: RawHeaders;
  readonly body: Buffer;
  /** How many values stand in it as `[removed]`; where there is one, the coding is undone. */
  readonly removed: number;
}

/** A request's body to be stored; `head` may be its beginning alone. */
export function storedRequest(
  path: string,
  headers: RawHeaders,
  head: Buffer,
  decodedBytesMax: number,
): StoredBody {
  const boundary = boundaryOf(headerOf(headers, 'content-type'));
  const without = (plain: Buffer): Redaction => withoutRequestSecrets(path, plain, removedValue);
  return stored(headers, head, decodedBytesMax, (plain) =>
    boundary === null ? without(plain) : eachPart(plain, boundary, without),
  );
}

/** Sound and pictures carry no members. */
const withoutMembersType = /^\s*(?:audio|image|video)\//i;

/** An answer's body to be stored; `plain` where its coding is undone already. */
export function storedAnswer(
  path: string,
  headers: RawHeaders,
  body: Buffer,
  plain: Buffer | null,
  decodedBytesMax: number,
): StoredBody {
  if (withoutMembersType.test(headerOf(headers, 'content-type'))) return storedWhole(headers, body);
  const without = (read: Buffer): Redaction => withoutAnswerSecrets(path, read, removedValue);
  return stored(headers, body, decodedBytesMax, without, plain);
}

/** A body with nothing in it that was taken out. */
export function storedWhole(headers: RawHeaders, body: Buffer): StoredBody {
  return { headers, body, removed: 0 };
}

function stored(
  headers: RawHeaders,
  body: Buffer,
  decodedBytesMax: number,
  without: (plain: Buffer) => Redaction,
  undone: Buffer | null = null,
): StoredBody {
  const coding = headerOf(headers, 'content-encoding');
  const plain = undone ?? (coding === '' ? body : decoded(coding, body, decodedBytesMax));
  const { bytes, removed } = without(plain);
  if (removed === 0) return { headers, body, removed };
  const kept = coding === '' ? headers : withoutCoding(headers);
  return { headers: kept, body: bytes, removed };
}

function decoded(coding: string, body: Buffer, decodedBytesMax: number): Buffer {
  try {
    return decodeContent(coding, body, decodedBytesMax);
  } catch {
    // Nobody can read it, so no rule lets it pass; its bytes are stored as the reason.
    return Buffer.alloc(0);
  }
}

function withoutCoding(headers: RawHeaders): RawHeaders {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.toLowerCase() !== 'content-encoding') kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}

const boundaryCharactersMax = 70;

/** The boundary that a content type names, however it is written: a form that is refused is stored all the same. */
function boundaryOf(contentType: string): string | null {
  if (!/^\s*multipart\/form-data\s*;/i.test(contentType)) return null;
  const match = /;\s*boundary\s*=\s*(?:"([^"]*)"|([^;\s]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? '';
  return boundary !== '' && boundary.length <= boundaryCharactersMax ? boundary : null;
}

/** Parts that are no JSON must not hide those after them. */
function eachPart(body: Buffer, boundary: string, without: (part: Buffer) => Redaction): Redaction {
  const delimiter = Buffer.from(`\n--${boundary}`, 'latin1');
  const pieces: Buffer[] = [];
  let removed = 0;
  for (let start = 0; start < body.length; ) {
    const found = body.indexOf(delimiter, start + 1);
    const end = found === -1 ? body.length : found;
    const part = without(body.subarray(start, end));
    pieces.push(part.bytes);
    removed += part.removed;
    start = end;
  }
  return removed === 0 ? { bytes: body, removed } : { bytes: Buffer.concat(pieces), removed };
}
