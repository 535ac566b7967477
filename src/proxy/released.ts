/**
 * What a release lets go. It is read back from the ledger, so that a release after a restart and one to a waiting
 * caller take the same way, and its use is sealed before the first byte goes out.
 */
import { HoldpointError } from '../core/errors.ts';
import type { RequestFacts, ResponseFacts } from '../core/facts.ts';
import {
  decodeHttpMessage,
  type HttpMessage,
  headerOf,
  isSecretHeader,
  type RawHeaders,
  removedValue,
  splitTrailers,
  valuesOf,
  withSecretsOf,
} from '../core/http-message.ts';
import type { Spool } from '../core/spool.ts';
import type { Hold } from '../hold/record.ts';
import { requireReleasable } from '../replay/held-judgement.ts';
import { plainStreamForm } from './answer.ts';
import { bodyOf } from './body.ts';
import { alsoAsked, type Call } from './call.ts';
import type { Decision } from './held.ts';
import type { House } from './house.ts';
import { withUnjudgedFiles } from './judged-files.ts';
import type { ArrivedAnswer } from './kept-answers.ts';
import { wholeBodyValue } from './record.ts';
import { releasedCalls } from './released-calls.ts';
import { endWith, endWithPieces, writeHead } from './respond.ts';

/** How a held answer begins. */
export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: RawHeaders;
  /** How much of its body this caller has. */
  readonly passedBytes: number;
}

/**
 * The call that a release lets go: the body and the fields that were ruled on or their amendment, whichever spelling of
 * it the caller that came back has sent. Sealed as used before it is returned.
 */
export async function releasedCall(call: Call, hold: Hold, house: House): Promise<Call> {
  try {
    const released = await callThatGoesOut(call, hold, house);
    // Last of all: a release whose record could not be read is not used up by that.
    await beginReleased(hold, house);
    return released;
  } catch (error) {
    // Nothing was sent: a retry may take this caller's place.
    house.holds.detach(hold);
    throw error;
  }
}

async function callThatGoesOut(call: Call, hold: Hold, house: House): Promise<Call> {
  const amendment = hold.state.status === 'amended' ? hold.ruling : null;
  const sealed = await (amendment === null
    ? house.ledger.part(hold.decision, 'request')
    : house.ledger.part(amendment, 'amendment'));
  const { body, headers } = decodeHttpMessage(sealed);
  // Its caller comes back with what it sent itself.
  const { retryKey } = hold;
  if (amendment === null) {
    const isOwn = isSameBody(call, body, headers);
    // The body of its caller goes out as it is, of which the stored one may be a reading.
    const codings = valuesOf(isOwn ? call.headers : headers, 'content-encoding');
    const released = releasedHeaders(call, headers, codings);
    return { ...call, ...(isOwn ? {} : { body: bodyOf(body) }), released, retryKey };
  }
  // The coding belongs to the body; an amended one is written out plainly, whatever the original had.
  const released = releasedHeaders(call, headers, []);
  // Response rules judge the answer to what was sent, so they must see the amended request.
  const reading = call.upstream.protocol.readRequest(call.operation, body, {
    path: call.facts.path,
    contentType: headerOf(call.headers, 'content-type'),
  });
  const { facts, batchFiles } = alsoAsked(reading, call.operation, call.target, released);
  const sent = { ...call, body: bodyOf(body), released, retryKey, batchFiles };
  return withUnjudgedFiles({ ...sent, facts: { ...withoutAsked(call.facts), ...facts } }, house);
}

/** Without what is there of some bodies alone, and would outlive the one that it was said in. */
function withoutAsked(facts: RequestFacts): RequestFacts {
  const { insteads: _insteads, tokenIds: _tokenIds, unjudgedFiles: _unjudgedFiles, ...others } = facts;
  return others;
}

/** Each call or attempt of an SDK has its own, and its signature covers them; none says what is asked for. */
const signedAnew: ReadonlySet<string> = new Set([
  'x-amz-date',
  'date',
  'amz-sdk-request',
  'amz-sdk-invocation-id',
  'x-amz-user-agent',
]);

/**
 * The fields that were ruled on, whatever else a caller that came back has sent. Its own are the credentials, which are
 * not stored, and with a signature what that was made over anew; `codings` are those of the body that goes out.
 */
function releasedHeaders(call: Call, sealed: RawHeaders, codings: readonly string[]): RawHeaders {
  const signs = headerOf(call.headers, 'authorization').startsWith('AWS4-');
  const isOwn = (name: string): boolean => signs && signedAnew.has(name);
  const released = fieldsWhere(withSecretsOf(call.headers, sealed), (name) => !isOwn(name));
  released.push(...fieldsWhere(call.headers, isOwn));
  if (valuesOf(released, 'content-encoding').join() === codings.join()) return released;
  const recoded = fieldsWhere(released, (name) => name !== 'content-encoding');
  for (const coding of codings) recoded.push('content-encoding', coding);
  return recoded;
}

function fieldsWhere(headers: RawHeaders, isKept: (lowerCaseName: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (isKept(name.toLowerCase())) kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}

/** Of a body that is not stored whole, or not as it was, the caller that came back has brought all of it again. */
function isSameBody(
  { body: { bytes, spool }, stored: own }: Call,
  stored: Buffer,
  headers: RawHeaders,
): boolean {
  const isSame =
    spool === null ? own.body.equals(stored) : headers.at(-1) === wholeBodyValue(bytes, spool.sha256);
  if (isSame || (spool === null && own.removed === 0)) return isSame;
  throw new HoldpointError(
    'internal',
    'The caller came back with another body than the one that was ruled on.',
  );
}

/**
 * Hands over the released answer; of `arrived`, the answer as it came, where this caller waited for it, what it has
 * not. The use of the release is sealed before the first byte. True when the caller got all of it. Throws
 * `hold_expired` for an answer that is not stored as it came and that nobody waited for.
 */
export async function deliverHeld(
  call: Call,
  decision: Decision,
  hold: Hold,
  arrived: (ArrivedAnswer & { readonly facts: ResponseFacts }) | null,
  house: House,
): Promise<boolean> {
  const own = arrived ?? house.keptAnswers.of(hold);
  const calls = await releasedCalls(hold, arrived?.facts ?? null, house);
  const { head, rest, spool, trailers } = await takeReleased(call, hold, own, house);
  if (!call.res.headersSent) writeHead(call.res, head.status, head.statusText, head.headers, decision.id);
  const hasArrived = await (spool === null
    ? endWith(call.res, rest, trailers)
    : endWithPieces(call.res, spool.read(), trailers));
  if (hasArrived) house.letThrough.add(call, hold.decision, calls);
  return hasArrived;
}

/** The released answer, and what of it its caller has not. Resolves once the use of the release is sealed: it may go out, once. */
export async function takeReleased(
  call: Call,
  hold: Hold,
  arrived: ArrivedAnswer | null,
  house: House,
): Promise<{ readonly head: AnswerHead; readonly rest: Buffer } & Pick<Released, 'spool' | 'trailers'>> {
  const passedBytes = arrived?.passedBytes ?? 0;
  const { message, spool, trailers } = await releasedMessage(hold, arrived, house);
  const passed = arrived?.body.subarray(0, passedBytes) ?? Buffer.alloc(0);
  const from = hold.state.status === 'amended' ? tailOffset(call, message, passed) : passedBytes;
  const rest = message.body.subarray(from);
  await beginReleased(hold, house);
  return { head: headOf(message), rest, spool, trailers };
}

export type ReleaseHouse = Pick<House, 'holds' | 'ledger' | 'policy'>;

/**
 * Seals that the release is used. Throws `policy_changed` where the policy has come to deny what a ruling let go: who
 * collects may come much later. The hold waits on, for another policy or until its time to be collected ends.
 */
export async function beginReleased(hold: Hold, { ledger, holds, policy }: ReleaseHouse): Promise<void> {
  for (;;) {
    const inForce = policy();
    const amendment = hold.state.status === 'amended' ? hold.ruling : null;
    const isOther = inForce.digest !== hold.policyDigest;
    const message = amendment === null || !isOther ? null : await ledger.part(amendment, 'amendment');
    await requireReleasable(ledger, hold, inForce, message);
    // One that came while the record was read, or its turn to be sealed was waited for, has not been asked.
    if (await holds.beginDelivery(hold, () => policy() === inForce)) return;
  }
}

interface Released {
  readonly message: HttpMessage;
  /** All of its body, where that is on disk. */
  readonly spool: Spool | null;
  readonly trailers: RawHeaders;
}

async function releasedMessage(hold: Hold, arrived: ArrivedAnswer | null, house: House): Promise<Released> {
  const amended = hold.state.status === 'amended';
  const seq = amended ? hold.ruling : hold.response;
  const name = amended ? 'amendment' : 'response';
  if (seq === null) throw new HoldpointError('ledger_damaged', `The hold ${hold.id} has no sealed answer.`);
  const entry = await house.ledger.entry(seq);
  if (entry.parts.find((part) => part.name === name)?.c !== hold.releaseDigest) {
    throw new HoldpointError(
      'ledger_damaged',
      `The sealed answer of ${hold.id} is not the one that was released.`,
    );
  }
  const sealed = decodeHttpMessage(await house.ledger.part(seq, name));
  const { message, trailers: stored } = splitTrailers(sealed, Number(entry.data['trailers'] ?? 0));
  const trailers = withoutRemoved(stored);
  const isPart = entry.data['stored'] !== undefined;
  const isWhole = entry.data['removed'] === undefined && (amended || !message.headers.some(lacksKey));
  if (isWhole && !isPart) return { message, spool: null, trailers };
  if (arrived !== null && isAnswer(arrived, message, isPart)) {
    const { body, spool } = arrived;
    const headers = fieldsWhere(arrived.headers, (name) => !isSecretHeader(name));
    return { message: { ...message, headers, body }, spool, trailers };
  }
  const why = isPart ? 'is too large to be stored' : 'carries a credential, which is never stored';
  throw new HoldpointError(
    'hold_expired',
    `The released answer ${why}, and the call that it came for is gone.`,
    'Ask anew.',
  );
}

/** Whether the value of a field is stored without a key, such as an address to which the caller is sent on. */
function lacksKey(value: string): boolean {
  return value.includes(`=${removedValue}`);
}

/** Whether it is the answer that was ruled on, by what is stored of it and, where that is a part, the hash of all. */
function isAnswer(arrived: ArrivedAnswer, { body, headers }: HttpMessage, isPart: boolean): boolean {
  const { stored, spool, bytes } = arrived;
  if (spool === null) return !isPart && stored.body.equals(body);
  return isPart && headers.at(-1) === wholeBodyValue(bytes, spool.sha256);
}

/**
 * Where an amended stream goes on for a caller that has the beginning of the original already: behind that, and where
 * that was written otherwise, at its first tool call or end.
 */
function tailOffset(call: Call, amended: HttpMessage, passed: Buffer): number {
  if (amended.body.subarray(0, passed.length).equals(passed)) return passed.length;
  const form = plainStreamForm(call, headOf(amended));
  if (form === null) return 0;
  const stream = call.upstream.protocol.openStream(call.operation, 200, form);
  let offset = 0;
  for (const event of stream.push(amended.body)) {
    if (event.kind === 'tool' || event.kind === 'end') return offset;
    offset += event.raw.length;
  }
  return offset;
}

/** How the stored answer begins, without what is never stored; null while there is none. */
export async function heldHead(hold: Hold, house: House): Promise<AnswerHead | null> {
  if (hold.response === null) return null;
  const { data } = await house.ledger.entry(hold.response);
  const sealed = decodeHttpMessage(await house.ledger.part(hold.response, 'response'));
  return headOf(splitTrailers(sealed, Number(data['trailers'] ?? 0)).message);
}

function headOf({ startLine, headers }: HttpMessage): AnswerHead {
  const [, status = '502', ...reason] = startLine.split(' ');
  const kept = withoutRemoved(headers);
  return { status: Number(status), statusText: reason.join(' '), headers: kept, passedBytes: 0 };
}

function withoutRemoved(headers: RawHeaders): RawHeaders {
  return headers.filter((_, i) => headers[i - (i % 2) + 1] !== removedValue);
}
