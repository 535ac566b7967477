/** The content of a decision as people see it: sealed messages, read back and understood. */
import { isBodiless } from '../core/bodiless.ts';
import { decodeContent } from '../core/content-coding.ts';
import { HoldpointError } from '../core/errors.ts';
import type { RequestFacts, ResponseFacts } from '../core/facts.ts';
import { decodeHttpMessage, type HttpMessage, headerOf } from '../core/http-message.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { protocolNamed } from '../provider/index.ts';
import type { OperationName, Protocol, RequestReading, ResponseReading } from '../provider/protocol.ts';
import { readSocketAnswer, readSocketRequest } from '../provider/realtime/understood.ts';
import { isAmendment, isSocketBody, pathIn } from '../replay/messages.ts';

const decodedBytesMax = 64 * 1024 * 1024;

export interface ShownRequest
  extends Omit<RequestFacts, 'headers' | 'workload' | 'subject' | 'purpose' | 'session'> {
  readonly raw: RawMessage;
}

export interface ShownResponse extends ResponseFacts {
  readonly raw: RawMessage;
  readonly streamed: boolean;
}

export interface Exchange {
  /** As the workload sent it. */
  readonly request: ShownRequest;
  /** As the provider answered; null while there is no answer. */
  readonly response: ShownResponse | null;
  /** What a reviewer put in the request's place; null where nobody did. */
  readonly amendedRequest: ShownRequest | null;
  /** What a reviewer put in the answer's place, that it makes fewer calls included; null where nobody did. */
  readonly amendedResponse: ShownResponse | null;
  /** What could not be read. */
  readonly defects: readonly string[];
}

export interface RawMessage {
  readonly startLine: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** The sealed messages of a decision, as bytes. */
export interface SealedMessages {
  readonly request: Buffer;
  readonly response: Buffer | null;
  readonly amendedRequest: Buffer | null;
  readonly amendedResponse: Buffer | null;
  /** Why an amendment is missing. */
  readonly lost: readonly string[];
}

/** Throws when what was asked or answered is damaged, and when anything is erased. */
export async function readMessages(
  ledger: Pick<Ledger, 'part'>,
  entries: readonly Entry[],
): Promise<SealedMessages> {
  const first = firstOf(entries);
  const answer = answerIn(entries);
  const amendments = entries.filter(isAmendment);
  // What is amended before there is an answer is the request.
  const answeredAt = answer?.seq ?? Number.POSITIVE_INFINITY;
  const ofRequest = amendments.findLast(({ seq }) => seq < answeredAt);
  const ofResponse = amendments.findLast(({ seq }) => seq > answeredAt);
  const lost: string[] = [];
  const amendment = (entry: Entry | undefined): Promise<Buffer | null> =>
    entry === undefined ? Promise.resolve(null) : readAmendment(ledger, entry, lost);
  return {
    request: await ledger.part(first.seq, 'request'),
    response: answer === undefined ? null : await ledger.part(answer.seq, 'response'),
    amendedRequest: await amendment(ofRequest),
    amendedResponse: await amendment(ofResponse),
    lost,
  };
}

/** What was held is shown without it where it is damaged. */
async function readAmendment(
  ledger: Pick<Ledger, 'part'>,
  { seq }: Entry,
  lost: string[],
): Promise<Buffer | null> {
  try {
    return await ledger.part(seq, 'amendment');
  } catch (error) {
    if (!(error instanceof HoldpointError) || error.code !== 'ledger_damaged') throw error;
    lost.push(`what a reviewer put in its place cannot be read: ${error.message}`);
    return null;
  }
}

export function answerIn(entries: readonly Entry[]): Entry | undefined {
  return entries.findLast((entry) => entry.type === 'response');
}

/** What of a decision is about its request alone. */
export function beforeAnswer(entries: readonly Entry[]): readonly Entry[] {
  const answer = entries.findIndex(({ type }) => type === 'response');
  return answer < 0 ? entries : entries.slice(0, answer);
}

function firstOf(entries: readonly Entry[]): Entry {
  const [first] = entries;
  if (first === undefined) throw new RangeError('A decision has at least its request.');
  return first;
}

/** Reads and understands the sealed exchange of a decision. Throws when a body is damaged. */
export async function readExchange(
  ledger: Pick<Ledger, 'part'>,
  entries: readonly Entry[],
): Promise<Exchange> {
  return understood(entries, await readMessages(ledger, entries));
}

/** The messages of a decision as its family reads them. Throws `ledger_damaged` for a family that is not known here. */
export function understood(entries: readonly Entry[], sealed: SealedMessages): Exchange {
  const first = firstOf(entries);
  const answer = answerIn(entries);
  const protocol = protocolOf(first);
  const request = requestIn(protocol, first, sealed.request, first.data['stored'] !== undefined);
  const response = sealed.response === null ? null : responseIn(protocol, first, answer, sealed.response);
  const { amendedRequest: sent, amendedResponse: delivered } = sealed;
  const amendedRequest = sent === null ? null : requestIn(protocol, first, sent, false);
  const amendedResponse = delivered === null ? null : responseIn(protocol, first, answer, delivered);
  const read = [request, response, amendedRequest, amendedResponse].flatMap(
    (message) => message?.defects ?? [],
  );
  return {
    request: request.shown,
    response: response?.shown ?? null,
    amendedRequest: amendedRequest?.shown ?? null,
    amendedResponse: amendedResponse?.shown ?? null,
    defects: [...new Set([...partOnly(first), ...read, ...sealed.lost])],
  };
}

function partOnly({ data }: Entry): readonly string[] {
  const { stored, bytes } = data;
  return stored === undefined
    ? []
    : [`only the first ${String(stored)} of ${String(bytes)} bytes are stored`];
}

interface Read<T> {
  readonly shown: T;
  readonly defects: readonly string[];
}

/** @param isPart only the beginning of its body is stored, which nobody reads */
function requestIn(protocol: Protocol, first: Entry, sealed: Buffer, isPart: boolean): Read<ShownRequest> {
  const message = decodeHttpMessage(sealed);
  const { facts, defects } = readRequest(protocol, first, message, isPart);
  const about = {
    provider: String(first.data['provider']),
    operation: operationOf(first),
    method: String(first.data['method']),
    path: pathIn(first, message),
  };
  return { shown: { ...about, ...facts, raw: rawOf(message) }, defects };
}

function readRequest(
  protocol: Protocol,
  first: Entry,
  message: HttpMessage,
  isPart: boolean,
): RequestReading {
  if (isSocketBody(first, message)) return readSocketRequest(message.body);
  const head = { path: pathIn(first, message), contentType: headerOf(message.headers, 'content-type') };
  return isPart
    ? protocol.readRequest('unknown', Buffer.alloc(0), head)
    : protocol.readRequest(operationOf(first), plainBody(message), head);
}

function responseIn(
  protocol: Protocol,
  first: Entry,
  answer: Entry | undefined,
  sealed: Buffer,
): Read<ShownResponse> {
  const message = decodeHttpMessage(sealed);
  const data = answer?.data ?? {};
  const { facts, defects } =
    answer !== undefined && isSocketBody(answer, message)
      ? readSocketAnswer(message.body)
      : readAnswer(protocol, operationOf(first), Number(data['status']), message);
  return { shown: { ...facts, streamed: data['streamed'] === true, raw: rawOf(message) }, defects };
}

function operationOf({ data }: Entry): OperationName {
  return String(data['operation']);
}

function protocolOf({ data }: Entry): Protocol {
  const provider = String(data['provider']);
  const protocol = protocolNamed(provider);
  if (protocol !== null) return protocol;
  throw new HoldpointError(
    'ledger_damaged',
    `The exchange names the provider family ${JSON.stringify(provider)}, which this version does not know.`,
    'Was it sealed by a newer Holdpoint? Run that version.',
  );
}

/** What a sealed answer said. */
export function readAnswer(
  protocol: Protocol,
  operation: OperationName,
  status: number,
  message: HttpMessage,
): ResponseReading {
  if (isBodiless(status, message)) return protocol.readResponse('unknown', status, message.body);
  const form = protocol.streamFormOf(operation, headerOf(message.headers, 'content-type'));
  if (form === null) return protocol.readResponse(operation, status, plainBody(message));
  const stream = protocol.openStream(operation, status, form);
  stream.push(plainBody(message));
  return stream.finish().reading;
}

/** The body with its content coding undone; '' where that fails, which the facts then show as a defect. */
export function plainBody(message: HttpMessage): Buffer {
  try {
    return decodeContent(headerOf(message.headers, 'content-encoding'), message.body, decodedBytesMax);
  } catch {
    // The raw message is shown beside the facts; an undecodable body reads as unparsable there.
    return Buffer.alloc(0);
  }
}

export function rawOf(message: HttpMessage): RawMessage {
  return {
    startLine: message.startLine,
    headers: message.headers,
    body: plainBody(message).toString('utf8'),
  };
}
