/**
 * Bedrock's Converse: requests and whole answers
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html), the form that Amazon's own
 * models also have under InvokeModel. A content block is an object with one member that names its kind. Pure;
 * hostile bytes in, facts and defects out.
 */
import type { MessageFact, ToolCallFact, ToolFact, UsageFacts } from '../../core/facts.ts';
import { readWithFallbacks } from '../asked/fallback-models.ts';
import type { RequestReading, ResponseReading } from '../protocol.ts';
import { promptOf } from '../reading/prompt.ts';
import {
  addCall,
  boundedList,
  boundedRecords,
  joined,
  messagesMax,
  note,
  openAnswer,
  openRequest,
  scalarParams,
  textWithin,
  toolCallsMax,
  toolsMax,
  usageAbsent,
} from '../reading/reading.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { valueSources } from './source.ts';

/** Content blocks of one answer. */
export const converseBlocksMax = 4 * toolCallsMax;

const membersWithoutCall: ReadonlySet<string> = new Set([
  'text',
  'image',
  'document',
  'video',
  'audio',
  'toolResult',
  'guardContent',
  'cachePoint',
  'reasoningContent',
  'citationsContent',
  'searchResult',
]);

/** True for a block that asks for something to be done; an unknown kind might. */
export function isCallMember(member: string): boolean {
  return !membersWithoutCall.has(member);
}

/** The members of a block that say something. */
export function membersOf(block: JsonRecord): readonly string[] {
  return Object.keys(block).filter((member) => !isAbsent(block[member]));
}

/** Adds the call that a block's member makes; one of an unknown kind is a call named after the kind. */
export function addMemberCall(
  member: string,
  value: unknown,
  into: ToolCallFact[],
  defects: string[],
  inputSource?: string,
): void {
  if (member !== 'toolUse') {
    addCall(into, defects, '', member, value, JSON.stringify(value));
    return;
  }
  if (!isRecord(value)) {
    note(defects, 'a tool call is not an object');
    return;
  }
  const { input } = value;
  if (!isRecord(input)) note(defects, 'the input of a tool call is not an object');
  const read = isRecord(input) ? input : {};
  const source = inputSource ?? JSON.stringify(input ?? {});
  addCall(into, defects, textOf(value.toolUseId), textOf(value.name), read, source);
}

function listText(list: unknown, textOfEntry: (entry: JsonRecord) => string): string {
  if (!Array.isArray(list)) return textOf(list);
  let text = '';
  for (const entry of list) text = joined(text, isRecord(entry) ? textOfEntry(entry) : textOf(entry));
  return text;
}

const plainText = (entry: JsonRecord): string => textOf(entry.text);

/** Formats whose bytes are text, which a model reads as it is. */
const textFormats: ReadonlySet<string> = new Set(['txt', 'md', 'csv', 'html']);

function documentText(document: unknown): string {
  if (!isRecord(document)) return '';
  const text = joined(textOf(document.name), textOf(document.context));
  const { source, format } = document;
  if (!isRecord(source)) return text;
  const file = textFormats.has(textOf(format)) ? textOf(source.bytes) : '';
  const said = joined(textOf(source.text), Buffer.from(file, 'base64').toString('utf8'));
  return joined(joined(text, said), listText(source.content, plainText));
}

/** Models that sign no thought are given it as it stands there. */
function thoughtText({ reasoningText }: JsonRecord): string {
  return isRecord(reasoningText) ? textOf(reasoningText.text) : '';
}

/** The text of one member of a block, as the model reads it. */
function memberText(member: string, value: unknown): string {
  switch (member) {
    case 'text':
      return textOf(value);
    case 'json':
      return JSON.stringify(value);
    case 'toolResult':
      return isRecord(value) ? blocksText(value.content) : '';
    case 'document':
      return documentText(value);
    case 'citationsContent':
      return isRecord(value) ? listText(value.content, plainText) : '';
    case 'reasoningContent':
      return isRecord(value) ? thoughtText(value) : '';
    case 'image':
    case 'video':
    case 'audio':
    case 'cachePoint':
    case 'toolUse':
      return '';
    default:
      return textWithin(value);
  }
}

/** The text of a list of blocks. */
export function blocksText(list: unknown): string {
  return listText(list, (block) => {
    let text = '';
    for (const member of membersOf(block)) text = joined(text, memberText(member, block[member]));
    return text;
  });
}

function checkBlocks(content: unknown, of: string, defects: string[]): void {
  if (isAbsent(content) || typeof content === 'string' || Array.isArray(content)) return;
  note(defects, `${of} is not a list of blocks`);
}

function readMessage(message: JsonRecord, defects: string[]): MessageFact {
  const { content } = message;
  checkBlocks(content, 'the content of a message', defects);
  const toolCalls: ToolCallFact[] = [];
  for (const block of Array.isArray(content) ? content : []) {
    // Nobody acts on a call of an earlier turn again, so what is wrong with it is no defect here.
    if (isRecord(block) && isRecord(block.toolUse)) addMemberCall('toolUse', block.toolUse, toolCalls, []);
  }
  return { role: textOf(message.role), text: blocksText(content), toolCalls };
}

function readTools(list: unknown, into: ToolFact[], defects: string[]): void {
  for (const tool of boundedRecords(list, toolsMax, '`tools`', defects)) {
    for (const member of membersOf(tool)) {
      const spec = tool[member];
      if (member === 'cachePoint' || !isRecord(spec)) continue;
      into.push({ name: textOf(spec.name) || member, description: textOf(spec.description) });
    }
  }
}

/** Tools that only the model's own form knows, such as computer use, are given beside `toolConfig`. */
function readOwnTools(list: unknown, into: ToolFact[]): void {
  for (const tool of Array.isArray(list) ? list.slice(0, toolsMax) : []) {
    if (!isRecord(tool)) continue;
    into.push({ name: textOf(tool.name) || textOf(tool.type), description: textOf(tool.description) });
  }
}

const none: ReadonlySet<string> = new Set();

function scalarsOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? scalarParams(value, none) : {};
}

/** Reads a parsed request. `model` and `stream` stand in the path, and are the caller's to fill in. */
export function readConverseBody(body: JsonRecord, defects: string[]): RequestReading {
  checkBlocks(body.system, '`system`', defects);
  const entries = boundedRecords(body.messages, messagesMax, '`messages`', defects);
  const messages = entries.map((entry) => readMessage(entry, defects));
  const { system, conversation } = promptOf(blocksText(body.system), messages);
  const own = body.additionalModelRequestFields;
  const tools: ToolFact[] = [];
  if (isRecord(body.toolConfig)) readTools(body.toolConfig.tools, tools, defects);
  if (isRecord(own)) readOwnTools(own.tools, tools);
  const params = {
    ...scalarsOf(own),
    ...scalarsOf(body.guardrailConfig),
    ...scalarsOf(body.inferenceConfig),
  };
  const text = joined(
    joined(joined(system, conversation), textWithin(body.promptVariables)),
    textWithin(own),
  );
  const facts = { model: '', stream: false, params, system, messages, text, tools };
  // Anthropic's models have an advisor and fallbacks among what is handed on to them.
  const read = (one: JsonRecord) => ({ ...facts, model: textOf(one.model) });
  return { facts: isRecord(own) ? { ...readWithFallbacks(own, defects, read), model: '' } : facts, defects };
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readConverseRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  return readConverseBody(body, defects);
}

/** Input tokens include what was written to and read from the prompt cache, which is counted apart. */
export function readConverseUsage(usage: unknown): UsageFacts {
  if (!isRecord(usage)) return usageAbsent;
  const cached =
    countOf(usage.cacheReadInputTokens ?? usage.cacheReadInputTokenCount) +
    countOf(usage.cacheWriteInputTokens ?? usage.cacheWriteInputTokenCount);
  const inputTokens = countOf(usage.inputTokens) + cached;
  const outputTokens = countOf(usage.outputTokens);
  return { source: 'provider', inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

/** The model that a prompt router chose; '' where nothing says so. */
export function routedModel(trace: unknown): string {
  const router = isRecord(trace) ? trace.promptRouter : null;
  return isRecord(router) ? textOf(router.invokedModelId) : '';
}

/** What a block of an answer shows as text. */
export function shownBlockText(block: JsonRecord): string {
  return joined(textOf(block.text), memberText('citationsContent', block.citationsContent));
}

const inputPath = ['output', 'message', 'content', null, 'toolUse', 'input'];

/** Reads a whole answer of status below 400. */
export function readConverseResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const message = isRecord(body.output) ? body.output.message : undefined;
  if (!isRecord(message)) note(defects, 'the answer has no `output.message`');
  const toolCalls: ToolCallFact[] = [];
  let text = '';
  let sources: ReadonlyMap<string, string> | null = null;
  const content = isRecord(message) ? message.content : null;
  const blocks = boundedList(content, converseBlocksMax, '`content`', defects);
  for (let i = 0; i < blocks.length; i += 1) {
    const block = blocks[i];
    if (!isRecord(block)) {
      note(defects, 'an entry of `content` is not an object');
      continue;
    }
    const members = membersOf(block);
    if (members.length > 1) note(defects, 'a content block is of two kinds');
    text = joined(text, shownBlockText(block));
    for (const member of members) {
      if (!isCallMember(member)) continue;
      sources ??= valueSources(bytes.toString('utf8'), inputPath);
      addMemberCall(member, block[member], toolCalls, defects, sources.get(String(i)));
    }
  }
  const facts = {
    status,
    model: routedModel(body.trace),
    fingerprint: '',
    text,
    toolCalls,
    finishReason: textOf(body.stopReason),
    usage: readConverseUsage(body.usage),
    refusal: '',
  };
  return { facts, defects, complete: true, failed: false };
}
