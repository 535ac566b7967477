/**
 * Whole answers of Cohere's chat (https://docs.cohere.com/reference/chat). What the model plans to do with its
 * tools is text like its answer. Pure; hostile bytes in, facts and defects out.
 */
import type { ResponseFacts, ToolCallFact, UsageFacts } from '../../core/facts.ts';
import { argumentsTextOf } from '../openai/call-arguments.ts';
import type { ResponseReading } from '../protocol.ts';
import {
  addJsonCall,
  boundedList,
  joined,
  note,
  openAnswer,
  toolCallsMax,
  usageAbsent,
} from '../reading/reading.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

/** Content blocks of one answer. */
export const blocksMax = 4 * toolCallsMax;

const errorReasons: ReadonlySet<string> = new Set(['ERROR', 'TIMEOUT']);

/** True for an answer that ended in an error under status 200. */
export function hasFailed(finishReason: unknown, error: unknown): boolean {
  return !isAbsent(error) || errorReasons.has(textOf(finishReason).toUpperCase());
}

/** Tokens as counted; where only what is billed is told, that. */
export function readCohereUsage(usage: unknown): UsageFacts {
  const counts = isRecord(usage) ? (usage.tokens ?? usage.billed_units) : undefined;
  if (!isRecord(counts)) return usageAbsent;
  const inputTokens = countOf(counts.input_tokens);
  const outputTokens = countOf(counts.output_tokens);
  return { source: 'provider', inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

/** What kind a content block is; of one whose kind nobody knows, what it asks for is not known either. */
export function blockKind(block: JsonRecord, defects: string[]): 'text' | 'thinking' | 'unknown' {
  const type = textOf(block.type);
  if (type === 'text' || (type === '' && typeof block.text === 'string')) return 'text';
  if (type === 'thinking' || (type === '' && typeof block.thinking === 'string')) return 'thinking';
  note(defects, `a content block is of the unknown type ${JSON.stringify(type.slice(0, 80))}`);
  return 'unknown';
}

/** Adds a call; false when it is none that can be read. */
export function addFunctionCall(call: unknown, into: ToolCallFact[], defects: string[]): void {
  const fn = isRecord(call) ? call.function : undefined;
  if (!isRecord(call) || !isRecord(fn)) {
    note(defects, 'a tool call is not a function');
    return;
  }
  addJsonCall(into, defects, textOf(call.id), textOf(fn.name), argumentsTextOf(fn.arguments, defects));
}

function contentText(content: unknown, defects: string[]): string {
  if (typeof content === 'string') return content;
  let text = '';
  for (const block of boundedList(content, blocksMax, '`content`', defects)) {
    if (!isRecord(block)) note(defects, 'an entry of `content` is not an object');
    else if (blockKind(block, defects) === 'text') text = joined(text, textOf(block.text));
  }
  return text;
}

/** The facts of an answer whose parts were read. Cohere does not name the model it used. */
export function cohereFacts(
  status: number,
  said: { readonly text: string; readonly toolCalls: readonly ToolCallFact[]; readonly finishReason: string },
  usage: UsageFacts,
): ResponseFacts {
  return { status, model: '', fingerprint: '', ...said, usage, refusal: '' };
}

/** Reads a whole answer of status below 400. */
export function readCohereResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const failed = hasFailed(body.finish_reason, body.error);
  const { message } = body;
  if (!isRecord(message) && !failed) note(defects, 'the answer has no `message`');
  const said = isRecord(message) ? message : {};
  const toolCalls: ToolCallFact[] = [];
  for (const call of boundedList(said.tool_calls, toolCallsMax, '`tool_calls`', defects)) {
    addFunctionCall(call, toolCalls, defects);
  }
  const text = joined(textOf(said.tool_plan), contentText(said.content, defects));
  const finishReason = textOf(body.finish_reason);
  const facts = cohereFacts(status, { text, toolCalls, finishReason }, readCohereUsage(body.usage));
  return { facts, defects, complete: true, failed };
}
