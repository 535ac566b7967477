/**
 * The OpenAI Realtime API over a WebSocket, and Azure's (https://platform.openai.com/docs/api-reference/realtime).
 * Its answers are those of the responses API in all but name, so they are read by the same reader. Pure.
 */
import type { ErrorCode } from '../core/errors.ts';
import { isRecord, type JsonRecord, textOf } from './json.ts';
import { isCallItem, readOutput, responseFacts } from './openai-responses.ts';
import type { ResponseReading } from './protocol.ts';
import { note, unreadResponse } from './reading.ts';
import type { ClientReading, ServerReading, SocketDialect, SocketMessage, SocketReader } from './realtime.ts';
import { openAnswer, type RealtimeAnswer } from './realtime-openai-answer.ts';
import { createRealtimeSession } from './realtime-openai-session.ts';
import { besideAnswers, mediaOf, messageOf, readMessage, unreadableClient } from './realtime-reading.ts';

const okStatus = 200;
/** Answers that ended and wait for their verdict, or are remembered for what is said of them afterwards. */
const knownCallsMax = 10_000;

/** What a call asks for: equal texts ask for the same. */
export function askedBy(item: JsonRecord): string {
  return JSON.stringify([item.type, item.call_id ?? item.id, item.name, item.arguments]);
}

function openReader(target: string): SocketReader {
  const session = createRealtimeSession(target);
  const open = new Map<string, RealtimeAnswer>();
  /** Ended, not settled. */
  const ended = new Map<string, RealtimeAnswer>();
  /** Answers made of one message outside any response. */
  const single = new Map<string, ResponseReading>();
  const known = new Set<string>();
  let singles = 0;

  function remember(item: JsonRecord): void {
    if (known.size >= knownCallsMax)
      for (const oldest of [...known].slice(0, knownCallsMax / 2)) known.delete(oldest);
    known.add(askedBy(item));
  }

  /** A message that stands alone: judged by itself. */
  function alone(reading: ResponseReading): ServerReading {
    singles += 1;
    const answer = `#${singles}`;
    single.set(answer, reading);
    return { ...besideAnswers, kind: 'tool', answer, ends: true, alone: true };
  }

  function absorb(id: string, type: string, value: JsonRecord): ServerReading {
    let answer = open.get(id);
    if (answer === undefined) {
      answer = openAnswer();
      open.set(id, answer);
    }
    const ends = type === 'response.done';
    const kind = answer.absorb(type, value);
    if (ends) {
      open.delete(id);
      ended.set(id, answer);
    }
    return { ...besideAnswers, kind, answer: id, ends };
  }

  /** Items of the conversation name no response; what the model says or calls belongs to one all the same. */
  function readItem(type: string, item: JsonRecord): ServerReading {
    const isCall = isCallItem(textOf(item.type));
    if (isCall ? known.has(askedBy(item)) : item.role !== 'assistant') return besideAnswers;
    const kind = isCall ? 'tool' : 'text';
    for (const [id, answer] of ended) {
      const repeats = isCall ? answer.asks(item) : answer.has(item);
      if (repeats) return { ...besideAnswers, kind, after: id, survives: false };
    }
    const [id, answer] = [...open].findLast(([, candidate]) => candidate.has(item)) ?? [...open].at(-1) ?? [];
    if (id !== undefined && answer !== undefined) {
      if (isCall) answer.echo(type, item);
      return { ...besideAnswers, kind, answer: id };
    }
    if (!isCall) return besideAnswers;
    const defects: string[] = [];
    const facts = responseFacts(okStatus, {}, readOutput([item], defects));
    return alone({ facts: { ...facts, model: session.model() }, defects, complete: true, failed: false });
  }

  function readTyped(type: string, value: JsonRecord): ServerReading {
    if (type === 'error') {
      const { error } = value;
      const about = isRecord(error) ? textOf(error.event_id) : '';
      // Few clients number their events, so that most errors do not say what they are about.
      const refuses = about !== '' && session.wasAskedBy(about);
      return { ...besideAnswers, refuses, doubts: about === '' && open.size === 0 };
    }
    if (type.startsWith('response.')) {
      const response = isRecord(value.response) ? value.response : {};
      const id = textOf(value.response_id) || textOf(response.id) || [...open.keys()].at(-1);
      if (id !== undefined) return absorb(id, type, value);
    }
    if (type.startsWith('conversation.item.') && isRecord(value.item)) return readItem(type, value.item);
    session.hear(type, value);
    if (mentionsCall(value) && !type.startsWith('session.') && !type.startsWith('transcription_session.'))
      return alone(
        unreadResponse(okStatus, `the event ${JSON.stringify(type.slice(0, 80))} carries a tool call`),
      );
    return besideAnswers;
  }

  return {
    facts: () => session.facts(),
    asked: () => session.asked(),
    readClient: (message) => readClientMessage(message),
    readServer(message) {
      const { value, defect } = readMessage(message);
      if (value === null) return alone(unreadResponse(okStatus, defect));
      const type = textOf(value.type);
      const reading = readTyped(type, value);
      if (defect === '') return reading;
      if (reading.answer === null || reading.after !== null) return alone(unreadResponse(okStatus, defect));
      note((open.get(reading.answer) ?? ended.get(reading.answer))?.defects ?? [], defect);
      return { ...reading, kind: 'tool' };
    },
    reading(id) {
      const alone = single.get(id);
      if (alone !== undefined) return alone;
      const { facts, ...reading } = (open.get(id) ?? ended.get(id) ?? openAnswer()).reading();
      return { ...reading, facts: { ...facts, model: facts.model || session.model() } };
    },
    settle(id, delivered) {
      const answer = open.get(id) ?? ended.get(id);
      if (delivered) for (const item of answer?.calls() ?? []) remember(item);
      for (const map of [open, ended, single]) map.delete(id);
    },
    denial(id, code, message) {
      const error = errorOf(code, message, null);
      const answer = ended.get(id);
      if (answer === undefined) return [messageOf(errorMessage(error))];
      return [
        messageOf(errorMessage(error)),
        messageOf(failedResponse(id, answer.response(), code, message)),
      ];
    },
    refusal(refused, code, message) {
      const about = readMessage(refused).value?.event_id;
      return messageOf(errorMessage(errorOf(code, message, typeof about === 'string' ? about : null)));
    },
  };

  function readClientMessage(message: SocketMessage): ClientReading {
    const { value, defect } = readMessage(message);
    if (value === null) return unreadableClient(session.facts(), defect);
    if (isMedia(textOf(value.type)) && defect === '') return mediaOf(session.facts());
    const reading = session.read(value);
    const accept = (): void => {
      reading.accept();
      if (value.type === 'conversation.item.create' && isRecord(value.item)) remember(value.item);
    };
    return { ...reading, defects: defect === '' ? reading.defects : [...reading.defects, defect], accept };
  }
}

/** Sound, marks within it, and wishes about what was said before. */
const mediaTypes: ReadonlySet<string> = new Set([
  'input_audio_buffer.append',
  'input_audio_buffer.clear',
  'input_audio_buffer.commit',
  'output_audio_buffer.clear',
  'session.input_audio_buffer.append',
  'session.close',
  'response.cancel',
  'conversation.item.retrieve',
  'conversation.item.delete',
  'conversation.item.truncate',
]);

function isMedia(type: string): boolean {
  return mediaTypes.has(type);
}

/** Whether anything within reads like a call that somebody might carry out. */
function mentionsCall(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(mentionsCall);
  if (!isRecord(value)) return false;
  if (typeof value.call_id === 'string' && !textOf(value.type).endsWith('_output')) return true;
  return Object.values(value).some(mentionsCall);
}

function errorOf(code: ErrorCode, message: string, eventId: string | null): JsonRecord {
  return { type: 'permission_error', code, message, param: null, event_id: eventId };
}

function errorMessage(error: JsonRecord): JsonRecord {
  return { type: 'error', event_id: 'event_holdpoint', error };
}

/** Clients wait for the end of a response before they ask again. Of its output nothing is repeated. */
function failedResponse(id: string, response: JsonRecord, code: ErrorCode, message: string): JsonRecord {
  const error = { type: 'permission_error', code, message };
  return {
    type: 'response.done',
    event_id: 'event_holdpoint',
    response: {
      object: 'realtime.response',
      id,
      status: 'failed',
      status_details: { type: 'failed', error },
      output: [],
      conversation_id: response.conversation_id ?? null,
      output_modalities: response.output_modalities ?? [],
      max_output_tokens: response.max_output_tokens ?? 'inf',
      metadata: response.metadata ?? null,
      usage: response.usage ?? null,
    },
  };
}

export const openaiRealtime: SocketDialect = { operation: 'realtime', open: openReader };
