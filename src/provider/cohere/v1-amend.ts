/**
 * Writes a reviewer's amendment into an answer of Cohere's first API, in every place that repeats what it
 * changes. Pure.
 */
import { confirmCalls } from '../amending/amended-calls.ts';
import {
  type ArgumentsAt,
  objectArguments,
  planAmendment,
  rewriteJson,
  rewriteStream,
  unamendable,
} from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment, ResponseReading, StreamForm } from '../protocol.ts';
import { openLineStream, rewriteLines } from '../reading/ndjson-stream.ts';
import { openEventStream } from '../reading/stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { readCohereV1Response } from './v1.ts';
import { createCohereV1StreamReader } from './v1-stream.ts';

const okStatus = 200;

function callsWith(record: JsonRecord, at: ArgumentsAt): JsonRecord {
  const list = record['tool_calls'];
  if (at.size === 0 || !Array.isArray(list)) return record;
  const calls = list.map((call: unknown, place) => {
    const value = at.get(place);
    return value === undefined || !isRecord(call) ? call : { ...call, parameters: objectArguments(value) };
  });
  return { ...record, tool_calls: calls };
}

/** The turn that a conversation's history ends with repeats the answer. */
function historyWith(body: JsonRecord, at: ArgumentsAt, text: string | undefined): JsonRecord {
  const history = body['chat_history'];
  if (!Array.isArray(history)) return body;
  const last: unknown = history.at(-1);
  if (!isRecord(last) || last['role'] !== 'CHATBOT') return body;
  const turn = callsWith(last, at);
  const written = text === undefined || textOf(turn['message']) === '' ? turn : { ...turn, message: text };
  return { ...body, chat_history: [...history.slice(0, -1), written] };
}

/** A whole answer, which a stream's last event repeats. */
function bodyWith(body: JsonRecord, at: ArgumentsAt, text: string | undefined): JsonRecord {
  let next = historyWith(callsWith(body, at), at, text);
  if (text === undefined) return next;
  // They point into the text that was replaced.
  if ('citations' in next) next = { ...next, citations: [] };
  for (const member of ['text', 'summary']) {
    if (textOf(next[member]) !== '') next = { ...next, [member]: text };
  }
  const { generations } = next;
  if (!Array.isArray(generations)) return next;
  if (generations.length > 1) throw unamendable('it has several generations');
  const written = generations.map((one: unknown) =>
    isRecord(one) ? { ...withoutSaidAgain(one), text } : one,
  );
  return { ...next, generations: written };
}

function eventRewriter(at: ArgumentsAt, text: string | undefined) {
  const piecesWritten = new Set<unknown>();
  let textWritten = false;

  function pieceText(value: JsonRecord): JsonRecord {
    if (text === undefined || textOf(value['text']) === '') return value;
    const written = textWritten ? '' : text;
    textWritten = true;
    return { ...value, text: written };
  }

  function callPiece(value: JsonRecord): JsonRecord {
    const next = pieceText(value);
    const told = next['tool_call_delta'];
    return isRecord(told) ? { ...next, tool_call_delta: inputPiece(pieceText(told)) } : next;
  }

  function inputPiece(piece: JsonRecord): JsonRecord {
    if (typeof piece['parameters'] !== 'string') return piece;
    const wanted = typeof piece['index'] === 'number' ? at.get(piece['index']) : undefined;
    if (wanted === undefined) return piece;
    const parameters = piecesWritten.has(piece['index']) ? '' : JSON.stringify(objectArguments(wanted));
    piecesWritten.add(piece['index']);
    return { ...piece, parameters };
  }

  return (value: JsonRecord): readonly JsonRecord[] | null => {
    switch (value['event_type']) {
      case 'text-generation':
        return text === undefined ? null : [pieceText(value)];
      case 'tool-calls-chunk':
        return [callPiece(value)];
      case 'tool-calls-generation': {
        const next = callsWith(value, at);
        return [text === undefined || textOf(next['text']) === '' ? next : { ...next, text }];
      }
      case 'citation-generation':
        return text === undefined ? null : [];
      case 'stream-end': {
        const response = value['response'];
        return isRecord(response) ? [{ ...value, response: bodyWith(response, at, text) }] : null;
      }
      default:
        return null;
    }
  };
}

function reader(form: StreamForm | null) {
  return (bytes: Buffer): ResponseReading => {
    if (form === null) return readCohereV1Response(okStatus, bytes);
    const open = form === 'sse' ? openEventStream : openLineStream;
    const stream = open(createCohereV1StreamReader(okStatus), Math.max(bytes.length, 1));
    stream.push(bytes);
    return stream.finish().reading;
  };
}

/** The answer with the amendment applied, in its own form. */
export function amendCohereV1(original: Buffer, form: StreamForm | null, amendment: Amendment): Buffer {
  const read = reader(form);
  const before = read(original);
  const at = planAmendment(before, amendment);
  const { text } = amendment;
  let amended: Buffer;
  if (form === null) amended = rewriteJson(original, (body) => bodyWith(body, at, text));
  else if (form === 'sse') amended = rewriteStream(original, eventRewriter(at, text));
  else amended = rewriteLines(original, eventRewriter(at, text));
  confirmCalls(before, read(amended), at, amendment);
  return amended;
}
