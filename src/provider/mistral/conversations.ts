/**
 * Mistral's conversations: requests, whole answers and what a conversation says when it is read back
 * (https://docs.mistral.ai/api/endpoint/beta/conversations). Everything is an entry: a message, a call, what a
 * tool of the provider's did. Pure; hostile bytes in, facts and defects out.
 */
import type { MessageFact, ResponseFacts, ToolCallFact, ToolFact } from '../../core/facts.ts';
import { withConsulted } from '../asked/fallback-models.ts';
import { argumentsTextOf } from '../openai/call-arguments.ts';
import { contentText, readChatUsage } from '../openai/chat.ts';
import { offeredBy } from '../openai/offered-tools.ts';
import type { RequestReading, ResponseReading } from '../protocol.ts';
import { toolNamedIn } from '../reading/call-readings.ts';
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
  toolsMax,
} from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { eachElement, sourcesAt } from '../wire/source-at-path.ts';
import { chunkCall, chunkKind } from './chat.ts';

/** Entries of one answer. */
export const entriesMax = 4 * toolCallsMax;

const paramsElsewhere: ReadonlySet<string> = new Set(['model', 'stream', 'inputs', 'instructions']);
const entriesWithoutCall: ReadonlySet<string> = new Set([
  'message.output',
  'message.input',
  'function.result',
]);
const namedCalls: ReadonlySet<string> = new Set(['function.call', 'tool.execution']);

/** True for any entry that asks for something to be done, or did it; an unknown type might. */
export function isCallEntry(type: string): boolean {
  return !entriesWithoutCall.has(type);
}

/** An entry's type may be left out where its members tell it. */
export function entryType(entry: JsonRecord): string {
  if (textOf(entry.type) !== '') return textOf(entry.type);
  if (!isAbsent(entry.tool_call_id)) return isAbsent(entry.name) ? 'function.result' : 'function.call';
  if (!isAbsent(entry.content)) return entry.role === 'user' ? 'message.input' : 'message.output';
  return '';
}

function chunksOf(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) return content;
  return isRecord(content) || typeof content === 'string' ? [content] : [];
}

function isTextChunk(chunk: unknown): boolean {
  if (!isRecord(chunk)) return typeof chunk === 'string';
  return chunk.type === 'text' || (isAbsent(chunk.type) && typeof chunk.text === 'string');
}

/** The running text of a message's content. What stands between its pieces must not tear it apart. */
export function entryText(content: unknown): string {
  return chunksOf(content)
    .filter(isTextChunk)
    .map((chunk) => (isRecord(chunk) ? textOf(chunk.text) : textOf(chunk)))
    .join('');
}

/** What a message shows beside its text: where it was found, files that were made. Thinking is not shown. */
export function textBeside(content: unknown): string {
  const beside = chunksOf(content).filter((chunk) => !isTextChunk(chunk) && chunkKind(chunk) === 'shown');
  return textWithin(beside);
}

/** Adds the call an entry makes; an entry of an unknown type is a call named after the type. */
export function addEntryCall(
  entry: JsonRecord,
  source: string | undefined,
  into: ToolCallFact[],
  defects: string[],
): void {
  const type = entryType(entry);
  const id = textOf(entry.tool_call_id) || textOf(entry.id);
  if (namedCalls.has(type)) {
    const written = isRecord(entry.arguments) ? source : undefined;
    addJsonCall(into, defects, id, textOf(entry.name), written ?? argumentsTextOf(entry.arguments, defects));
    return;
  }
  const { id: _id, type: _type, object: _object, created_at: _at, completed_at: _done, ...rest } = entry;
  const name = type === '' ? 'untyped_entry' : type;
  addCall(into, defects, id, name, rest, JSON.stringify(rest), toolNamedIn(rest, defects));
}

/** Adds the calls that content of an unknown kind is taken for. */
export function addContentCalls(content: unknown, into: ToolCallFact[], defects: string[]): void {
  const chunks: readonly unknown[] = Array.isArray(content) ? content : isRecord(content) ? [content] : [];
  for (const chunk of chunks) {
    if (chunkKind(chunk) !== 'unknown') continue;
    const { name, argumentsText } = chunkCall(chunk);
    addJsonCall(into, defects, '', name, argumentsText);
  }
}

function readInputEntry(entry: JsonRecord, defects: string[]): MessageFact {
  const type = entryType(entry);
  const toolCalls: ToolCallFact[] = [];
  // Nobody acts on a call of an earlier turn again, so what is wrong with it is no defect here.
  if (isCallEntry(type)) addEntryCall(entry, undefined, toolCalls, []);
  const said = type.startsWith('message.') ? contentText(entry.content, defects) : textWithin(entry.result);
  const text = joined(said, type === 'tool.execution' ? textWithin(entry.info) : '');
  return { role: textOf(entry.role) || (type === 'function.result' ? 'tool' : 'assistant'), text, toolCalls };
}

function readInputs(inputs: unknown, defects: string[]): readonly MessageFact[] {
  if (typeof inputs === 'string') return [{ role: 'user', text: inputs, toolCalls: [] }];
  const entries = boundedRecords(inputs, messagesMax, '`inputs`', defects);
  return entries.map((entry) => readInputEntry(entry, defects));
}

function readTools(list: unknown, defects: string[]): readonly ToolFact[] {
  return boundedRecords(list, toolsMax, '`tools`', defects).flatMap((tool) =>
    offeredBy(isRecord(tool.function) ? tool.function : tool),
  );
}

/** Reads the body that starts, continues or restarts a conversation, or that makes or changes an agent. */
export function readConversationRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const instructed = contentText(body.instructions, defects);
  const messages = readInputs(body.inputs, defects);
  const { system, conversation } = promptOf(instructed, messages);
  const settings = isRecord(body.completion_args) ? body.completion_args : {};
  // What is expected to come out again, the model reads.
  const expected = textWithin(isRecord(settings.prediction) ? settings.prediction.content : undefined);
  const facts = {
    model: modelName(body.model, defects),
    stream: streamFlag(body.stream, defects),
    params: { ...scalarParams(settings, new Set()), ...scalarParams(body, paramsElsewhere) },
    system,
    messages,
    text: joined(joined(system, conversation), expected),
    tools: readTools(body.tools, defects),
  };
  return { facts: withConsulted(body, facts, defects), defects };
}

/** The list of entries and its name: of an answer, of a history, or of the messages alone. */
function entriesOf(body: JsonRecord): { readonly name: string; readonly list: unknown } {
  for (const name of ['outputs', 'entries', 'messages']) {
    if (!isAbsent(body[name])) return { name, list: body[name] };
  }
  return { name: 'outputs', list: undefined };
}

/** The facts of an answer whose entries were read. */
export function conversationFacts(
  status: number,
  said: { readonly model: string; readonly text: string; readonly toolCalls: readonly ToolCallFact[] },
  usage: unknown,
): ResponseFacts {
  return { status, ...said, fingerprint: '', finishReason: '', usage: readChatUsage(usage), refusal: '' };
}

/** Reads a whole answer of status below 400. */
export function readConversationResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const { name, list } = entriesOf(body);
  if (isAbsent(list)) note(defects, 'the answer has no `outputs`');
  const toolCalls: ToolCallFact[] = [];
  let text = '';
  let beside = '';
  let model = '';
  const entries = boundedList(list, entriesMax, `\`${name}\``, defects);
  let sources: ReadonlyMap<string, string> | null = null;
  for (let i = 0; i < entries.length; i += 1) {
    const entry = entries[i];
    if (!isRecord(entry)) {
      note(defects, 'an entry of the answer is not an object');
      continue;
    }
    const type = entryType(entry);
    if (isCallEntry(type)) {
      sources ??= sourcesAt(bytes.toString('utf8'), [name, eachElement, 'arguments']);
      addEntryCall(entry, sources.get(String(i)), toolCalls, defects);
      continue;
    }
    if (type === 'message.output' && model === '') model = textOf(entry.model);
    text = joined(text, entryText(entry.content));
    beside = joined(beside, textBeside(entry.content));
    addContentCalls(entry.content, toolCalls, defects);
  }
  const said = { model, text: joined(text, beside), toolCalls };
  return { facts: conversationFacts(status, said, body.usage), defects, complete: true, failed: false };
}
