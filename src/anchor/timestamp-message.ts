/**
 * Requests and answers of RFC 3161, as far as a client acts on them: what was stamped and under which nonce. The
 * signature of a token is checked by `openssl ts -verify`, against the authority's certificate, and not here. Pure.
 *
 *     TimeStampReq  = { 1, { { sha256, NULL }, OCTET STRING }, nonce, certReq TRUE }
 *     TimeStampResp = { { status, ... }, ContentInfo { signedData, [0] { v, digests, { tstInfo, [0] OCTET STRING } ... } } }
 *     TSTInfo       = { 1, policy, { { algorithm }, OCTET STRING }, serial, GeneralizedTime, ..., nonce, ... }
 */
import { booleanTrue, nullValue, objectId, octetString, sequence, unsignedInteger } from '../core/der.ts';
import { readDer, readInside } from './der-reader.ts';

const sha256Oid = objectId('2.16.840.1.101.3.4.2.1');
const signedDataOid = objectId('1.2.840.113549.1.7.2').subarray(2);
const tstInfoOid = objectId('1.2.840.113549.1.9.16.1.4').subarray(2);
const tags = {
  integer: 0x02,
  octetString: 0x04,
  objectId: 0x06,
  generalizedTime: 0x18,
  sequence: 0x30,
  explicit0: 0xa0,
};

/** The request for a stamp over a SHA-256, with the authority's certificate in the answer. */
export function encodeTimestampRequest(digest: Buffer, nonce: Buffer): Buffer {
  return sequence(
    unsignedInteger(Buffer.of(1)),
    sequence(sequence(sha256Oid, nullValue), octetString(digest)),
    unsignedInteger(nonce),
    booleanTrue,
  );
}

export interface Timestamp {
  /** 0 granted, 1 granted with modifications, above that refused. */
  readonly status: number;
  readonly digest: Buffer;
  /** Without leading zeros. */
  readonly nonce: Buffer;
  /** As in the token, such as 20261126105704Z. */
  readonly time: string;
}

/** What an answer says; null when it is none. A refusal has no token: its other fields are empty. */
export function readTimestampAnswer(bytes: Buffer): Timestamp | null {
  const response = readInside(readDer(bytes), 0, tags.sequence);
  const [statusItem] = readInside(response, 0, tags.sequence) ?? [];
  if (statusItem?.tag !== tags.integer || statusItem.content.length !== 1) return null;
  const status = statusItem.content.readUInt8(0);
  if (status > 1) return { status, digest: Buffer.alloc(0), nonce: Buffer.alloc(0), time: '' };
  const contentInfo = readInside(response, 1, tags.sequence);
  const signedData = readInside(readInside(contentInfo, 1, tags.explicit0), 0, tags.sequence);
  const content = readInside(signedData, 2, tags.sequence);
  const [encapsulated] = readInside(content, 1, tags.explicit0) ?? [];
  const isToken =
    contentInfo?.[0]?.content.equals(signedDataOid) === true &&
    content?.[0]?.content.equals(tstInfoOid) === true &&
    encapsulated?.tag === tags.octetString;
  return isToken ? readTstInfo(status, encapsulated.content) : null;
}

function readTstInfo(status: number, bytes: Buffer): Timestamp | null {
  const info = readInside(readDer(bytes), 0, tags.sequence);
  const imprint = readInside(info, 2, tags.sequence);
  const [algorithm] = readInside(imprint, 0, tags.sequence) ?? [];
  const digest = imprint?.[1];
  const time = info?.[4];
  // After the time come accuracy and ordering, which are neither integers.
  const nonce = info?.slice(5).find(({ tag }) => tag === tags.integer);
  if (algorithm?.tag !== tags.objectId || !algorithm.content.equals(sha256Oid.subarray(2))) return null;
  if (digest?.tag !== tags.octetString || time?.tag !== tags.generalizedTime) return null;
  return {
    status,
    digest: digest.content,
    nonce: significant(nonce?.content ?? Buffer.alloc(0)),
    time: time.content.toString('latin1'),
  };
}

/** The octets of a number that is not negative, without leading zeros. */
export function significant(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start === -1 ? Buffer.alloc(0) : bytes.subarray(start);
}
