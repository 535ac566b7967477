/**
 * What rules judged, rebuilt from what was sealed: the facts of a decision's request and of its answer, and which of
 * them the record does not have. Reads the ledger and changes nothing.
 */
import { isBodiless } from '../core/bodiless.ts';
import { decodeContent } from '../core/content-coding.ts';
import { messageOf } from '../core/errors.ts';
import { factHeadersOf } from '../core/fact-headers.ts';
import type { RequestFacts } from '../core/facts.ts';
import { gatewayAsks } from '../core/gateway-headers.ts';
import { nameIn } from '../core/header-name.ts';
import { bodyFieldDoubt, type HttpMessage, headerOf, type RawHeaders } from '../core/http-message.ts';
import type { Entry } from '../ledger/entry.ts';
import { withAddressed } from '../provider/addressed-models.ts';
import { withGateway } from '../provider/asked/gateway.ts';
import { alsoAsking } from '../provider/asked/insteads.ts';
import { envelopeDefects } from '../provider/envelope.ts';
import { protocolNamed } from '../provider/index.ts';
import type { Protocol, RequestReading, ResponseReading } from '../provider/protocol.ts';
import { unreadRequest } from '../provider/reading/reading.ts';
import { readSocketAnswer, readSocketRequest } from '../provider/realtime/understood.ts';
import {
  asSent,
  type Heard,
  isSocketBody,
  type Judged,
  judgedIn,
  messageIn,
  type Obstacle,
  type Obstructed,
  pathIn,
  type Replayable,
  type ReplayedLedger,
  textOf,
  withoutKnown,
} from './messages.ts';
import { readReported } from './reported.ts';

/** What was asked, with what of it the record lacks. */
interface Asked {
  readonly protocol: Protocol;
  readonly facts: RequestFacts;
  readonly reading: RequestReading;
  /** As far as they are recorded. */
  readonly headers: RawHeaders;
  readonly lacking: ReadonlySet<string>;
  readonly isHandshake: boolean;
}

/** What a parser could not read counts as this rule. */
export const unreadableRule = 'holdpoint:unreadable';

const partialContent = 206;
const empty = Buffer.alloc(0);

/** Of the phases that were judged, the facts or what stands in their way. `decodedBytesMax` bounds what a body unpacks to. */
export async function readRecorded(
  ledger: ReplayedLedger,
  entries: readonly Entry[],
  decodedBytesMax: number,
): Promise<readonly (Replayable | Obstructed)[]> {
  const [first] = entries;
  if (first === undefined) return [];
  const answer = entries.findLast((entry) => entry.type === 'response');
  if (first.data['reported'] !== undefined) return readReported(ledger, first, answer);
  const asked = await askedOf(ledger, first, answer !== undefined, decodedBytesMax);
  const phases: (Replayable | Obstructed)[] = [];
  if (wasRequestJudged(first, answer)) {
    const judged = judgedIn('request', first);
    phases.push(
      typeof asked === 'string'
        ? { ...judged, obstacle: asked }
        : { ...judged, ...requestPhase(first, asked, judged) },
    );
  }
  if (answer === undefined || isUnjudgedAnswer(first, answer, asked)) return phases;
  const sent = asSent(ledger, entries, answer);
  const answeredTo = sent === ledger ? asked : await askedOf(sent, first, true, decodedBytesMax);
  const judged = judgedIn('response', answer);
  const told = isSpoiltLine(first, judged.rules) ? [spoilt] : null;
  const heard =
    typeof answeredTo === 'string'
      ? answeredTo
      : await heardOf(ledger, answeredTo, answer, told, decodedBytesMax);
  phases.push(
    typeof heard === 'string' || typeof answeredTo === 'string'
      ? { ...judged, obstacle: typeof heard === 'string' ? heard : 'damaged' }
      : { ...judged, heard, lacking: answeredTo.lacking, flagsOnly: false },
  );
  return phases;
}

const spoilt = 'the line could not be read';

/** What was wrong with a line stood around it, in what carried it; that no policy changes. */
function isSpoiltLine({ data }: Entry, rules: readonly string[]): boolean {
  return typeof data['batch'] === 'number' && rules.includes(unreadableRule);
}

/** A line of answers, and a segment of a stream without end, have a request entry that no rule judged. */
function wasRequestJudged({ data }: Entry, answer: Entry | undefined): boolean {
  if (answer === undefined) return true;
  if (typeof data['batch'] === 'number') return false;
  const isSegment = answer.data['streamed'] === true && answer.data['stored'] === undefined;
  return !(isSegment && isSessionStream(data));
}

/** The handshake of a connection and the whole of a stream without end are judged message by message, segment by segment. */
function isUnjudgedAnswer({ data }: Entry, answer: Entry, asked: Asked | Obstacle): boolean {
  if (typeof asked !== 'string' && asked.isHandshake) return true;
  return isSessionStream(data) && answer.data['stored'] === 0;
}

function isSessionStream(data: Entry['data']): boolean {
  return (protocolNamed(data['provider'])?.segmentsOf?.(String(data['operation'])) ?? null) !== null;
}

function requestPhase(first: Entry, asked: Asked, { rules }: Judged) {
  const { protocol, facts, reading, headers, lacking } = asked;
  const defects = isSpoiltLine(first, rules) ? [spoilt] : reading.defects;
  function* heard(): Generator<Heard> {
    yield { facts: { request: facts }, defects };
    for (const line of reading.batch?.() ?? []) {
      const head = { path: line.path, contentType: 'application/json' };
      const read = withGateway(protocol.readRequest(line.operation, line.request, head), headers);
      const request = { ...facts, operation: line.operation, path: line.path, ...read.facts };
      const found = line.defect === '' ? read.defects : [line.defect, ...read.defects];
      yield { facts: { request }, defects: found };
    }
  }
  return { heard, lacking, flagsOnly: asked.isHandshake };
}

/** What a decision's request said. A line of answers says nothing itself: it was judged with what its carrier asked. */
async function askedOf(
  ledger: ReplayedLedger,
  entry: Entry,
  hasAnswer: boolean,
  decodedBytesMax: number,
): Promise<Asked | Obstacle> {
  const { batch } = entry.data;
  if (typeof batch !== 'number') return readAsked(ledger, entry, null, decodedBytesMax);
  const carrier = await ledger.entry(batch);
  if (!hasAnswer) return readAsked(ledger, entry, carrier, decodedBytesMax);
  const asked = await readAsked(ledger, carrier, null, decodedBytesMax);
  if (typeof asked === 'string') return asked;
  return { ...asked, facts: { ...asked.facts, operation: String(entry.data['operation']) } };
}

async function readAsked(
  ledger: ReplayedLedger,
  entry: Entry,
  carrier: Entry | null,
  decodedBytesMax: number,
): Promise<Asked | Obstacle> {
  const { data } = entry;
  const protocol = protocolNamed(data['provider']);
  if (protocol === null) return data['recorded'] === false ? 'not_recorded' : 'unknown_family';
  const message = await messageIn(ledger, entry, 'request');
  if (typeof message === 'string') return message;
  // Other upgrades are offers, and those are calls.
  const isHandshake =
    headerOf(message.headers, 'upgrade').toLowerCase() === 'websocket' && data['method'] === 'GET';
  const read = readingOf(protocol, entry, message, isHandshake, decodedBytesMax);
  if (typeof read === 'string') return read;
  const isCall = carrier === null && !isHandshake && !isSocketBody(entry, message);
  const path = pathIn(entry, message);
  const around = isCall ? envelopeDefects(textOf(data, 'method'), path, message.headers) : [];
  const sent = carrier === null ? message : await messageIn(ledger, carrier, 'request');
  const headers = typeof sent === 'string' || isSocketBody(entry, message) ? null : sent.headers;
  const reading = headers === null ? read : withGatewayOf(read, headers, isHandshake, entry);
  const subject = headers === null ? '' : nameIn(headers, 'holdpoint-subject');
  const lacking = new Set<string>();
  if (headers === null) lacking.add('request.headers');
  if (data['subject'] !== undefined && subject === '') lacking.add('request.subject');
  // Whether they were judged hangs on the credential that was shown, and that is nowhere.
  if ((reading.batchFiles ?? []).length > 0) lacking.add('request.unjudgedFiles');
  const facts = {
    provider: protocol.name,
    operation: textOf(data, 'operation'),
    method: textOf(data, 'method'),
    path,
    ...reading.facts,
    headers: headers === null ? {} : factHeadersOf(headers),
    workload: textOf(data, 'workload'),
    subject,
    purpose: textOf(data, 'purpose'),
    session: textOf(data, 'session'),
  };
  const defects = [...reading.defects, ...around];
  return { protocol, facts, reading: { ...reading, defects }, headers: headers ?? [], lacking, isHandshake };
}

/** A connection with a model asks it, whatever its handshake says; a tunnel is not read. */
function withGatewayOf(
  read: RequestReading,
  headers: RawHeaders,
  isHandshake: boolean,
  { data }: Entry,
): RequestReading {
  if (!isHandshake) return withGateway(read, headers);
  if (data['operation'] === 'tunnel') return read;
  return { ...read, facts: alsoAsking(read.facts, gatewayAsks(headers).names) };
}

function readingOf(
  protocol: Protocol,
  entry: Entry,
  message: HttpMessage,
  isHandshake: boolean,
  decodedBytesMax: number,
): RequestReading | Obstacle {
  const { data } = entry;
  const operation = textOf(data, 'operation');
  const head = { path: pathIn(entry, message), contentType: headerOf(message.headers, 'content-type') };
  if (isHandshake) {
    const { facts, defects } = unreadRequest('');
    return { facts: { ...facts, model: textOf(data, 'model') }, defects };
  }
  if (isSocketBody(entry, message)) return readSocketRequest(message.body);
  if (operation === 'unknown' || operation === 'tunnel') return protocol.readRequest('unknown', empty, head);
  if (data['stored'] !== undefined) return 'cut';
  const plain = plainOf(message, decodedBytesMax);
  if (typeof plain === 'string') return { ...protocol.readRequest('unknown', empty, head), defects: [plain] };
  const [, target = ''] = message.startLine.split(' ');
  return withAddressed(protocol.readRequest(operation, plain, head), operation, target);
}

async function heardOf(
  ledger: ReplayedLedger,
  { protocol, facts: request }: Asked,
  answer: Entry,
  /** Defects that are known otherwise; null where the reading says them. */
  told: readonly string[] | null,
  decodedBytesMax: number,
): Promise<(() => Iterable<Heard>) | Obstacle> {
  const message = await messageIn(ledger, answer, 'response');
  if (typeof message === 'string') return message;
  const { stored, result, status } = answer.data;
  const reading = answerReading(protocol, request, answer, message, decodedBytesMax);
  if (reading === 'cut' || (stored !== undefined && reading.isRead)) return 'cut';
  // Of an answer that broke off, be it by an error here, what is missing was no reason to hold it.
  const saysError = reading.failed !== false || status === 0 || Number(status) >= 400;
  const isWhole = result === 'ok' || (result === 'error' && saysError);
  const defects = told ?? (isWhole ? reading.defects : []);
  return function* heard(): Generator<Heard> {
    yield { facts: { request, response: withoutKnown(reading.facts, answer.data['known']) }, defects };
    for (const line of reading.batch?.() ?? []) {
      const operation = line.status === 0 ? 'unknown' : line.operation;
      const read = protocol.readResponse(operation, line.status, line.response);
      const facts = { request: { ...request, operation }, response: read.facts };
      yield { facts, defects: line.defect === '' ? read.defects : [line.defect, ...read.defects] };
    }
  };
}

type AnswerReading = Pick<ResponseReading, 'facts' | 'defects' | 'batch'> & {
  readonly isRead: boolean;
  /** What was read says that it failed; absent where that is not told by what was read. */
  readonly failed?: boolean;
};

function answerReading(
  protocol: Protocol,
  { operation, stream: streams }: Pick<RequestFacts, 'operation' | 'stream'>,
  answer: Entry,
  message: HttpMessage,
  decodedBytesMax: number,
): AnswerReading | 'cut' {
  if (isSocketBody(answer, message)) return { ...readSocketAnswer(message.body), isRead: true };
  const status = Number(answer.data['status']);
  const unread = (): ResponseReading => protocol.readResponse('unknown', status, empty);
  const tells = protocol.readsAnswerBy?.(operation) ?? null;
  if (!protocol.readsAnswer(operation) && tells === null) return { ...unread(), isRead: false };
  if (answer.data['stored'] !== undefined) return 'cut';
  if (isBodiless(status, message)) return { ...unread(), isRead: true };
  const plain = plainOf(message, decodedBytesMax);
  if (typeof plain === 'string') return { ...unread(), defects: [plain], isRead: true };
  // How a compressed body, or a part from the middle of one, begins told nothing.
  const isWhole = headerOf(message.headers, 'content-encoding') === '' && status !== partialContent;
  if (isWhole && !streams && tells?.(plain) === false) return { ...unread(), isRead: false };
  const form = protocol.streamFormOf(operation, headerOf(message.headers, 'content-type'));
  if (form === null) return { ...protocol.readResponse(operation, status, plain), isRead: true };
  const stream = protocol.openStream(operation, status, form);
  stream.push(plain);
  return { ...stream.finish().reading, isRead: true };
}

/** The body with its content coding undone; a text says why that cannot be, in the words that rules were told. */
function plainOf({ headers, body }: HttpMessage, decodedBytesMax: number): Buffer | string {
  const doubt = bodyFieldDoubt(headers);
  if (doubt !== '') return doubt;
  try {
    return decodeContent(headerOf(headers, 'content-encoding'), body, decodedBytesMax);
  } catch (error) {
    return `the content-encoding cannot be undone: ${messageOf(error)}`;
  }
}
