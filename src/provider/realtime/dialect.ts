/**
 * What the proxy needs to know of an API that speaks over a WebSocket: which messages tell the model something,
 * which belong to one of its answers, and which of those carry part of a tool call. One dialect for each API, chosen
 * by path; one reader for each connection, which remembers the session. Pure: no sockets, no clock. What cannot be
 * read never passes unjudged: it is a defect, or an answer of its own.
 */
import type { ErrorCode } from '../../core/errors.ts';
import type { OperationName, RequestBodyFacts, ResponseReading } from '../protocol.ts';

export interface SocketMessage {
  readonly data: Buffer;
  readonly binary: boolean;
}

/**
 * A message of the workload. `media`: sound, pictures and marks between them, nothing that rules read. `content`:
 * changes what the model is told. `ask`: makes it answer.
 */
export interface ClientReading {
  readonly kind: 'media' | 'content' | 'ask';
  /** Where the answer to an `ask` will come: only answers within one lane keep the order of their questions. */
  readonly lane?: string;
  /** What the model has been told since its last answer, this message included. */
  readonly facts: RequestBodyFacts;
  readonly defects: readonly string[];
  /** False when rules would see the same as before it. */
  readonly changes: boolean;
  /** Remembers the message as sent on; until then it is as if it had never come. */
  accept(): void;
}

/**
 * A message of the provider. `tool`: carries any part of a tool call, or could not be read. `text`: shows or plays
 * something. `other`: all else.
 */
export interface ServerReading {
  readonly kind: 'text' | 'tool' | 'other';
  /** Absent where the API has one lane alone. */
  readonly lane?: string;
  /** The answer it belongs to, which begins with the first message that names it; null when it belongs to none. */
  readonly answer: string | null;
  /** It is the last one of that answer. */
  readonly ends: boolean;
  /** Answers that ended, and that this one must not overtake: it follows each of them that is held. */
  readonly after: readonly string[];
  /** It is about what the workload has already as well, so that it goes on at once besides. */
  readonly besides: boolean;
  /** Of a message that follows an answer: it goes on even where that one was denied. */
  readonly survives: boolean;
  /** It is an answer by itself, to nothing that was asked. */
  readonly alone: boolean;
  /** It refuses what was asked: no answer will come. */
  readonly refuses: boolean;
  /** It may refuse what was asked: an answer to that may still come, but need not. */
  readonly doubts: boolean;
}

export interface SocketReader {
  /** One answer may be to several questions, such as to the results of calls made together: then it is the newest's. */
  readonly joinsAsks?: boolean;
  /** What the model has been told since its last answer. */
  facts(): RequestBodyFacts;
  readClient(message: SocketMessage): ClientReading;
  readServer(message: SocketMessage): ServerReading;
  /** What these facts of its own say has been recorded with the answer it led to; what was told since stays. */
  asked(recorded: RequestBodyFacts): void;
  /** What an answer said; of one that did not end, as far as it came. */
  reading(answer: string): ResponseReading;
  /** The answer is over: its calls are known to the workload, or never will be. */
  settle(answer: string, delivered: boolean): void;
  /** In place of an answer's withheld messages: the provider's own way to say no, after which the session goes on. */
  denial(answer: string, code: ErrorCode, message: string): readonly SocketMessage[];
  /** In answer to a message of the workload that was not sent on; null where only closing the connection says it. */
  refusal(refused: SocketMessage, code: ErrorCode, message: string): SocketMessage | null;
}

export interface SocketDialect {
  readonly operation: OperationName;
  /** Why servers may take `target` for different things; '' or absent where all take it alike. */
  doubt?(target: string): string;
  /** `target`: path and query of the connection, which may name the model. */
  open(target: string): SocketReader;
}
