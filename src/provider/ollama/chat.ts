/**
 * Ollama's own chat and generate operations: requests and whole answers
 * (https://docs.ollama.com/api). Pure; hostile bytes in, facts and defects out.
 */
import type { MessageFact, ResponseFacts, ToolCallFact, ToolFact, UsageFacts } from '../../core/facts.ts';
import { inOtherMember } from '../openai/call-arguments.ts';
import { contentText } from '../openai/chat.ts';
import type { RequestReading, ResponseReading } from '../protocol.ts';
import { noteRespelled } from '../reading/member-spelling.ts';
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
  tokenIdsIn,
  toolCallsMax,
  toolsMax,
  usageAbsent,
} from '../reading/reading.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { eachElement, type SourcePath, sourcesAt } from '../wire/source-at-path.ts';

/** The two operations that answer with a model's words; they share all but where the words stand. */
export type OllamaTalk = 'chat' | 'generate';

const requestMembers: ReadonlySet<string> = new Set([
  'model',
  'from',
  'messages',
  'prompt',
  'suffix',
  'system',
  'template',
  'stream',
  'tools',
  'options',
  'format',
  'input',
]);
const messageMembers: ReadonlySet<string> = new Set(['role', 'content', 'thinking', 'tool_calls', 'images']);
const paramsElsewhere: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'prompt',
  'suffix',
  'system',
  'template',
]);

/** The server streams unless it is told not to. */
function streams(body: JsonRecord, defects: string[]): boolean {
  return isAbsent(body.stream) || streamFlag(body.stream, defects);
}

/**
 * Adds the calls of a message. Arguments are an object by contract; `sources` says how each was written, by
 * its place. Servers that send JSON text are read as if they had written the object.
 */
export function addOllamaCalls(
  list: unknown,
  sources: ReadonlyMap<string, string>,
  into: ToolCallFact[],
  defects: string[],
): void {
  const entries = boundedList(list, toolCallsMax, '`tool_calls`', defects);
  for (let i = 0; i < entries.length; i += 1) {
    const entry = entries[i];
    const fn = isRecord(entry) ? entry.function : undefined;
    if (!isRecord(entry) || !isRecord(fn)) {
      note(defects, 'a tool call is not a function');
      continue;
    }
    const id = textOf(entry.id);
    const name = textOf(fn.name);
    const value = fn.arguments;
    if (isAbsent(value)) {
      const { parameters } = fn;
      const argumentsText = JSON.stringify(parameters);
      const otherwise = inOtherMember(fn) ? [{ name, arguments: parameters, argumentsText }] : [];
      addCall(into, defects, id, name, {}, '', otherwise);
    } else if (typeof value === 'string') {
      addJsonCall(into, defects, id, name, value);
    } else if (isRecord(value)) {
      addCall(into, defects, id, name, value, sources.get(String(i)) ?? JSON.stringify(value));
    } else {
      note(defects, 'the arguments of a tool call are not an object');
    }
  }
}

const noSources: ReadonlyMap<string, string> = new Map();

function readMessage(entry: JsonRecord, defects: string[]): MessageFact {
  noteRespelled(entry, messageMembers, defects);
  const toolCalls: ToolCallFact[] = [];
  // Nobody acts on a call of an earlier turn again, so what is wrong with it is no defect here.
  if (Array.isArray(entry.tool_calls)) addOllamaCalls(entry.tool_calls, noSources, toolCalls, []);
  // Thinking of an earlier turn is put before the model again.
  const text = joined(contentText(entry.content, defects), textOf(entry.thinking));
  return { role: textOf(entry.role), text, toolCalls };
}

function readTools(list: unknown, defects: string[]): readonly ToolFact[] {
  const tools: ToolFact[] = [];
  for (const tool of boundedList(list, toolsMax, '`tools`', defects)) {
    const fn = isRecord(tool) ? tool.function : undefined;
    if (isRecord(fn)) tools.push({ name: textOf(fn.name), description: textOf(fn.description) });
    else note(defects, 'an entry of `tools` is not a function');
  }
  return tools;
}

/** What `generate` and `create` put before the model outside messages. */
function promptMessages(body: JsonRecord): readonly MessageFact[] {
  const text = joined(textOf(body.prompt), textOf(body.suffix));
  return text === '' ? [] : [{ role: 'user', text, toolCalls: [] }];
}

/** Reads the body of `chat`, `generate` or `create`. An empty one asks for nothing: no defect. */
export function readOllamaRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  noteRespelled(body, requestMembers, defects);
  const entries = boundedRecords(body.messages, messagesMax, '`messages`', defects);
  const messages = [...promptMessages(body), ...entries.map((entry) => readMessage(entry, defects))];
  const { system, conversation } = promptOf(joined(textOf(body.system), textOf(body.template)), messages);
  const options = isRecord(body.options) ? scalarParams(body.options, new Set()) : {};
  const facts = {
    model: modelName(body.model, defects),
    stream: streams(body, defects),
    params: { ...options, ...scalarParams(body, paramsElsewhere) },
    system,
    messages,
    text: joined(system, conversation),
    tools: readTools(body.tools, defects),
  };
  // What was said before, as an earlier answer of `generate` encoded it.
  const tokenIds = tokenIdsIn(body.context);
  return { facts: tokenIds === 0 ? facts : { ...facts, tokenIds }, defects };
}

/** Tokens as the last line counts them. */
export function readOllamaUsage(body: JsonRecord): UsageFacts {
  if (isAbsent(body.prompt_eval_count) && isAbsent(body.eval_count)) return usageAbsent;
  const inputTokens = countOf(body.prompt_eval_count);
  const outputTokens = countOf(body.eval_count);
  return { source: 'provider', inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

/** What one line, or a whole answer, says. */
export interface OllamaSaid {
  readonly text: string;
  /** Thinking, which is shown but is no answer. */
  readonly shows: boolean;
  /** Carries a tool call, or a member that may be a new way to make one. */
  readonly calls: boolean;
}

const messageMembersRead: ReadonlySet<string> = new Set([
  'role',
  'content',
  'thinking',
  'reasoning',
  'reasoning_content',
  'images',
  'tool_calls',
]);
/** Members with members of their own that are known to carry no tool call. */
const bodyMembersRead: ReadonlySet<string> = new Set([
  'message',
  'tool_calls',
  'error',
  'context',
  'logprobs',
  'usage',
  'metrics',
]);

function mayHoldCalls(record: JsonRecord, known: ReadonlySet<string>): boolean {
  return Object.keys(record).some((name) => {
    const value = record[name];
    return !known.has(name) && typeof value === 'object' && value !== null;
  });
}

const listPaths: readonly (readonly string[])[] = [['message', 'tool_calls'], ['tool_calls']];

function addCallsAt(body: JsonRecord, source: () => string, into: ToolCallFact[], defects: string[]) {
  let any = false;
  for (const names of listPaths) {
    const holder = names.length === 1 ? body : body.message;
    const list = isRecord(holder) ? holder.tool_calls : undefined;
    if (isAbsent(list) || (Array.isArray(list) && list.length === 0)) continue;
    any = true;
    const path: SourcePath = [...names, eachElement, 'function', 'arguments'];
    addOllamaCalls(list, sourcesAt(source(), path), into, defects);
  }
  // No call of this API's, but one to clients that take a message for OpenAI's, as LiteLLM does.
  const legacy = isRecord(body.message) ? body.message.function_call : undefined;
  if (isAbsent(legacy)) return any;
  addOllamaCalls([{ function: legacy }], noSources, into, defects);
  return true;
}

/** Takes in a line or a whole answer; `source` gives its text where the spelling of arguments is needed. */
export function absorbOllamaBody(
  talk: OllamaTalk,
  body: JsonRecord,
  source: () => string,
  into: ToolCallFact[],
  defects: string[],
): OllamaSaid {
  const message = body.message;
  if (!isAbsent(message) && !isRecord(message)) note(defects, '`message` is not an object');
  const inner = isRecord(message) ? message : {};
  const text = joined(talk === 'generate' ? textOf(body.response) : '', contentText(inner.content, defects));
  if (!isAbsent(body.response) && typeof body.response !== 'string')
    note(defects, '`response` is not a text');
  const thinking = `${textOf(body.thinking)}${textOf(inner.thinking)}${textOf(inner.reasoning_content)}`;
  const hasCalls = addCallsAt(body, source, into, defects);
  const unknown =
    mayHoldCalls(body, bodyMembersRead) ||
    mayHoldCalls(inner, messageMembersRead) ||
    (talk === 'chat' && textOf(body.response) !== '') ||
    (!isAbsent(message) && !isRecord(message));
  return { text, shows: text !== '' || thinking !== '', calls: hasCalls || unknown };
}

/** The facts of an answer whose parts were taken in; `last` is the body, or the line that ended the stream. */
export function ollamaFacts(
  status: number,
  last: JsonRecord,
  text: string,
  toolCalls: readonly ToolCallFact[],
): ResponseFacts {
  return {
    status,
    model: textOf(last.model),
    fingerprint: '',
    text,
    toolCalls,
    finishReason: textOf(last.done_reason),
    usage: readOllamaUsage(last),
    refusal: '',
  };
}

/** Reads a whole answer of status below 400. */
export function readOllamaResponse(talk: OllamaTalk, status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const failed = !isAbsent(body.error);
  const words = talk === 'chat' ? body.message : body.response;
  if (isAbsent(words) && !failed) {
    note(defects, `the answer has no \`${talk === 'chat' ? 'message' : 'response'}\``);
  }
  const toolCalls: ToolCallFact[] = [];
  const said = absorbOllamaBody(talk, body, () => bytes.toString('utf8'), toolCalls, defects);
  return { facts: ollamaFacts(status, body, said.text, toolCalls), defects, complete: true, failed };
}
