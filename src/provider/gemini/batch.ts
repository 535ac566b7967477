/**
 * What a batch of requests was answered with, as far as it stands in the batch itself
 * (https://ai.google.dev/api/batch-api); answers that were written to a file are not read. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ToolCallFact } from '../../core/facts.ts';
import type { ResponseReading } from '../protocol.ts';
import {
  addCall,
  boundedList,
  joined,
  messagesMax,
  note,
  openAnswer,
  unreadResponse,
} from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { createAnswerReader } from './answer.ts';

function memberAt(value: unknown, names: readonly string[]): unknown {
  let at = value;
  for (const name of names) at = isRecord(at) ? at[name] : undefined;
  return at;
}

/** The operation has the answers once it is done, its metadata has them as well; both should be the same. */
function answersIn(body: JsonRecord, defects: string[]): readonly unknown[] {
  const inner = ['inlinedResponses', 'inlinedResponses'];
  const places = [['response'], ['metadata', 'output'], ['output']];
  const found = places.map((place) => memberAt(body, [...place, ...inner])).filter((list) => !isAbsent(list));
  const [first] = found;
  if (found.some((list) => !isDeepStrictEqual(list, first))) {
    note(defects, 'the batch has different answers in different places');
  }
  return boundedList(first, messagesMax, '`inlinedResponses`', defects);
}

/** The batch itself, or each one of a list. */
function batchesIn(body: JsonRecord, defects: string[]): readonly JsonRecord[] {
  const listed = boundedList(body['operations'], messagesMax, '`operations`', defects);
  return [body, ...listed.filter(isRecord)];
}

/** Reads a batch that was asked for, or a list of them, of status below 400. */
export function readBatch(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const toolCalls: ToolCallFact[] = [];
  let text = '';
  let model = '';
  for (const entry of batchesIn(body, defects).flatMap((batch) => answersIn(batch, defects))) {
    const answer = isRecord(entry) ? entry['response'] : null;
    if (!isRecord(answer)) {
      if (!isRecord(entry) || isAbsent(entry['error']))
        note(defects, 'an answer of the batch is not an object');
      continue;
    }
    const reader = createAnswerReader(status);
    reader.absorb(answer, JSON.stringify(answer));
    const { facts } = reader.reading();
    for (const defect of reader.defects) note(defects, defect);
    for (const call of facts.toolCalls) {
      // One without an id of its own was numbered within its answer.
      const id = call.id.startsWith('#') ? '' : call.id;
      addCall(toolCalls, defects, id, call.name, call.arguments, call.argumentsText, call.alsoAs);
    }
    text = joined(text, facts.text);
    model ||= facts.model;
  }
  const neutral = unreadResponse(status, '').facts;
  const state = textOf(memberAt(body, ['metadata', 'state'])) || textOf(body['state']);
  return {
    facts: { ...neutral, model, text, toolCalls, finishReason: state },
    defects,
    complete: true,
    failed: false,
  };
}
