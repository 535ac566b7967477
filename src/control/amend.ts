/** What a reviewer puts in place of the held bytes, as the message that is sealed and then delivered. */
import { z } from 'zod';
import { decodeContent } from '../core/content-coding.ts';
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { ResponseFacts } from '../core/facts.ts';
import {
  decodeHttpMessage,
  encodeHttpMessage,
  type HttpMessage,
  headerOf,
  splitTrailers,
} from '../core/http-message.ts';
import type { Hold } from '../hold/record.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { amendAnswer } from '../provider/amending/amend-answer.ts';
import { protocolNamed } from '../provider/index.ts';
import type { Amendment } from '../provider/protocol.ts';
import { isForm } from '../provider/reading/multipart.ts';
import { withoutRequestSecrets } from '../provider/reading/secret-members.ts';
import { amendSocketAnswer } from '../provider/realtime/amend.ts';
import { readSocketAnswer } from '../provider/realtime/understood.ts';
import { isRecord, type JsonRecord } from '../provider/wire/json.ts';
import { isSocketBody, pathIn } from '../replay/messages.ts';
import { readAnswer } from './exchange.ts';

const decodedBytesMax = 64 * 1024 * 1024;
export const callsMax = 128;

/**
 * Of an answer: `text` and the arguments of tool calls by id. Of a request: its whole JSON `body`. That the values are JSON
 * is known of whoever parsed them: a schema that walks them takes seconds for what nests deeply, and calls wait meanwhile.
 */
export const amendmentSchema = z.strictObject({
  text: z.string().optional(),
  toolCalls: z
    .array(
      z.strictObject({
        id: z.string(),
        arguments: z.unknown().refine((value) => value !== undefined, 'expected any JSON'),
      }),
    )
    .max(callsMax)
    .optional(),
  body: z.custom<JsonRecord>(isRecord, 'expected an object').meta({ type: 'object' }).optional(),
});
export type AmendmentInput = z.output<typeof amendmentSchema> & {
  /** Ids of calls that are taken out of a held answer. */
  readonly withheld?: readonly string[] | undefined;
};

/** Held bytes that may be written anew, with what the ledger says of their call. */
interface Held {
  readonly hold: Hold;
  readonly message: HttpMessage;
  readonly about: Entry['data'];
  readonly isSocket: boolean;
}

async function openHeld(ledger: Ledger, hold: Hold): Promise<Held> {
  const request = await ledger.entry(hold.decision);
  const held =
    hold.phase === 'request'
      ? { seq: hold.decision, name: 'request' }
      : { seq: hold.response ?? hold.decision, name: 'response' };
  const entry = await ledger.entry(held.seq);
  if (entry.data['stored'] !== undefined)
    throw notAmendable('Only the beginning of this body is stored, so it cannot be written anew.');
  if (entry.data['removed'] !== undefined)
    throw notAmendable('Credentials stand in this body, which are not stored, so it cannot be written anew.');
  const sealed = decodeHttpMessage(await ledger.part(held.seq, held.name));
  // What came behind the body was said of that body.
  const { message } = splitTrailers(sealed, Number(entry.data['trailers'] ?? 0));
  return { hold, message, about: request.data, isSocket: isSocketBody(entry, message) };
}

/**
 * The amended message in the held one's form. Throws `invalid_argument` when the amendment does not fit,
 * `not_amendable` where none does.
 */
export async function amendedMessage(ledger: Ledger, hold: Hold, input: AmendmentInput): Promise<Buffer> {
  const held = await openHeld(ledger, hold);
  try {
    return writtenAnew(held, input);
  } catch (error) {
    if (!(error instanceof HoldpointError) || error.code !== 'invalid_argument') throw error;
    const why = whyNot(held);
    throw why === '' ? error : notAmendable(why, error);
  }
}

/** Calls that are tried one by one where not all of them can be written. */
const triedCallsMax = 8;

/** Why no amendment can be written into the held bytes, found by writing what they say already; '' where one can. */
function whyNot(held: Held): string {
  let why = 'There is nothing in it that could be written otherwise.';
  for (const input of unchanged(held)) {
    try {
      writtenAnew(held, input);
      return '';
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error;
      why = error.message;
    }
  }
  return why;
}

/** Amendments that change nothing. */
function unchanged({ hold, message, about, isSocket }: Held): readonly AmendmentInput[] {
  if (hold.phase === 'request') return isSocket ? [] : [{ body: {} }];
  const { toolCalls: calls, text } = isSocket
    ? readSocketAnswer(message.body).facts
    : readHeldAnswer(message, about);
  const toolCalls = calls
    .slice(0, callsMax)
    .map(({ id, arguments: value }) => ({ id, arguments: value ?? null }));
  const one = toolCalls.length > 1 ? toolCalls.slice(0, triedCallsMax) : [];
  return [
    ...(toolCalls.length === 0 ? [] : [{ toolCalls }]),
    ...(text === '' || hold.passedBytes > 0 ? [] : [{ text }]),
    ...one.map((call) => ({ toolCalls: [call] })),
  ];
}

function readHeldAnswer(message: HttpMessage, about: Entry['data']): ResponseFacts {
  const protocol = protocolNamed(about['provider']);
  if (protocol === null) throw notAmendable('This answer is of a provider that this version does not know.');
  const status = Number(message.startLine.split(' ')[1]);
  return readAnswer(protocol, String(about['operation']), status, message).facts;
}

function notAmendable(why: string, cause?: HoldpointError): HoldpointError {
  return new HoldpointError('not_amendable', why, 'Release or deny it.', cause);
}

function writtenAnew(held: Held, input: AmendmentInput): Buffer {
  const { hold, message, about } = held;
  if (held.isSocket) return encodeHttpMessage({ ...message, body: amendedMessages(held, input) });
  const textIsFixed = input.text === undefined ? '' : whyTextIsFixed(hold);
  if (textIsFixed !== '') {
    throw new HoldpointError(
      'invalid_argument',
      textIsFixed,
      'Amend the arguments of its tool calls, or deny it.',
    );
  }
  const body =
    hold.phase === 'request' ? amendedRequest(message, about, input) : amendedAnswer(message, about, input);
  return encodeHttpMessage({ startLine: message.startLine, headers: headersFor(message, body), body });
}

/** Why the text of a held answer cannot be amended, whatever else can; '' when it can. */
export function whyTextIsFixed({ passedBytes }: Hold): string {
  return passedBytes > 0
    ? 'The text of this answer was streamed to its caller before the hold; only what is held can be amended.'
    : '';
}

/** Of a WebSocket, only the calls of an answer can be changed: what a workload says there is not one whole. */
function amendedMessages({ hold, message, about }: Held, input: AmendmentInput): Buffer {
  const { toolCalls } = input;
  if (input.withheld !== undefined) {
    throw new HoldpointError(
      'not_divisible',
      'The calls of an answer over a WebSocket cannot be ruled on one by one.',
      'Release or deny all of it.',
    );
  }
  const callsAlone = toolCalls !== undefined && input.body === undefined && input.text === undefined;
  if (hold.phase === 'response' && callsAlone)
    return amendSocketAnswer(about['operation'], message.body, { toolCalls });
  throw new HoldpointError(
    'invalid_argument',
    'Of what passes over a WebSocket, only the arguments of tool calls can be amended.',
    'Release or deny it.',
  );
}

function amendedRequest(message: HttpMessage, about: Entry['data'], input: AmendmentInput): Buffer {
  const { headers } = message;
  const path = pathIn({ data: about }, message);
  if (isForm(headerOf(headers, 'content-type'))) {
    throw new HoldpointError(
      'invalid_argument',
      'A held form cannot be amended: what would be sent in its place is JSON.',
      'Release or deny it.',
    );
  }
  if (carriesRequests(message, about, decoded(message))) throw notLineByLine();
  if (input.body === undefined || input.text !== undefined || input.toolCalls !== undefined) {
    throw new HoldpointError(
      'invalid_argument',
      'A held request is amended with its whole new body.',
      'Send {"body": {...}}.',
    );
  }
  const body = Buffer.from(JSON.stringify(input.body));
  if (carriesRequests(message, about, body)) throw notLineByLine();
  if (withoutRequestSecrets(path, body, '').removed > 0) {
    throw new HoldpointError(
      'invalid_argument',
      'A credential stands in the amendment, which would be stored with it.',
      'Leave it out, or deny the call and have it made anew.',
    );
  }
  return body;
}

/** Each request that a body carries is judged and sealed as one of its own, before anybody rules on the whole. */
function carriesRequests(message: HttpMessage, about: Entry['data'], plain: Buffer): boolean {
  const protocol = protocolNamed(about['provider']);
  const { headers } = message;
  const head = { path: pathIn({ data: about }, message), contentType: headerOf(headers, 'content-type') };
  const reading = protocol?.readRequest(String(about['operation']), plain, head);
  return reading?.batch !== undefined;
}

function notLineByLine(): HoldpointError {
  return new HoldpointError(
    'invalid_argument',
    'A body that carries requests of its own cannot be amended: those in its place would be judged by no rule.',
    'Release or deny it, and have it made anew.',
  );
}

function amendedAnswer(message: HttpMessage, about: Entry['data'], input: AmendmentInput): Buffer {
  const isEmpty = [input.text, input.toolCalls, input.withheld].every((part) => part === undefined);
  if (input.body !== undefined || isEmpty) {
    throw new HoldpointError(
      'invalid_argument',
      'A held answer is amended by its text and the arguments of its tool calls.',
      'Send {"text": "..."} or {"toolCalls": [{"id": "...", "arguments": {...}}]}.',
    );
  }
  const protocol = protocolNamed(about['provider']);
  const operation = String(about['operation']);
  if (protocol === null || !protocol.readsAnswer(operation)) {
    throw new HoldpointError(
      'invalid_argument',
      'This answer is of an operation that Holdpoint cannot amend.',
      'Release or deny it.',
    );
  }
  const original = decoded(message);
  const form = protocol.streamFormOf(operation, headerOf(message.headers, 'content-type'));
  const amendment: Amendment = {
    ...(input.text === undefined ? {} : { text: input.text }),
    ...(input.toolCalls === undefined ? {} : { toolCalls: input.toolCalls }),
    ...(input.withheld === undefined ? {} : { withheld: input.withheld }),
  };
  return amendAnswer(protocol, operation, original, form, amendment);
}

/** The held body in the clear. What cannot be undone is why it is held; nobody can write it anew. */
function decoded({ headers, body }: HttpMessage): Buffer {
  try {
    return decodeContent(headerOf(headers, 'content-encoding'), body, decodedBytesMax);
  } catch (error) {
    throw new HoldpointError(
      'invalid_argument',
      `The content-encoding of this answer cannot be undone: ${messageOf(error)}.`,
      'Release or deny it.',
      error,
    );
  }
}

/**
 * Fields of the original that are true of its own bytes alone: RFC 9530 and what came before it, signatures of RFC 9421,
 * checksums of Google's and Amazon's, and what asks for pieces of the original by their places (RFC 9110 section 14).
 */
const ofOtherBytes: ReadonlySet<string> = new Set([
  ...['content-encoding', 'etag', 'content-md5'],
  ...['digest', 'content-digest', 'repr-digest'],
  ...['signature', 'signature-input', 'x-goog-hash'],
  ...['content-range', 'accept-ranges'],
]);

function isOfOtherBytes(lowerCaseName: string): boolean {
  return ofOtherBytes.has(lowerCaseName) || lowerCaseName.startsWith('x-amz-checksum-');
}

/** The original's headers, true for the new body. */
function headersFor(message: HttpMessage, body: Buffer): string[] {
  const headers: string[] = [];
  for (let i = 0; i + 1 < message.headers.length; i += 2) {
    const name = message.headers[i] ?? '';
    const lower = name.toLowerCase();
    if (isOfOtherBytes(lower)) continue;
    headers.push(name, lower === 'content-length' ? String(body.length) : (message.headers[i + 1] ?? ''));
  }
  return headers;
}
