/**
 * The responses API over a WebSocket (https://developers.openai.com/api/docs/guides/websocket-mode): each
 * `response.create` is a whole request, each answer the events that a stream would have. Answers come one after the
 * other within a lane, which `stream_id` names; their events say nothing else of whose they are. Pure.
 */

import { readResponsesRequest } from '../openai/responses.ts';
import { createResponsesStreamReader, type ResponsesStreamReader } from '../openai/responses-stream.ts';
import type { RequestBodyFacts, ResponseReading } from '../protocol.ts';
import { note, unreadRequest, unreadResponse } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import type { ClientReading, ServerReading, SocketDialect, SocketReader } from './dialect.ts';
import {
  besideAnswers,
  mentionsCall,
  messageOf,
  readMessage,
  strayCall,
  unreadableClient,
} from './reading.ts';

const okStatus = 200;
const asks = 'response.create';
/** Of further ones it is forgotten which model answers there. */
const lanesMax = 1_000;

interface LaneAnswer {
  readonly lane: string;
  readonly reader: ResponsesStreamReader;
}

const endTypes: ReadonlySet<string> = new Set([
  'response.completed',
  'response.failed',
  'response.incomplete',
]);

function openReader(): SocketReader {
  const nothing = unreadRequest('').facts;
  const answers = new Map<string, LaneAnswer>();
  /** The answer under way in each lane. */
  const current = new Map<string, string>();
  const single = new Map<string, ResponseReading>();
  /** The model that answers in each lane, by the last message that named one. */
  const models = new Map<string, string>();
  let told: RequestBodyFacts = nothing;
  let begun = 0;

  function alone(defect: string): ServerReading {
    begun += 1;
    const answer = `#${begun}`;
    single.set(answer, unreadResponse(okStatus, defect));
    return { ...besideAnswers, kind: 'tool', answer, ends: true, alone: true };
  }

  function answerIn(lane: string): string {
    const known = current.get(lane);
    if (known !== undefined) return known;
    begun += 1;
    const answer = `${begun}`;
    answers.set(answer, { lane, reader: createResponsesStreamReader(okStatus) });
    current.set(lane, answer);
    return answer;
  }

  function readTyped(type: string, value: JsonRecord): ServerReading {
    const lane = textOf(value.stream_id);
    const isError = type === 'error';
    if (isError && !current.has(lane)) return { ...besideAnswers, lane, refuses: true };
    const isSteering = type.startsWith('response.steer.');
    if (isSteering || (!isError && !type.startsWith('response.'))) {
      // Nothing is known of it, so with an answer under way it may be part of that one.
      const answer = isSteering ? undefined : current.get(lane);
      const strays = mentionsCall(value);
      if (answer === undefined) return strays ? alone(strayCall(type)) : besideAnswers;
      if (strays) note(answers.get(answer)?.reader.defects ?? [], strayCall(type));
      return { ...besideAnswers, kind: 'tool', answer };
    }
    const answer = answerIn(lane);
    const kind = answers.get(answer)?.reader.absorb('', value) ?? 'tool';
    const ends = isError || endTypes.has(type);
    if (ends) current.delete(lane);
    return {
      ...besideAnswers,
      kind: kind === 'tool' || kind === 'text' ? kind : 'other',
      lane,
      answer,
      ends,
    };
  }

  function factsOf(value: JsonRecord, defects: string[]): RequestBodyFacts {
    const { type, stream_id: lane, ...body } = value;
    const reading = readResponsesRequest(Buffer.from(JSON.stringify(body)));
    for (const defect of reading.defects) note(defects, defect);
    // Whatever steers an answer, or adds to what is told, leaves its model as it is.
    const model = type === asks ? reading.facts.model : reading.facts.model || modelIn(textOf(lane));
    return { ...reading.facts, model, stream: true };
  }

  const modelIn = (lane: string): string => models.get(lane) ?? '';

  function rememberModel(lane: string, model: string): void {
    models.delete(lane);
    models.set(lane, model);
    const [oldest] = models.keys();
    if (models.size > lanesMax && oldest !== undefined) models.delete(oldest);
  }

  return {
    facts: () => told,
    asked: () => {
      told = nothing;
    },
    readClient(message): ClientReading {
      const { value, defect } = readMessage(message);
      if (value === null) return unreadableClient(told, defect);
      const defects: string[] = [];
      note(defects, defect);
      const facts = factsOf(value, defects);
      const lane = textOf(value.stream_id);
      const kind = value.type === asks ? 'ask' : 'content';
      if (textOf(value.type) === '') note(defects, 'a message names no type');
      const accept = (): void => {
        told = facts;
        rememberModel(lane, facts.model);
      };
      return { kind, lane, facts, defects, changes: true, accept };
    },
    readServer(message) {
      const { value, defect } = readMessage(message);
      if (value === null) return alone(defect);
      const reading = readTyped(textOf(value.type), value);
      if (defect === '') return reading;
      if (reading.answer === null) return alone(defect);
      note(answers.get(reading.answer)?.reader.defects ?? [], defect);
      return { ...reading, kind: 'tool' };
    },
    reading: (answer) =>
      single.get(answer) ?? answers.get(answer)?.reader.reading() ?? unreadResponse(okStatus, ''),
    settle(answer) {
      single.delete(answer);
      answers.delete(answer);
    },
    denial(answer, code, message) {
      const lane = answers.get(answer)?.lane ?? '';
      return [messageOf(errorMessage(lane, code, message))];
    },
    refusal(refused, code, message) {
      const value = readMessage(refused).value;
      return messageOf(errorMessage(isRecord(value) ? textOf(value.stream_id) : '', code, message));
    },
  };
}

const deniedStatus = 403;

function errorMessage(lane: string, code: string, message: string): JsonRecord {
  const error = { type: 'permission_error', code, message, param: null };
  const told = { type: 'error', status: deniedStatus, code, message, param: null, sequence_number: 0, error };
  return isAbsent(lane) || lane === '' ? told : { ...told, stream_id: lane };
}

export const openaiResponsesSocket: SocketDialect = { operation: 'responses', open: openReader };
