/**
 * Models as the AI SDK asks Vercel's gateway for them, its provider where no other is chosen: `/language-model`, the SDK's own
 * form of a prompt and of an answer (https://ai-sdk.dev/providers/ai-sdk-providers/ai-gateway). Which model is asked stands in a
 * header field. Requests and whole answers. Pure; hostile bytes in, facts and defects out.
 */
import type { MessageFact, ToolCallFact, UsageFacts } from '../../core/facts.ts';
import { readWithFallbacks } from '../asked/fallback-models.ts';
import { readTextTools } from '../openai/text-requests.ts';
import type { RequestBodyFacts, RequestReading, ResponseReading } from '../protocol.ts';
import { saidInBytes, saidInUrl } from '../reading/encoded-text.ts';
import { noteRespelled } from '../reading/member-spelling.ts';
import { promptOf } from '../reading/prompt.ts';
import {
  addCall,
  addJsonCall,
  boundedList,
  boundedRecords,
  joined,
  messagesMax,
  namePieceOf,
  note,
  openAnswer,
  openRequest,
  scalarParams,
  textWithin,
  toolCallsMax,
  unreadResponse,
  usageAbsent,
} from '../reading/reading.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

/** Parts of one message or answer. */
const partsMax = 4 * toolCallsMax;
const requestMembers: ReadonlySet<string> = new Set(['prompt', 'tools', 'providerOptions']);
const noParams: ReadonlySet<string> = new Set();
/** Of pictures, sound and documents the name alone is text. */
const files: ReadonlySet<string> = new Set(['file', 'reasoning-file']);

/** The words of a text file: its bytes stand in a member of their own, or one deeper. */
function fileWords({ data, mediaType }: JsonRecord): string {
  const given = isRecord(data) ? data : { data };
  const bytes = textOf(given.data);
  return [textOf(given.text), saidInUrl(bytes), saidInBytes({ data: bytes, mediaType })].reduce(joined);
}

function partText(part: JsonRecord): string {
  if (files.has(textOf(part.type))) return joined(textOf(part.filename), fileWords(part));
  if (part.type === 'tool-result') return textWithin(part.output ?? part.result);
  return typeof part.text === 'string' ? part.text : textWithin(part);
}

function readMessage({ role, content }: JsonRecord, defects: string[]): MessageFact {
  if (typeof content === 'string') return { role: textOf(role), text: content, toolCalls: [] };
  const toolCalls: ToolCallFact[] = [];
  let text = '';
  for (const part of boundedRecords(content, partsMax, 'the content of a message', defects)) {
    // Nobody acts on a call of an earlier turn again, so what is wrong with it is no defect here.
    if (part.type !== 'tool-call') text = joined(text, partText(part));
    else
      addCall(toolCalls, [], textOf(part.toolCallId), textOf(part.toolName), part.input, writtenInput(part));
  }
  return { role: textOf(role), text, toolCalls };
}

function writtenInput({ input }: JsonRecord): string {
  return typeof input === 'string' ? input : (JSON.stringify(input) ?? '');
}

function readBody(body: JsonRecord, defects: string[]): RequestBodyFacts {
  noteRespelled(body, requestMembers, defects);
  const entries = boundedRecords(body.prompt, messagesMax, '`prompt`', defects);
  const messages = entries.map((entry) => readMessage(entry, defects));
  const { system, conversation } = promptOf('', messages);
  return {
    model: textOf(body.model),
    stream: false,
    params: scalarParams(body, noParams),
    system,
    messages,
    text: joined(system, conversation),
    tools: readTextTools(body.tools, defects),
  };
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readGatewayRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  // The models in it are fallen back to, and none of them is the one that is asked.
  const asking = { ...body, model: textOf(body.model) };
  return { facts: readWithFallbacks(asking, defects, readBody), defects };
}

/** Parts that say or show something, and ask for nothing. */
const shown: ReadonlySet<string> = new Set([
  ...['text', 'reasoning', 'file', 'reasoning-file', 'source', 'tool-result'],
  // It names a call that stands beside it.
  'tool-approval-request',
]);

/** True for a part that is a call; one of a kind that is not known might be. */
export function isCallPart({ type }: JsonRecord): boolean {
  return !shown.has(textOf(type));
}

/** Adds the call that a part is; one of a kind that is not known is named after the kind. */
export function addPartCall(part: JsonRecord, into: ToolCallFact[], defects: string[]): void {
  const id = textOf(part.toolCallId);
  if (part.type !== 'tool-call') {
    addCall(into, defects, id, textOf(part.type) || 'untyped_part', part, JSON.stringify(part));
    return;
  }
  if (typeof part.input !== 'string') note(defects, 'the input of a tool call is not a text');
  addJsonCall(into, defects, id, namePieceOf(part.toolName, defects), writtenInput(part));
}

function tokensIn(counted: unknown): number {
  return isRecord(counted) ? countOf(counted.total) : countOf(counted);
}

/** Tokens, which versions of the form count by a number or by an object with a total. */
export function readGatewayUsage(usage: unknown): UsageFacts {
  if (!isRecord(usage)) return usageAbsent;
  const inputTokens = tokensIn(usage.inputTokens);
  const outputTokens = tokensIn(usage.outputTokens);
  const totalTokens = countOf(usage.totalTokens) || inputTokens + outputTokens;
  return { source: 'provider', inputTokens, outputTokens, totalTokens };
}

/** Why it stopped, in the SDK's words. */
export function readGatewayFinish(reason: unknown): string {
  return isRecord(reason) ? textOf(reason.unified) : textOf(reason);
}

/** Reads a whole answer of status below 400. */
export function readGatewayAnswer(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const failed = !isAbsent(body.error);
  if (isAbsent(body.content) && !failed) note(defects, 'the answer has no `content`');
  const toolCalls: ToolCallFact[] = [];
  let text = '';
  for (const part of boundedList(body.content, partsMax, '`content`', defects)) {
    if (!isRecord(part)) note(defects, 'a part of the answer is not an object');
    else if (isCallPart(part)) addPartCall(part, toolCalls, defects);
    // The SDK puts nothing between them.
    else if (part.type === 'text') text += textOf(part.text);
  }
  const facts = {
    ...unreadResponse(status, '').facts,
    model: isRecord(body.response) ? textOf(body.response.modelId) : '',
    text,
    toolCalls,
    finishReason: readGatewayFinish(body.finishReason),
    usage: readGatewayUsage(body.usage),
  };
  return { facts, defects, complete: true, failed };
}
