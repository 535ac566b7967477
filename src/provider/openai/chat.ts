/**
 * OpenAI chat completions: requests and whole answers
 * (https://platform.openai.com/docs/api-reference/chat). Pure; hostile bytes in, facts and defects out.
 */
import type { CallReading, MessageFact, ToolCallFact, UsageFacts } from '../../core/facts.ts';
import { readWithFallbacks } from '../asked/fallback-models.ts';
import type { RequestBodyFacts, RequestReading, ResponseReading } from '../protocol.ts';
import { messagesOf } from '../reading/asked-twice.ts';
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
import { countOf, isAbsent, isRecord, type JsonRecord, parsedRecord, textOf } from '../wire/json.ts';
import { argumentsTextOf, inOtherMember, inputTextOf } from './call-arguments.ts';
import { addExecuted, executedIn } from './chat-executed.ts';
import { thoughtOfMessage } from './chat-thoughts.ts';
import { partText } from './content-parts.ts';
import { chatTools } from './offered-tools.ts';
import { findWithin } from './records-find.ts';

/** One choice per requested `n`, which the API bounds to 128. */
export const choicesMax = 128;

const paramsElsewhere: ReadonlySet<string> = new Set(['model', 'stream']);
/** One tool call of one choice, streams reassembled. */
export interface ChatCall {
  id: string;
  name: string;
  /** JSON text of a function, free text of a custom tool. */
  input: string;
  /** `legacy` is the one `function_call` a message may have. */
  kind: 'function' | 'custom' | 'legacy';
  /** What else its tool is handed by clients that read the call, or put the pieces of a stream together, otherwise. */
  otherwise?: readonly string[];
}

/** What one choice said, streams reassembled. */
export interface ChatChoice {
  text: string;
  refusal: string;
  finishReason: string;
  readonly calls: ChatCall[];
  /** Of tools that the provider ran itself, as it told them. */
  executed: readonly JsonRecord[];
}

/** The text of `content`: a string, a list of parts, or null. */
export function contentText(content: unknown, defects: string[]): string {
  if (typeof content === 'string') return content;
  if (isAbsent(content)) return '';
  if (!Array.isArray(content)) {
    note(defects, 'the content of a message is neither text nor a list of parts');
    return '';
  }
  let text = '';
  for (const part of content) text = joined(text, isRecord(part) ? partText(part) : textOf(part));
  return text;
}

function readCall(call: unknown, defects: string[]): ChatCall | null {
  if (!isRecord(call)) {
    note(defects, 'a tool call is not an object');
    return null;
  }
  const id = textOf(call.id);
  const custom = call.custom;
  if (isRecord(custom) && !isRecord(call.function)) {
    return { id, name: textOf(custom.name), input: inputTextOf(custom.input, defects), kind: 'custom' };
  }
  const fn = call.function;
  if (!isRecord(fn) || !isAbsent(custom)) {
    note(defects, 'a tool call is neither a function nor a custom tool');
    return null;
  }
  const input = argumentsTextOf(fn.arguments, defects);
  const otherwise = inOtherMember(fn) ? [JSON.stringify(fn.parameters)] : [];
  return { id, name: textOf(fn.name), input, kind: 'function', otherwise };
}

/** The calls of a message, the legacy `function_call` last. */
function readCalls(message: JsonRecord, into: ChatCall[], defects: string[]): void {
  const list = message.tool_calls;
  if (!isAbsent(list)) {
    for (const entry of boundedList(list, toolCallsMax, '`tool_calls`', defects)) {
      const call = readCall(entry, defects);
      if (call !== null) into.push(call);
    }
  }
  const legacy = message.function_call;
  if (isAbsent(legacy)) return;
  if (isRecord(legacy)) {
    into.push({
      id: '',
      name: textOf(legacy.name),
      input: argumentsTextOf(legacy.arguments, defects),
      kind: 'legacy',
    });
  } else {
    note(defects, '`function_call` is not an object');
  }
}

/** A call as a client has it that hands the tool that text. */
function handed({ name, kind }: ChatCall, input: string): CallReading {
  const value = kind === 'custom' ? { input } : (parsedRecord(input) ?? {});
  return { name, arguments: value, argumentsText: input };
}

function addCalls(calls: readonly ChatCall[], into: ToolCallFact[], defects: string[]): void {
  for (const call of calls) {
    const { id, name, input, otherwise = [] } = call;
    const alsoAs = otherwise.map((other) => handed(call, other));
    if (call.kind === 'custom') addCall(into, defects, id, name, { input }, input, alsoAs);
    else addJsonCall(into, defects, id, name, input, () => alsoAs);
  }
}

export function readChatUsage(usage: unknown): UsageFacts {
  if (!isRecord(usage)) return usageAbsent;
  return {
    source: 'provider',
    inputTokens: countOf(usage.prompt_tokens),
    outputTokens: countOf(usage.completion_tokens),
    totalTokens: countOf(usage.total_tokens),
  };
}

/** Turns what all choices said into the facts' members; the first finish reason stands for all. */
export function chatAnswerFacts(choices: readonly ChatChoice[], defects: string[]) {
  const toolCalls: ToolCallFact[] = [];
  let text = '';
  let refusal = '';
  let finishReason = '';
  for (const choice of choices) {
    text = joined(text, choice.text);
    refusal = joined(refusal, choice.refusal);
    if (finishReason === '') finishReason = choice.finishReason;
    addCalls(choice.calls, toolCalls, defects);
  }
  // Behind all others, whose places an amendment counts.
  for (const choice of choices) for (const entry of choice.executed) addExecuted(entry, toolCalls, defects);
  return { text, refusal, finishReason, toolCalls };
}

/** The text a message shows: its content, or the transcript of its audio. */
export function shownText(message: JsonRecord, defects: string[]): string {
  const text = contentText(message.content, defects);
  const audio = message.audio;
  return isRecord(audio) ? joined(text, textOf(audio.transcript)) : text;
}

function readMessage(message: JsonRecord, defects: string[]): MessageFact {
  const drafts: ChatCall[] = [];
  readCalls(message, drafts, defects);
  const toolCalls: ToolCallFact[] = [];
  // The model made these in an earlier turn, and nobody acts on them again: arguments that do not parse
  // are the model's old mistake, not a reason to stop the conversation.
  if (drafts.length > 0) addCalls(drafts, toolCalls, []);
  const role = textOf(message.role);
  // A model is told who speaks; of a tool's answer that is the tool, which says nothing.
  const speaker = role === 'tool' || role === 'function' ? '' : textOf(message.name);
  const said = joined(contentText(message.content, defects), textOf(message.refusal));
  const text = joined(joined(speaker, said), thoughtOfMessage(message));
  return { role, text, toolCalls };
}

/** What Azure is told about the customer's own documents: it becomes part of the instructions. */
function dataSourcesText(list: unknown): string {
  return (Array.isArray(list) ? list : []).reduce<string>((text, source: unknown) => {
    const parameters = isRecord(source) && isRecord(source.parameters) ? source.parameters : {};
    return joined(text, textOf(parameters.role_information) || textOf(parameters.roleInformation));
  }, '');
}

const besideMessages = ['documents', 'chat_template', 'chat_template_kwargs', 'prompt_variables'];

/**
 * What the model reads besides messages: what is expected to come out again, documents to answer from, words put around it
 * or around what is found on the web, and what a prompt that LiteLLM keeps has put into it
 * (https://platform.openai.com/docs/guides/predicted-outputs, https://docs.vllm.ai/en/latest/serving/openai_compatible_server,
 * https://openrouter.ai/docs/guides/features/plugins/web-search, https://docs.litellm.ai/docs/proxy/prompt_management).
 */
function textBeside(body: JsonRecord, defects: string[]): string {
  let text = isRecord(body.prediction) ? contentText(body.prediction.content, defects) : '';
  for (const name of besideMessages) text = joined(text, textWithin(body[name]));
  const plugins: readonly unknown[] = Array.isArray(body.plugins) ? body.plugins : [];
  return plugins.filter(isRecord).reduce((before, one) => joined(before, textOf(one.search_prompt)), text);
}

function readBody(body: JsonRecord, defects: string[]): RequestBodyFacts {
  noteRespelledConversation(body, defects);
  const entries = boundedRecords(messagesOf(body, defects), messagesMax, '`messages`', defects);
  const messages = entries.map((entry) => readMessage(entry, defects));
  const said = promptOf(dataSourcesText(body.data_sources ?? body.dataSources), messages);
  const { system } = said;
  const conversation = joined(said.conversation, textBeside(body, defects));
  return {
    model: modelName(body.model, defects),
    stream: streamFlag(body.stream, defects),
    params: scalarParams(body, paramsElsewhere),
    system,
    messages,
    text: joined(system, conversation),
    tools: chatTools(body, defects),
  };
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readChatRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  return body === null ? unread : { facts: readWithFallbacks(body, defects, readBody), defects };
}

/**
 * Notes words of a choice beside its message or delta. Together has those of each delta there again, which is nothing of its
 * own (https://docs.together.ai/reference/chat-completions).
 */
export function noteTextBeside({ text }: JsonRecord, shown: string, defects: string[]): boolean {
  const beside = textWithin(text);
  const isOther = beside !== '' && beside !== shown;
  if (isOther) note(defects, 'a choice says something beside its message');
  return isOther;
}

function readChoice(choice: unknown, defects: string[]): ChatChoice {
  const read: ChatChoice = { text: '', refusal: '', finishReason: '', calls: [], executed: [] };
  const message = isRecord(choice) ? choice.message : undefined;
  if (!isRecord(choice) || !isRecord(message)) {
    note(defects, 'an entry of `choices` has no message');
    return read;
  }
  read.text = shownText(message, defects);
  noteTextBeside(choice, read.text, defects);
  read.refusal = textOf(message.refusal);
  read.finishReason = textOf(choice.finish_reason);
  readCalls(message, read.calls, defects);
  read.executed = executedIn(message, defects);
  return read;
}

/** True for an answer, or a piece of one, that has a call in the form of another API, such as Meta's at the same route. */
export function callsBesideChoices({ choices: _choices, ...beside }: JsonRecord): boolean {
  return findWithin(beside).calls.length > 0;
}

/** Reads a whole answer of status below 400. */
export function readChatResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const list = body.choices;
  // Some gateways report an upstream's failure under status 200.
  const failed = !isAbsent(body.error);
  if (isAbsent(list) && !failed) note(defects, 'the answer has no `choices`');
  else if (callsBesideChoices(body)) note(defects, 'the answer has a tool call beside its choices');
  const choices: ChatChoice[] = [];
  for (const choice of boundedList(list, choicesMax, '`choices`', defects)) {
    choices.push(readChoice(choice, defects));
  }
  const said = chatAnswerFacts(choices, defects);
  const facts = {
    status,
    model: textOf(body.model),
    fingerprint: textOf(body.system_fingerprint),
    text: said.text,
    toolCalls: said.toolCalls,
    finishReason: said.finishReason,
    usage: readChatUsage(body.usage),
    refusal: said.refusal,
  };
  return { facts, defects, complete: true, failed };
}
