/**
 * The OpenAI Realtime API over a WebSocket, and Azure's (https://platform.openai.com/docs/api-reference/realtime).
 * Its answers are those of the responses API in all but name, so they are read by the same reader. Pure.
 */
import { sha256Hex } from '../../core/bytes.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { isCallItem, readOutput, responseFacts } from '../openai/responses.ts';
import type { ResponseReading } from '../protocol.ts';
import { note, unreadResponse } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import type { ClientReading, ServerReading, SocketDialect, SocketMessage, SocketReader } from './dialect.ts';
import { handedTo, openAnswer, type RealtimeAnswer, toolOf, wordsOf } from './openai-answer.ts';
import { createRealtimeSession, modelsIn } from './openai-session.ts';
import {
  besideAnswers,
  mediaOf,
  mentionsCall,
  messageOf,
  readMessage,
  strayCall,
  unreadableClient,
} from './reading.ts';
import { createTranscriptions, isTranscribed } from './transcription.ts';

const okStatus = 200;
/** Calls and words that the workload has, remembered for when they are said again. */
const knownMax = 10_000;

/** What a call asks for, or a message says: equal texts are the same to whoever has one of them. */
function meaningOf(item: JsonRecord): string {
  if (item.type === 'message') return sha256Hex(Buffer.from(wordsOf(item)));
  return JSON.stringify([toolOf(item), item.call_id ?? item.id, handedTo(item)]);
}

const places: ReadonlySet<string> = new Set([
  'type',
  'event_id',
  'sequence_number',
  'response_id',
  'item_id',
  'output_index',
  'content_index',
]);

/** Something of an answer, and not merely how far it has got. */
function carriesContent(value: JsonRecord): boolean {
  return Object.entries(value).some(([name, member]) => !places.has(name) && !isAbsent(member));
}

function openReader(target: string): SocketReader {
  const session = createRealtimeSession(target);
  const open = new Map<string, RealtimeAnswer>();
  /** Ended, not settled. */
  const ended = new Map<string, RealtimeAnswer>();
  /** Answers made of one message outside any response. */
  const single = new Map<string, ResponseReading>();
  const transcriptions = createTranscriptions();
  const known = new Set<string>();
  /** Which tool each of those calls is of, by its id. */
  const toolByCallId = new Map<string, string>();
  /** The answers under way by the id that the provider gave them; one that waits for its verdict may have had it before. */
  const keys = new Map<string, string>();
  let singles = 0;
  let namesakes = 0;

  function remember(item: JsonRecord): void {
    if (known.size >= knownMax) for (const oldest of [...known].slice(0, knownMax / 2)) known.delete(oldest);
    known.add(meaningOf(item));
    if (item.type === 'message' || textOf(item.call_id) === '') return;
    toolByCallId.set(textOf(item.call_id), toolOf(item));
    const [oldest] = toolByCallId.keys();
    if (toolByCallId.size > knownMax && oldest !== undefined) toolByCallId.delete(oldest);
  }

  /** Some clients go by the id of a call and by what they heard of it first, Pipecat for one. */
  function noteReusedIds(answer: RealtimeAnswer): void {
    for (const item of answer.items()) {
      const tool = toolByCallId.get(textOf(item.call_id));
      if (item.type !== 'message' && tool !== undefined && tool !== toolOf(item))
        note(answer.defects, 'a tool call has the id of an earlier one of another tool');
    }
  }

  /** A message that stands alone: judged by itself. */
  function alone(reading: ResponseReading): ServerReading {
    singles += 1;
    const answer = `#${singles}`;
    single.set(answer, reading);
    return { ...besideAnswers, kind: 'tool', answer, ends: true, alone: true };
  }

  function absorb(id: string, type: string, value: JsonRecord): ServerReading {
    const key = keys.get(id) ?? newKey(id);
    const answer = open.get(key) ?? openAnswer();
    keys.set(id, key);
    open.set(key, answer);
    const ends = type === 'response.done';
    const kind = answer.absorb(type, value);
    if (ends) {
      keys.delete(id);
      open.delete(key);
      ended.set(key, answer);
    }
    return { ...besideAnswers, kind, answer: key, ends };
  }

  /** Also where the provider gives an id that may be one of ours, so that one answer is never read as another. */
  function newKey(id: string): string {
    if (!ended.has(id) && !id.includes('#')) return id;
    namesakes += 1;
    return `${id}#${namesakes}`;
  }

  /** Items of the conversation name no response; what the model says or calls belongs to one all the same. */
  function readItem(item: JsonRecord): ServerReading {
    const isCall = isCallItem(textOf(item.type));
    if (isCall ? known.has(meaningOf(item)) : item.role !== 'assistant') return besideAnswers;
    const kind = isCall ? 'tool' : 'text';
    for (const [id, answer] of ended)
      if (answer.repeats(item)) return { ...besideAnswers, kind, after: [id], survives: false };
    const under = [...open].findLast(([, candidate]) => candidate.has(item));
    const [id, answer] = under ?? (isCall ? [...open].at(-1) : undefined) ?? [];
    if (id !== undefined && answer !== undefined) {
      answer.echo(item);
      return { ...besideAnswers, kind, answer: id };
    }
    // Of what was said before, that which was stopped must not come out as a repetition.
    if (!isCall && (wordsOf(item) === '' || known.has(meaningOf(item)))) return besideAnswers;
    const defects: string[] = [];
    const facts = responseFacts(okStatus, {}, readOutput([item], defects));
    return alone({ facts: { ...facts, model: session.model() }, defects, complete: true, failed: false });
  }

  function readTyped(type: string, value: JsonRecord): ServerReading {
    if (type === 'error') {
      const { error } = value;
      const about = isRecord(error) ? textOf(error.event_id) : '';
      session.refuse(about);
      // Few clients number their events, so that most errors do not say what they are about.
      const refuses = about !== '' && session.wasAskedBy(about);
      return { ...besideAnswers, refuses, doubts: about === '' && open.size === 0 };
    }
    if (type.startsWith('response.')) {
      const response = isRecord(value.response) ? value.response : {};
      const id = textOf(value.response_id) || textOf(response.id) || [...keys.keys()].at(-1);
      if (id !== undefined) return absorb(id, type, value);
      if (carriesContent(value))
        return alone(
          unreadResponse(okStatus, `the event ${JSON.stringify(type.slice(0, 80))} names no response`),
        );
    }
    if (type.startsWith('conversation.item.') && isRecord(value.item)) return readItem(value.item);
    session.hear(type, value);
    const isSettings = !isTranscribed(type) && /^(?:transcription_)?session\./.test(type);
    if (mentionsCall(value) && !isSettings) return alone(unreadResponse(okStatus, strayCall(type)));
    return isTranscribed(type) ? transcriptions.absorb(type, value) : besideAnswers;
  }

  function withModel({ facts, ...reading }: ResponseReading): ResponseReading {
    return { ...reading, facts: { ...facts, model: facts.model || session.model() } };
  }

  return {
    facts: () => session.facts(),
    asked: (recorded) => session.asked(recorded),
    readClient: (message) => readClientMessage(message),
    readServer(message) {
      const { value, defect } = readMessage(message);
      if (value === null) return alone(unreadResponse(okStatus, defect));
      const type = textOf(value.type);
      const reading = readTyped(type, value);
      if (defect === '') return reading;
      if (reading.answer === null) return alone(unreadResponse(okStatus, defect));
      const answer = open.get(reading.answer) ?? ended.get(reading.answer);
      note(answer?.defects ?? transcriptions.defects(reading.answer), defect);
      return { ...reading, kind: 'tool' };
    },
    reading(id) {
      const alone = single.get(id);
      if (alone !== undefined) return alone;
      const transcription = transcriptions.reading(id);
      if (transcription !== null) return withModel(transcription);
      const answer = open.get(id) ?? ended.get(id) ?? openAnswer();
      noteReusedIds(answer);
      return withModel(answer.reading());
    },
    settle(id, delivered) {
      const answer = open.get(id) ?? ended.get(id);
      if (delivered) for (const item of answer?.items() ?? []) remember(item);
      for (const map of [open, ended, single]) map.delete(id);
      transcriptions.settle(id);
    },
    denial(id, code, message) {
      const error = errorOf(code, message, null);
      const answer = ended.get(id);
      if (answer === undefined) return [messageOf(errorMessage(error))];
      return [
        messageOf(errorMessage(error)),
        messageOf(failedResponse(textOf(answer.response().id) || id, answer.response(), code, message)),
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
  // Mistral's.
  'input_audio.append',
  'input_audio.flush',
  'input_audio.end',
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

export const openaiRealtime: SocketDialect = {
  operation: 'realtime',
  doubt: (target) => (modelsIn(target).length > 1 ? 'The address names more than one model.' : ''),
  open: openReader,
};
