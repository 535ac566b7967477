/**
 * Anthropic messages: requests and whole answers (https://docs.anthropic.com/en/api/messages). Pure;
 * hostile bytes in, facts and defects out.
 */
import type { MessageFact, ToolCallFact, ToolFact, UsageFacts } from '../../core/facts.ts';
import { readWithFallbacks } from '../asked/fallback-models.ts';
import type { RequestBodyFacts, RequestReading, ResponseReading } from '../protocol.ts';
import { qualified, scopeOfBlock, toolNamedIn } from '../reading/call-readings.ts';
import { saidInBytes } from '../reading/encoded-text.ts';
import { noteRespelledConversation } from '../reading/member-spelling.ts';
import { promptOf } from '../reading/prompt.ts';
import {
  addCall,
  addJsonCall,
  boundedList,
  boundedRecords,
  joined,
  messagesMax,
  modelName,
  note,
  openAnswer,
  openRequest,
  scalarParams,
  streamFlag,
  textWithin,
  toolCallsMax,
  usageAbsent,
} from '../reading/reading.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, readJsonText, textOf } from '../wire/json.ts';
import { memberSources } from '../wire/json-source.ts';
import { readServers, readTools } from './offered-tools.ts';
import { olderReading } from './older-reading.ts';

/** Content blocks of one answer. */
export const blocksMax = 4 * toolCallsMax;

const paramsElsewhere: ReadonlySet<string> = new Set(['model', 'stream', 'system']);

const blocksWithoutCall: ReadonlySet<string> = new Set([
  'text',
  'thinking',
  'redacted_thinking',
  'container_upload',
  'compaction',
  'fallback',
  'mcp_tool_listing',
]);
const callBlocks: ReadonlySet<string> = new Set(['tool_use', 'server_tool_use', 'mcp_tool_use']);

/** True for any block that asks for something to be done; an unknown type might. */
export function isCallBlock(type: string): boolean {
  return !blocksWithoutCall.has(type) && !type.endsWith('_tool_result');
}

/**
 * Adds the call a block makes. `inputText` is the input as the provider wrote it piece by piece; null
 * where it wrote the object itself, and then `inputSource` is how, if known. A block of an unknown type is
 * a call named after the type.
 */
export function addBlockCall(
  block: JsonRecord,
  inputText: string | null,
  into: ToolCallFact[],
  defects: string[],
  inputSource?: string,
): void {
  const type = textOf(block.type);
  const id = textOf(block.id);
  if (!callBlocks.has(type)) {
    const own = ownMembers(block, inputText, defects);
    const name = type === '' ? 'untyped_block' : type;
    addCall(into, defects, id, name, own, JSON.stringify(own), toolNamedIn(own, defects));
    return;
  }
  const name = textOf(block.name);
  const scope = scopeOfBlock(block);
  const input = block.input;
  const written = isRecord(input) && Object.keys(input).length > 0;
  if (inputText !== null && inputText !== '') {
    if (written) note(defects, 'a tool call has its input both whole and in pieces');
    addJsonCall(into, defects, id, name, inputText, (call) => {
      const older = olderReading(call);
      return [...older, ...[call, ...older].flatMap((one) => qualified(scope, one))];
    });
    return;
  }
  if (!isRecord(input) && !(inputText !== null && isAbsent(input))) {
    note(defects, 'the input of a tool call is not an object');
  }
  const value = isRecord(input) ? input : {};
  const argumentsText = inputSource ?? JSON.stringify(value);
  const alsoAs = qualified(scope, { name, arguments: value, argumentsText });
  addCall(into, defects, id, name, value, argumentsText, alsoAs);
}

/** What a block of an unknown type asks for; input in pieces stands where whole input would. */
function ownMembers(block: JsonRecord, inputText: string | null, defects: string[]): JsonRecord {
  const { id: _id, type: _type, ...own } = block;
  if (inputText === null || inputText === '') return own;
  const { value: input, defect } = readJsonText(inputText, 'the argument text of a tool call');
  note(defects, defect);
  return { ...own, input };
}

const blocksWithoutText: ReadonlySet<string> = new Set([
  'image',
  'redacted_thinking',
  'container_upload',
  'tool_use',
  'server_tool_use',
  'mcp_tool_use',
]);

function documentText(block: JsonRecord): string {
  const source = block.source;
  let text = joined(textOf(block.title), textOf(block.context));
  if (!isRecord(source)) return text;
  if (source.type === 'text') text = joined(text, textOf(source.data));
  // Gateways hand a text file on to models that take such.
  else if (source.type === 'base64') text = joined(text, saidInBytes(source));
  else if (source.type === 'content') text = joined(text, blocksText(source.content));
  return text;
}

function blockText(block: JsonRecord): string {
  const type = textOf(block.type);
  if (type === 'text') return textOf(block.text);
  if (type === 'tool_result') return blocksText(block.content);
  if (type === 'document') return documentText(block);
  // Servers that speak this API beside their own look at no signature, so that it may say anything.
  if (type === 'thinking') return textOf(block.thinking);
  return blocksWithoutText.has(type) ? '' : textWithin(block);
}

/** The text of content that is a string or a list of blocks. */
export function blocksText(content: unknown): string {
  if (!Array.isArray(content)) return textOf(content);
  let text = '';
  for (const block of content) {
    text = joined(text, isRecord(block) ? blockText(block) : textOf(block));
  }
  return text;
}

function checkContent(content: unknown, what: string, defects: string[]): void {
  if (isAbsent(content) || typeof content === 'string' || Array.isArray(content)) return;
  note(defects, `${what} is neither text nor a list of blocks`);
}

function readMessage(message: JsonRecord, defects: string[]): MessageFact {
  const content = message.content;
  checkContent(content, 'the content of a message', defects);
  const toolCalls: ToolCallFact[] = [];
  if (Array.isArray(content)) {
    for (const block of content) {
      // Nobody acts on a call of an earlier turn again, so what is wrong with it is no defect here.
      if (isRecord(block) && callBlocks.has(textOf(block.type))) addBlockCall(block, null, toolCalls, []);
    }
  }
  return { role: textOf(message.role), text: blocksText(content), toolCalls };
}

/** Tools that a message adds while a conversation goes on: one as it is defined, one by its name, or a server's. */
function addedTools(content: unknown, defects: string[]): readonly ToolFact[] {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  return blocks.flatMap((block) => {
    if (!isRecord(block)) return [];
    if (block.type === 'mcp_tool_listing') return readTools(block.tools, defects);
    if (block.type !== 'tool_addition') return [];
    const tool = isRecord(block.tool) ? block.tool : {};
    if (!isAbsent(tool.definition)) return readTools([tool.definition], defects);
    return [{ name: textOf(tool.name) || textOf(tool.server_name), description: '' }];
  });
}

/**
 * How a model is told to sum up what was said before
 * (https://platform.claude.com/docs/en/build-with-claude/compaction#custom-summarization-instructions).
 */
function summaryInstructions({ context_management: management }: JsonRecord): string {
  const edits: unknown = isRecord(management) ? management.edits : undefined;
  const list: readonly unknown[] = Array.isArray(edits) ? edits : [];
  return list
    .filter(isRecord)
    .map(({ instructions }) => textOf(instructions))
    .reduce(joined, '');
}

function readBody(body: JsonRecord, defects: string[]): RequestBodyFacts {
  noteRespelledConversation(body, defects);
  checkContent(body.system, '`system`', defects);
  const messages: MessageFact[] = [];
  const tools = [...readTools(body.tools, defects), ...readServers(body.mcp_servers, defects)];
  for (const entry of boundedRecords(body.messages, messagesMax, '`messages`', defects)) {
    messages.push(readMessage(entry, defects));
    tools.push(...addedTools(entry.content, defects));
  }
  const instructed = joined(blocksText(body.system), summaryInstructions(body));
  const { system, conversation } = promptOf(instructed, messages);
  return {
    model: modelName(body.model, defects),
    stream: streamFlag(body.stream, defects),
    params: scalarParams(body, paramsElsewhere),
    system,
    messages,
    text: joined(system, conversation),
    tools,
  };
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readMessagesRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  return body === null ? unread : { facts: readWithFallbacks(body, defects, readBody), defects };
}

/** Input tokens include what was written to and read from the prompt cache, which is counted apart. */
export function readMessagesUsage(usage: unknown): UsageFacts {
  if (!isRecord(usage)) return usageAbsent;
  const inputTokens =
    countOf(usage.input_tokens) +
    countOf(usage.cache_creation_input_tokens) +
    countOf(usage.cache_read_input_tokens);
  const outputTokens = countOf(usage.output_tokens);
  return { source: 'provider', inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

/** The words of an answer's block: a text, or the summary of what was said before, which the AI SDK shows as one. */
export function wordsOfBlock({ type, text, content }: JsonRecord): string {
  if (type === 'text') return textOf(text);
  return type === 'compaction' ? textOf(content) : '';
}

/** Why a refusal was made, where the provider says so. */
export function refusalText(details: unknown): string {
  return isRecord(details) ? textOf(details.explanation) : '';
}

/** Reads a whole answer of status below 400. */
export function readMessagesResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const failed = body.type === 'error' || !isAbsent(body.error);
  const content = body.content;
  if (isAbsent(content) && !failed) note(defects, 'the answer has no `content`');
  const toolCalls: ToolCallFact[] = [];
  let text = '';
  const blocks = boundedList(content, blocksMax, '`content`', defects);
  let sources: ReadonlyMap<number, string> | null = null;
  for (let i = 0; i < blocks.length; i += 1) {
    const block = blocks[i];
    if (!isRecord(block)) {
      note(defects, 'an entry of `content` is not an object');
      continue;
    }
    const type = textOf(block.type);
    text = joined(text, wordsOfBlock(block));
    if (isCallBlock(type)) {
      sources ??= memberSources(bytes.toString('utf8'), 'content', 'input');
      addBlockCall(block, null, toolCalls, defects, sources.get(i));
    }
  }
  const facts = {
    status,
    model: textOf(body.model),
    fingerprint: '',
    text,
    toolCalls,
    finishReason: textOf(body.stop_reason),
    usage: readMessagesUsage(body.usage),
    refusal: refusalText(body.stop_details),
  };
  return { facts, defects, complete: true, failed };
}
