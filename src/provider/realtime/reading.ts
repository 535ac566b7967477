/** What all dialects share: reading one message as JSON, and readings that say nothing. Pure. */
import { isUtf8 } from 'node:buffer';
import type { RequestBodyFacts } from '../protocol.ts';
import { respelledIn } from '../reading/answer-spelling.ts';
import { isRecord, type JsonRecord, readJsonText, textOf } from '../wire/json.ts';
import type { ClientReading, ServerReading, SocketMessage } from './dialect.ts';

/** Text that the model was told and has not answered yet; more is refused. */
export const untoldBytesMax = 16 * 1024 * 1024;

export interface MessageReading {
  /** Null when it is no JSON object. */
  readonly value: JsonRecord | null;
  /** Why it must not be trusted to mean `value` alone; '' when it does. */
  readonly defect: string;
}

/** One message as a JSON object; some providers send JSON in binary messages. */
export function readMessage({ data }: SocketMessage): MessageReading {
  if (!isUtf8(data)) return { value: null, defect: 'a message is not valid UTF-8' };
  const { value, defect } = readJsonText(data.toString('utf8'), 'a message');
  if (isRecord(value)) return { value, defect: defect || respelledIn(value) };
  return { value: null, defect: defect || 'a message is not a JSON object' };
}

/** A message of ours. */
export function messageOf(value: JsonRecord): SocketMessage {
  return { data: Buffer.from(JSON.stringify(value)), binary: false };
}

/** A message of the workload that cannot be read; it is refused. */
export function unreadableClient(facts: RequestBodyFacts, defect: string): ClientReading {
  return { kind: 'content', facts, defects: [defect], changes: true, accept: () => undefined };
}

/** A message of the workload that tells the model nothing rules read. */
export function mediaOf(facts: RequestBodyFacts): ClientReading {
  return { kind: 'media', facts, defects: [], changes: false, accept: () => undefined };
}

/** Items that ask for something to be done, whether or not they have an id to answer to. */
const callType = /_call$|_approval_request$/;

/** Whether anything within reads like a call, as OpenAI writes one, that somebody might carry out. */
export function mentionsCall(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(mentionsCall);
  if (!isRecord(value)) return false;
  const type = textOf(value.type);
  if (typeof value.call_id === 'string' && !type.endsWith('_output')) return true;
  if (callType.test(type)) return true;
  return Object.values(value).some(mentionsCall);
}

/** The defect of an event that does so and is part of no answer. */
export function strayCall(type: string): string {
  return `the event ${JSON.stringify(type.slice(0, 80))} carries a tool call`;
}

/** A message of the provider that belongs to no answer. */
export const besideAnswers: ServerReading = {
  kind: 'other',
  answer: null,
  ends: false,
  after: [],
  besides: false,
  survives: true,
  alone: false,
  refuses: false,
  doubts: false,
};
