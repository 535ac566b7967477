/** What people see of a hold or a decision: sealed entries and bodies, read back and put into words. */
import { sha256Hex } from '../core/bytes.ts';
import { decodeContent } from '../core/content-coding.ts';
import { HoldpointError } from '../core/errors.ts';
import type { RequestFacts, ResponseFacts, ToolCallFact } from '../core/facts.ts';
import { decodeHttpMessage, type HttpMessage, headerOf } from '../core/http-message.ts';
import type { Hold } from '../hold/record.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { protocolNamed } from '../provider/index.ts';
import type { OperationName, Protocol, ResponseReading } from '../provider/protocol.ts';
import { socketBodyType } from '../provider/realtime/body.ts';
import { readSocketAnswer, readSocketRequest } from '../provider/realtime/understood.ts';

const headlineCharactersMax = 200;
const decodedBytesMax = 64 * 1024 * 1024;
const summariesMax = 20_000;
const textsMax = 1_000;

export interface Exchange {
  readonly request: Omit<RequestFacts, 'headers' | 'workload' | 'subject' | 'purpose' | 'session'> & {
    readonly raw: RawMessage;
  };
  readonly response: (ResponseFacts & { readonly raw: RawMessage; readonly streamed: boolean }) | null;
  /** What could not be read. */
  readonly defects: readonly string[];
}

export interface RawMessage {
  readonly startLine: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** The sealed messages of a decision, as bytes. */
interface SealedMessages {
  readonly request: Buffer;
  readonly response: Buffer | null;
}

/** Throws when a body is damaged or erased. */
async function readMessages(ledger: Ledger, entries: readonly Entry[]): Promise<SealedMessages> {
  const [first] = entries;
  if (first === undefined) throw new RangeError('A decision has at least its request.');
  const answer = answerIn(entries);
  return {
    request: await ledger.part(first.seq, 'request'),
    response: answer === undefined ? null : await ledger.part(answer.seq, 'response'),
  };
}

function answerIn(entries: readonly Entry[]): Entry | undefined {
  return entries.findLast((entry) => entry.type === 'response');
}

/** Reads and understands the sealed exchange of a decision. Throws when a body is damaged. */
export async function readExchange(ledger: Ledger, entries: readonly Entry[]): Promise<Exchange> {
  return understood(entries, await readMessages(ledger, entries));
}

function understood(entries: readonly Entry[], sealed: SealedMessages): Exchange {
  const [first] = entries;
  if (first === undefined) throw new RangeError('A decision has at least its request.');
  const provider = String(first.data['provider']);
  const protocol = protocolNamed(provider);
  if (protocol === null) throw unknownProvider(provider);
  const operation: OperationName = String(first.data['operation']);
  const path = String(first.data['path']);
  const message = decodeHttpMessage(sealed.request);
  const stored = first.data['stored'];
  const request = isSocketBody(first, message)
    ? readSocketRequest(message.body)
    : protocol.readRequest(
        stored === undefined ? operation : 'unknown',
        stored === undefined ? plainBody(message) : Buffer.alloc(0),
        { path, contentType: headerOf(message.headers, 'content-type') },
      );
  const partial =
    stored === undefined
      ? []
      : [`only the first ${String(stored)} of ${String(first.data['bytes'])} bytes are stored`];
  const answer = answerIn(entries);
  const base = {
    provider,
    operation,
    method: String(first.data['method']),
    path,
    ...request.facts,
    raw: rawOf(message),
  };
  if (answer === undefined || sealed.response === null)
    return { request: base, response: null, defects: [...partial, ...request.defects] };
  const answerMessage = decodeHttpMessage(sealed.response);
  const streamed = answer.data['streamed'] === true;
  const reading = isSocketBody(answer, answerMessage)
    ? readSocketAnswer(answerMessage.body)
    : readAnswer(protocol, operation, Number(answer.data['status']), answerMessage);
  return {
    request: base,
    response: {
      ...reading.facts,
      streamed,
      raw: rawOf(answerMessage),
    },
    defects: [...partial, ...request.defects, ...reading.defects],
  };
}

/** What a sealed answer said. */
export function readAnswer(
  protocol: Protocol,
  operation: OperationName,
  status: number,
  message: HttpMessage,
): ResponseReading {
  const form = protocol.streamFormOf(operation, headerOf(message.headers, 'content-type'));
  if (form === null) return protocol.readResponse(operation, status, plainBody(message));
  const stream = protocol.openStream(operation, status, form);
  stream.push(plainBody(message));
  return stream.finish().reading;
}

/** Messages of a WebSocket stand with what was understood of them. A body that came by HTTP and claims to be such is none. */
export function isSocketBody(entry: Entry, message: HttpMessage): boolean {
  return headerOf(message.headers, 'content-type') === socketBodyType && entry.data['carrier'] === undefined;
}

function unknownProvider(provider: string): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    `The exchange names the provider family ${JSON.stringify(provider)}, which this version does not know.`,
    'Was it sealed by a newer Holdpoint? Run that version.',
  );
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

export interface HoldSummary {
  readonly headline: string;
  /** See `contentDigestOf`. */
  readonly contentDigest: string;
  readonly provider: string;
  readonly operation: string;
  readonly model: string;
  readonly workload: string;
  readonly session: string;
  readonly stream: boolean;
}

/**
 * Summaries of holds, read once and kept, bounded. A hold whose sealed exchange is damaged is shown as such:
 * one that cannot be read must not hide the others from the people who rule.
 */
export function createSummaries(ledger: Ledger): (hold: Hold) => Promise<HoldSummary> {
  const known = new Map<number, HoldSummary>();
  const texts = new Map<string, string>();
  const shared = (text: string): string => {
    const first = texts.get(text);
    if (first !== undefined) return first;
    if (texts.size >= textsMax) texts.clear();
    texts.set(text, text);
    return text;
  };
  let knownSince = ledger.erasureAge();
  return async (hold) => {
    const begunAt = ledger.erasureAge();
    // What was erased must not go on being shown from memory.
    if (begunAt !== knownSince) {
      known.clear();
      texts.clear();
    }
    knownSince = begunAt;
    const kept = known.get(hold.seq);
    if (kept !== undefined) return kept;
    try {
      const summary = await readSummary(ledger, hold, shared);
      if (known.size >= summariesMax) known.clear();
      if (ledger.erasureAge() === begunAt) known.set(hold.seq, summary);
      return summary;
    } catch (error) {
      const isKnown =
        error instanceof HoldpointError && (error.code === 'erased' || error.code === 'ledger_damaged');
      if (!isKnown) throw error;
      const headline = cut(
        error.code === 'erased' ? error.message : `The sealed exchange cannot be read: ${error.message}`,
      );
      return {
        headline,
        contentDigest: '',
        provider: '',
        operation: '',
        model: '',
        workload: '',
        session: '',
        stream: false,
      };
    }
  };
}

/** `shared` gives one copy of what many holds have in common. */
async function readSummary(
  ledger: Ledger,
  hold: Hold,
  shared: (text: string) => string,
): Promise<HoldSummary> {
  const all = await ledger.decision(hold.decision);
  const entries = hold.phase === 'request' ? all.slice(0, 1) : all;
  const sealed = await readMessages(ledger, entries);
  const exchange = understood(entries, sealed);
  const data = entries[0]?.data ?? {};
  // Of a decision with several answers, the one that is held is seldom another one than the last.
  const held = all.find(({ seq }) => seq === (hold.phase === 'request' ? hold.decision : hold.response));
  const isRead = hold.phase === 'request' || held === answerIn(entries);
  const bytes = hold.phase === 'request' ? sealed.request : sealed.response;
  return {
    headline: headlineOf(exchange),
    contentDigest:
      isRead && held !== undefined && bytes !== null
        ? contentDigestIn(held, bytes)
        : await contentDigestOf(ledger, hold),
    provider: shared(exchange.request.provider),
    operation: shared(exchange.request.operation),
    model: shared(exchange.request.model),
    workload: shared(String(data['workload'] ?? '')),
    session: shared(String(data['session'] ?? '')),
    stream: exchange.request.stream,
  };
}

/**
 * SHA-256 of the held bytes as they were recorded, 64 hex: unlike the salted digest of a hold, the same wherever the
 * bytes are. '' where values of credentials were taken out, since then what is recorded is not all that is held.
 */
export async function contentDigestOf(ledger: Ledger, hold: Hold): Promise<string> {
  const seq = hold.phase === 'request' ? hold.decision : hold.response;
  if (seq === null) return '';
  return contentDigestIn(await ledger.entry(seq), await ledger.part(seq, hold.phase));
}

function contentDigestIn({ data }: Entry, bytes: Buffer): string {
  return data['removed'] === undefined ? sha256Hex(bytes) : '';
}

/** What would happen, in the workload's own words: the tool call, else the answer, else the last thing asked. */
function headlineOf({ request, response }: Exchange): string {
  const calls = response?.toolCalls ?? [];
  if (calls.length > 0) return cut(calls.map(callLine).join('; '));
  if (response !== null) return cut(response.text || response.refusal || `answer ${response.status}`);
  return cut(request.messages.at(-1)?.text || `${request.method} ${request.path}`);
}

function callLine(call: ToolCallFact): string {
  const args = call.arguments;
  const pairs = typeof args === 'object' && args !== null ? Object.entries(args) : [];
  return `${call.name} ${pairs.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' ')}`.trim();
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= headlineCharactersMax ? line : `${line.slice(0, headlineCharactersMax - 1)}…`;
}
