/**
 * What the proxy needs to know about one API family. Parsers are pure: bytes in, facts out, no sockets,
 * no clock. A parser never throws on what a provider or workload sends: what it could not read it names
 * in `defects`, and whoever reads a defect holds or refuses, never lets through.
 */
import type { ErrorCode } from '../core/errors.ts';
import type { RequestFacts, ResponseFacts } from '../core/facts.ts';
import type { ProtocolName } from '../core/protocol-name.ts';

/**
 * What a call asks for, in lower case, such as `chat.completions`; each family names its own. `unknown` passes
 * byte for byte and is recorded without being understood; no other name means anything outside its family.
 */
export type OperationName = string;

/**
 * How an answer comes in pieces: server-sent events, one JSON text a line, one JSON array written element by
 * element, or Amazon's binary frames.
 */
export type StreamForm = 'sse' | 'ndjson' | 'json-array' | 'aws-eventstream';

/** What a request says outside its body. */
export interface RequestHead {
  /** At the upstream, without the query. */
  readonly path: string;
  readonly contentType: string;
}

/** The part of the facts that stands in a request's body. */
export type RequestBodyFacts = Pick<
  RequestFacts,
  'model' | 'stream' | 'params' | 'system' | 'messages' | 'text' | 'tokenIds' | 'tools' | 'insteads'
>;

/** One request of a body that carries many, as if it had been sent alone. */
export interface BatchRequest {
  readonly customId: string;
  /** What the line asks for, in the family's own words. */
  readonly operation: OperationName;
  /** Where it would have been sent. */
  readonly path: string;
  readonly request: Buffer;
  /** Why it must not be trusted to mean this alone; '' when it does. */
  readonly defect: string;
}

/** One answer of a body that carries many, as if it had come alone. */
export interface BatchResult {
  readonly customId: string;
  readonly operation: OperationName;
  /** The status the answer would have had; 0 where the request was never run. */
  readonly status: number;
  readonly response: Buffer;
  readonly defect: string;
}

export interface RequestReading {
  readonly facts: RequestBodyFacts;
  /** The requests that the body carries, read anew each time; absent where it carries none. */
  readonly batch?: (() => Iterable<BatchRequest>) | undefined;
  /** Reads them from the one file of a form that is too large for memory; absent where that cannot be. */
  readonly batchFrom?: ((file: AsyncIterable<Buffer>) => AsyncIterable<BatchRequest>) | undefined;
  /** Files that hold further requests and run with this one, as it names them; absent for none. */
  readonly batchFiles?: readonly string[] | undefined;
  /** What could not be read, in words a developer understands; empty when all was understood. */
  readonly defects: readonly string[];
}

export interface ResponseReading {
  readonly facts: ResponseFacts;
  /** The answers that the body carries, read anew each time; absent where it carries none. */
  readonly batch?: (() => Iterable<BatchResult>) | undefined;
  readonly defects: readonly string[];
  /** Streams: the provider's own terminal event was seen. Always true for a whole body that parsed. */
  readonly complete: boolean;
  /** Streams: an error event arrived after status 200. */
  readonly failed: boolean;
}

/** An answer that was read from where it lies, line by line. */
export type LinesReading = Pick<ResponseReading, 'facts' | 'defects'> & {
  readonly batch?: (() => AsyncIterable<BatchResult>) | undefined;
};

/**
 * One event, line, element or frame of a stream, bytes as received.
 * `text`: shows the client something that is not a tool call. `tool`: carries any part of a tool call, or
 * could not be read (so it must not pass unjudged). `end`: the provider's terminal event. `error`: in-band
 * error. `other`: comments, pings, role and usage frames.
 */
export interface StreamEvent {
  readonly kind: 'text' | 'tool' | 'end' | 'error' | 'other';
  /** The event's bytes with what separates it from the next; concatenating all gives the stream back. */
  readonly raw: Buffer;
}

export interface ResponseStream {
  /** Feeds bytes as they arrive, split anywhere; returns the events that became whole. */
  push(chunk: Buffer): readonly StreamEvent[];
  /** Ends the stream: bytes of an unfinished last event (may be empty) and what the whole stream said. */
  finish(): { readonly rest: Buffer; readonly reading: ResponseReading };
}

/** An event of a stream without end. */
export interface SegmentEvent extends StreamEvent {
  /** What came since the last cut stands by itself: a call is whole, a turn is over, or something cannot be read. */
  readonly ends: boolean;
}

/**
 * A stream without end, such as the events of a session, read segment by segment: from one cut to the next it is
 * judged as if it were an answer of its own.
 */
export interface SegmentedStream {
  /** Feeds bytes as they arrive, split anywhere; `next` then gives the events that became whole. */
  push(chunk: Buffer): void;
  /** The next event, which belongs to the segment under way from then on; null when there is none. */
  next(): SegmentEvent | null;
  /** What has begun and is not whole yet, so that a cut here would part it; null for nothing. */
  within(): 'call' | 'text' | null;
  /** Ends the segment, and says what it said. Calls that were told and delivered before are no calls again. */
  cut(): ResponseReading;
  /** The segment that was cut last reached its reader as it came. */
  delivered(): void;
  /** Ends the stream: bytes of an unfinished last event, which belongs to the segment under way. */
  finish(): Buffer;
  /** False for a stream that has an end and did not reach it. */
  isWhole(): boolean;
}

/** What a reviewer may change; absent fields stay as the model gave them. */
export interface Amendment {
  readonly text?: string;
  /** Replaces the arguments of the named calls; calls that are not listed stay as they were. */
  readonly toolCalls?: readonly { readonly id: string; readonly arguments: unknown }[];
  /** Ids of calls that are taken out of the answer. */
  readonly withheld?: readonly string[];
}

export interface Protocol {
  readonly name: ProtocolName;
  /** What a method and path (at the upstream, no query) mean in this family. */
  operationOf(method: string, path: string): OperationName;
  /** False where an answer cannot hold what rules judge, such as audio: it then passes as it comes. */
  readsAnswer(operation: OperationName): boolean;
  /**
   * Only where that depends on how the answer's bytes begin, as of a file that may be anything: what tells, of an answer that
   * was not asked for as a stream.
   */
  readsAnswerBy?(operation: OperationName): ((firstBytes: Buffer) => boolean) | null;
  /**
   * Reads a request body (content-encoding already removed). Of a large multipart body the contents of its
   * files are left out.
   */
  readRequest(operation: OperationName, body: Buffer, head: RequestHead): RequestReading;
  /** Reads a whole, non-streaming answer (content-encoding already removed). */
  readResponse(operation: OperationName, status: number, body: Buffer): ResponseReading;
  /**
   * Only of answers that are files of lines: reads one that is too large for memory, content-encoding already removed,
   * each time it is asked from the first byte on. null where the answer can only be read whole.
   */
  readResponseFrom?(
    operation: OperationName,
    status: number,
    file: () => AsyncIterable<Buffer>,
  ): Promise<LinesReading> | null;
  /** Only where files are uploaded: the id that a whole answer gives to the file of that request; '' for none. */
  fileIdIn?(operation: OperationName, body: Buffer): string;
  /** How an answer of this type streams; null when it is one whole. */
  streamFormOf(operation: OperationName, contentType: string): StreamForm | null;
  /** Opens a reader for an answer in that form. */
  openStream(operation: OperationName, status: number, form: StreamForm): ResponseStream;
  /**
   * Only of operations whose streams, in the form `sse`, have no end that all of it could wait for: opens a reader for one by the
   * answer's status; null for all others. `openStream` reads what one segment says.
   */
  segmentsOf?(operation: OperationName): ((status: number) => SegmentedStream) | null;
  /**
   * The error envelope that clients of this operation expect, as a JSON body; `code` is machine-readable inside
   * it. Of `unknown` it is the server's own.
   */
  errorBody(operation: OperationName, code: ErrorCode, httpStatus: number, message: string): string;
  /** Headers without which the family's SDKs do not recognise that envelope. */
  errorHeaders(code: ErrorCode, httpStatus: number): Readonly<Record<string, string>>;
  /**
   * The provider's own in-band error for a stream that already began; type `permission_error`. `isFirst`: the
   * caller has the headers but no event yet, which matters where events are elements of one array.
   */
  errorEvent(
    operation: OperationName,
    form: StreamForm,
    code: ErrorCode,
    message: string,
    isFirst?: boolean,
  ): Buffer | string;
  /** A frame that every SDK parses and shows nobody, or null where there is none. */
  keepAliveEvent(operation: OperationName, form: StreamForm, model: string): Buffer | string | null;
  /**
   * Only where SDKs of this family stumble over what `fillerOf` gives for the form: what to write instead, or
   * null for keep-alive events alone.
   */
  filler?(operation: OperationName, form: StreamForm): string | null;
  /**
   * The answer with an amendment applied, in the same form (JSON or stream) as the original. Called by
   * `amendAnswer` alone, which checks the result.
   * Throws HoldpointError `invalid_argument` when the amendment does not fit the answer.
   */
  amendResponse(
    operation: OperationName,
    original: Buffer,
    form: StreamForm | null,
    amendment: Amendment,
  ): Buffer;
}
