/**
 * Bedrock's InvokeModel: the body is the model's own form
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html). Which form it is, is told from the
 * body itself, because a path may name the model by an ARN that says nothing. Pure.
 *
 * Anthropic, Amazon Nova and chat completions have readers of their own. Everything else is read member by
 * member: texts count as text, numbers and flags cannot hold a call, and any other member that is not known to be
 * harmless is a defect, because it may hold one. So is a text that reads like a call in a model's own notation:
 * models that only complete text have no other way to ask for one.
 */
import type { ToolCallFact, ToolFact } from '../../core/facts.ts';
import { readMessagesRequest, readMessagesResponse } from '../anthropic/messages.ts';
import { readChatRequest, readChatResponse } from '../openai/chat.ts';
import type { RequestReading, ResponseReading } from '../protocol.ts';
import {
  addCall,
  boundedList,
  boundedRecords,
  joined,
  note,
  openAnswer,
  openRequest,
  scalarParams,
  textWithin,
  toolCallsMax,
  toolsMax,
  unreadResponse,
  usageAbsent,
} from '../reading/reading.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { readConverseBody, readConverseResponse } from './converse.ts';

const textMembers: ReadonlySet<string> = new Set([
  'generation',
  'completion',
  'outputText',
  'text',
  'message',
]);

/** Members that hold further members of the answer. */
const containers: ReadonlySet<string> = new Set([
  'results',
  'outputs',
  'generations',
  'completions',
  'choices',
  'data',
]);

/** Labels, what the request said, and media. None of them is acted on. */
const withoutCall: ReadonlySet<string> = new Set([
  'id',
  'generation_id',
  'response_id',
  'event_type',
  'type',
  'object',
  'model',
  'role',
  'stop',
  'stop_reason',
  'finish_reason',
  'finishReason',
  'completionReason',
  'prompt',
  'chat_history',
  'citations',
  'documents',
  'search_queries',
  'search_results',
  'meta',
  'usage',
  'tokens',
  'token_likelihoods',
  'logprobs',
  'embedding',
  'embeddings',
  'embeddingsByType',
  'response_type',
  'texts',
  'images',
  'artifacts',
  'seeds',
  'finish_reasons',
]);

const finishMembers = ['stop_reason', 'finish_reason', 'completionReason', 'finishReason'];

/** How open models write a call where they were given tools in their prompt. */
const callNotation =
  /<\|python_tag\|>|\[TOOL_CALLS\]|<tool_call>|<function[=_]|<\|tool_call|<｜tool|^\s*\[\s*\w+\(|^\s*[[{][\s\S]*"(parameters|arguments)"\s*:/;

/** Before the first of these no notation of a call has begun. */
const notationBegins = /[<[{]/;

/** What a model that only completes text has said so far. */
export interface PlainAnswer {
  text: string;
  finishReason: string;
  inputTokens: number;
  outputTokens: number;
  readonly toolCalls: ToolCallFact[];
}

export function emptyPlainAnswer(): PlainAnswer {
  return { text: '', finishReason: '', inputTokens: 0, outputTokens: 0, toolCalls: [] };
}

function readCalls(list: unknown, answer: PlainAnswer, defects: string[]): void {
  for (const call of boundedList(list, toolCallsMax, '`tool_calls`', defects)) {
    if (isRecord(call) && isRecord(call.parameters) && typeof call.name === 'string') {
      addCall(
        answer.toolCalls,
        defects,
        textOf(call.id),
        call.name,
        call.parameters,
        JSON.stringify(call.parameters),
      );
    } else note(defects, 'a tool call is not an object with a name and parameters');
  }
}

/** Adds what one value says, whole answer or chunk. Returns the text it adds. */
export function absorbPlain(value: JsonRecord, answer: PlainAnswer, defects: string[]): string {
  let text = '';
  for (const [key, member] of Object.entries(value)) {
    if (isAbsent(member) || withoutCall.has(key) || key.startsWith('amazon-bedrock-')) continue;
    if (typeof member === 'number' || typeof member === 'boolean' || member === '') continue;
    if (typeof member === 'string' && textMembers.has(key)) text += member;
    else if (key === 'tool_calls') readCalls(member, answer, defects);
    else if (containers.has(key)) text += absorbContainer(member, answer, defects);
    else
      note(
        defects,
        `the member ${JSON.stringify(key.slice(0, 80))} of the answer is not known, and may hold a tool call`,
      );
  }
  for (const key of finishMembers) answer.finishReason = textOf(value[key]) || answer.finishReason;
  answer.inputTokens ||= countOf(value.prompt_token_count) || countOf(value.inputTextTokenCount);
  answer.outputTokens = Math.max(
    answer.outputTokens,
    countOf(value.generation_token_count) ||
      countOf(value.tokenCount) ||
      countOf(value.totalOutputTextTokenCount),
  );
  return text;
}

function absorbContainer(member: unknown, answer: PlainAnswer, defects: string[]): string {
  const list = Array.isArray(member)
    ? boundedList(member, toolCallsMax, 'a list of the answer', defects)
    : [member];
  let text = '';
  for (const entry of list) {
    if (isRecord(entry)) text = joined(text, absorbPlain(entry, answer, defects));
    else note(defects, 'an entry of the answer is not an object');
  }
  return text;
}

/** True for a piece of text with which a call may begin, or in which one may have begun. */
export function mayBeginCall(piece: string): boolean {
  return notationBegins.test(piece);
}

/** The reading of a plain answer. */
export function plainReading(
  status: number,
  answer: PlainAnswer,
  defects: string[],
  complete: boolean,
): ResponseReading {
  if (callNotation.test(answer.text)) {
    note(defects, 'the text holds what looks like a tool call in the notation of the model');
  }
  const { text, toolCalls, finishReason, inputTokens, outputTokens } = answer;
  const counted = inputTokens + outputTokens > 0;
  const usage = counted
    ? { source: 'provider' as const, inputTokens, outputTokens, totalTokens: inputTokens + outputTokens }
    : usageAbsent;
  const facts = { status, model: '', fingerprint: '', text, toolCalls, finishReason, usage, refusal: '' };
  return { facts, defects, complete, failed: false };
}

export type InvokeShape = 'anthropic' | 'converse' | 'chat' | 'plain';

function isChat(choices: unknown): boolean {
  return Array.isArray(choices) && choices.some((choice) => isRecord(choice) && isRecord(choice.message));
}

/** Every form that a whole answer has; more than one is one too many. */
export function answerShapes(body: JsonRecord): readonly InvokeShape[] {
  const shapes: InvokeShape[] = [];
  if (body.type === 'message' || Array.isArray(body.content)) shapes.push('anthropic');
  if (isRecord(body.output)) shapes.push('converse');
  if (isChat(body.choices)) shapes.push('chat');
  return shapes.length === 0 ? ['plain'] : shapes;
}

/** Some models name the reason as Anthropic does. */
function chatStopReason(choices: unknown): string {
  const first: unknown = Array.isArray(choices) ? choices[0] : null;
  return isRecord(first) ? textOf(first.stop_reason) : '';
}

/** Reads a whole answer of status below 400. */
export function readInvokeResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const [shape, second] = answerShapes(body);
  if (second !== undefined) return unreadResponse(status, 'the answer has the forms of two models');
  switch (shape) {
    case 'anthropic':
      return readMessagesResponse(status, bytes);
    case 'converse':
      return readConverseResponse(status, bytes);
    case 'chat': {
      const reading = readChatResponse(status, bytes);
      const finishReason = reading.facts.finishReason || chatStopReason(body.choices);
      return { ...reading, facts: { ...reading.facts, finishReason } };
    }
    default: {
      const answer = emptyPlainAnswer();
      answer.text = absorbPlain(body, answer, defects);
      return plainReading(status, answer, defects, true);
    }
  }
}

const promptMembers: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'prompt',
  'inputText',
  'message',
  'preamble',
  'system',
]);

function readPlainTools(list: unknown, defects: string[]): readonly ToolFact[] {
  return boundedRecords(list, toolsMax, '`tools`', defects).map(({ name, description }) => ({
    name: textOf(name),
    description: textOf(description),
  }));
}

/** A request in a form of which only the texts are known. */
export function readPlainRequest(body: JsonRecord, defects: string[]): RequestReading {
  const system = joined(textOf(body.preamble), textOf(body.system));
  const text = textWithin(body);
  const config = body.textGenerationConfig;
  const params = {
    ...scalarParams(body, promptMembers),
    ...(isRecord(config) ? scalarParams(config, promptMembers) : {}),
  };
  const tools = readPlainTools(body.tools, defects);
  const messages = [{ role: 'user', text, toolCalls: [] }];
  return { facts: { model: '', stream: false, params, system, messages, text, tools }, defects };
}

function hasConverseBlocks(messages: readonly unknown[]): boolean {
  return messages.some((message) => {
    const content = isRecord(message) ? message.content : null;
    const first: unknown = Array.isArray(content) ? content[0] : null;
    return isRecord(first) && typeof first.type !== 'string';
  });
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readInvokeRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const { messages } = body;
  if (!Array.isArray(messages)) return readPlainRequest(body, defects);
  if (['prompt', 'inputText', 'message'].some((member) => !isAbsent(body[member]))) {
    note(defects, 'the request has the forms of two models');
    return readPlainRequest(body, defects);
  }
  if (typeof body.anthropic_version === 'string') return readMessagesRequest(bytes);
  return hasConverseBlocks(messages) ? readConverseBody(body, defects) : readChatRequest(bytes);
}
