/**
 * Whole answers of Cohere's first API: chat, generate and summarize
 * (https://docs.cohere.com/v1/reference/chat). Pure; hostile bytes in, facts and defects out.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import type { ResponseReading } from '../protocol.ts';
import {
  addCall,
  addJsonCall,
  boundedList,
  joined,
  note,
  openAnswer,
  toolCallsMax,
} from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { eachElement, type SourcePath, sourcesAt } from '../wire/source-at-path.ts';
import { cohereFacts, hasFailed, readCohereUsage } from './chat.ts';

const generationsMax = 128;

/** Adds the calls of a list; `source` is the JSON text that has it at `path`. */
export function addParameterCalls(
  list: unknown,
  source: string,
  path: readonly string[],
  into: ToolCallFact[],
  defects: string[],
): void {
  const entries = boundedList(list, toolCallsMax, '`tool_calls`', defects);
  const steps: SourcePath = [...path, eachElement, 'parameters'];
  const sources = entries.length === 0 ? new Map<string, string>() : sourcesAt(source, steps);
  for (let i = 0; i < entries.length; i += 1) {
    const call = entries[i];
    if (!isRecord(call)) {
      note(defects, 'a tool call is not an object');
      continue;
    }
    const { parameters: value } = call;
    if (typeof value === 'string') addJsonCall(into, defects, textOf(call.id), textOf(call.name), value);
    else if (isRecord(value) || isAbsent(value)) {
      const written = value ?? {};
      const text = sources.get(String(i)) ?? JSON.stringify(written);
      addCall(into, defects, textOf(call.id), textOf(call.name), written, text);
    } else note(defects, 'the parameters of a tool call are not an object');
  }
}

/** The text of an answer: of a chat, of every generation, or the summary. */
export function wordsOf(body: JsonRecord, defects: string[]): string {
  let text = joined(textOf(body.text), textOf(body.summary));
  for (const generation of boundedList(body.generations, generationsMax, '`generations`', defects)) {
    if (isRecord(generation)) text = joined(text, textOf(generation.text));
    else note(defects, 'an entry of `generations` is not an object');
  }
  return text;
}

/** Reads a whole answer of status below 400. */
export function readCohereV1Response(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const failed = hasFailed(body.finish_reason, body.error);
  const { text: said, generations, summary } = body;
  if ([said, generations, summary].every(isAbsent) && !failed) note(defects, 'the answer has no `text`');
  const toolCalls: ToolCallFact[] = [];
  addParameterCalls(body.tool_calls, bytes.toString('utf8'), ['tool_calls'], toolCalls, defects);
  const finishReason = textOf(body.finish_reason);
  const facts = cohereFacts(
    status,
    { text: wordsOf(body, defects), toolCalls, finishReason },
    readCohereUsage(body.meta),
  );
  return { facts, defects, complete: true, failed };
}
