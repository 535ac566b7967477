/** What is sealed of an exchange: the leaf's data and the message kept beside it. Content never enters a leaf. */
import {
  encodeHttpHead,
  encodeHttpMessage,
  headerOf,
  type RawHeaders,
  targetWithoutSecrets,
  wholeBodyHeader,
  withoutSecrets,
} from '../core/http-message.ts';
import type { Draft } from '../ledger/sealer.ts';
import type { PartContent } from '../ledger/vault.ts';
import type { Judgement, Policy } from '../policy/policy.ts';
import type { StreamForm } from '../provider/protocol.ts';
import { socketBodyType } from '../provider/realtime/body.ts';
import { answerLeaf, type JudgedAnswer, requestLeaf } from '../record/leaf-data.ts';
import type { Call, UpgradeCall } from './call.ts';
import type { JudgedFile } from './judged-files.ts';
import type { KnownCall } from './let-through.ts';
import type { StoredBody } from './stored-body.ts';

/** The intent: who asks what of whom, and what the rules said. */
export function requestDraft(
  call: Call | UpgradeCall,
  judgement: Judgement,
  policy: Policy,
  fingerprint: (text: string) => string,
): Draft {
  const { spool, bytes } = call.body;
  const { headers, body, removed } = call.stored;
  const data = requestLeaf(call, call.facts, bytes, judgement, policy, fingerprint);
  const startLine = `${call.method} ${targetWithoutSecrets(call.target)} HTTP/1.1`;
  if (spool !== null) data['stored'] = body.length;
  if (claimsSocketBody(call.headers)) data['carrier'] = 'http';
  if (removed > 0) data['removed'] = removed;
  const message = storedMessage(startLine, headers, body, bytes, spool?.sha256 ?? null);
  return { type: 'request', data, parts: [{ name: 'request', ...message }] };
}

export interface SealedAnswer extends JudgedAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly string[];
  /** The request went out twice; absent where it did not. */
  readonly resent?: boolean;
  /** Fields that came behind the body; absent for none. */
  readonly trailers?: RawHeaders;
  readonly stored: StoredBody;
  readonly bytes: number;
  /** Of all of it, where only a beginning is stored. */
  readonly sha256: string | null;
  readonly form: StreamForm | null;
  /** Calls that were not judged, because their reader has them; absent for none. */
  readonly known?: readonly KnownCall[];
  /** The file that this answer gave its id, whose requests were judged; absent for none. */
  readonly file?: JudgedFile | null;
}

/** The answer as it came, and what the rules said. */
export function responseDraft(decision: number, answer: SealedAnswer): Draft {
  const data = answerLeaf(decision, answer, answer.bytes, answer.form !== null);
  const startLine = `HTTP/1.1 ${answer.status} ${answer.statusText}`;
  const { headers, body, removed } = answer.stored;
  if (answer.sha256 !== null) data['stored'] = body.length;
  if (answer.resent === true) data['resent'] = true;
  if (answer.known !== undefined && answer.known.length > 0) data['known'] = answer.known;
  if (answer.file) data['file'] = { ...answer.file };
  if (claimsSocketBody(answer.headers)) data['carrier'] = 'http';
  if (removed > 0) data['removed'] = removed;
  const { trailers = [] } = answer;
  if (trailers.length > 0) data['trailers'] = trailers.length / 2;
  const fields = trailers.length === 0 ? headers : [...headers, ...trailers];
  const message = storedMessage(startLine, fields, body, answer.bytes, answer.sha256);
  return { type: 'response', data, refs: [decision], parts: [{ name: 'response', ...message }] };
}

/** Of a longer body a copy would cost more than to encrypt and hash it in two pieces. */
const copiedBytesMax = 64 * 1024;

/** Only Holdpoint writes bodies of that type, with what was understood of them: one that came in must not pass for one. */
function claimsSocketBody(headers: RawHeaders): boolean {
  return headerOf(headers, 'content-type') === socketBodyType;
}

/**
 * The message as it is stored. Where only the body's beginning is, a field says how long the whole was and what
 * it hashes to, so that the commitment, and a ruling by its digest, covers all of it.
 */
function storedMessage(
  startLine: string,
  headers: RawHeaders,
  stored: Buffer,
  bytes: number,
  sha256: string | null,
): Omit<PartContent, 'name'> {
  const safe = withoutSecrets(headers);
  if (sha256 !== null) safe.push(wholeBodyHeader, wholeBodyValue(bytes, sha256));
  if (stored.length <= copiedBytesMax)
    return { bytes: encodeHttpMessage({ startLine, headers: safe, body: stored }) };
  return { bytes: Buffer.from(encodeHttpHead({ startLine, headers: safe }), 'latin1'), rest: stored };
}

/** What that field says of a body. */
export function wholeBodyValue(bytes: number, sha256: string): string {
  return `bytes=${bytes}; sha-256=${sha256}`;
}
