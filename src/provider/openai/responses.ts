/**
 * OpenAI responses: requests and whole answers
 * (https://platform.openai.com/docs/api-reference/responses). Pure; hostile bytes in, facts and defects out.
 */
import type { MessageFact, ResponseFacts, ToolCallFact, ToolFact, UsageFacts } from '../../core/facts.ts';
import { readWithFallbacks } from '../asked/fallback-models.ts';
import type { RequestBodyFacts, RequestReading, ResponseReading } from '../protocol.ts';
import { qualified, toolNamedIn } from '../reading/call-readings.ts';
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
  toolsMax,
  usageAbsent,
} from '../reading/reading.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, readJsonText, textOf } from '../wire/json.ts';
import { argumentsTextOf, inputTextOf } from './call-arguments.ts';
import { contentText } from './chat.ts';
import { thoughtOfItem } from './chat-thoughts.ts';
import { outputText } from './content-parts.ts';
import { offeredBy } from './offered-tools.ts';

/** Output items of one answer. */
export const itemsMax = 4 * toolCallsMax;

const paramsElsewhere: ReadonlySet<string> = new Set(['model', 'stream', 'input', 'instructions']);
const itemsWithoutCall: ReadonlySet<string> = new Set([
  'message',
  'reasoning',
  'compaction',
  'mcp_list_tools',
  'mcp_approval_response',
  'additional_tools',
]);

/** True for any output item that asks for something to be done; an unknown type might. */
export function isCallItem(type: string): boolean {
  return !itemsWithoutCall.has(type) && !type.endsWith('_output');
}

/** A built-in call's own members, its `arguments` parsed where they are JSON text. */
function addBuiltInCall(item: JsonRecord, type: string, into: ToolCallFact[], defects: string[]): void {
  const { id, type: _type, call_id: callId, status: _status, ...own } = item;
  const argumentsText = JSON.stringify(own);
  let value: JsonRecord = own;
  if (typeof own.arguments === 'string' && own.arguments !== '') {
    const inner = readJsonText(own.arguments, 'the argument text of a tool call');
    note(defects, inner.defect);
    value = { ...own, arguments: inner.value === undefined ? {} : inner.value };
  }
  const name = type === '' ? 'untyped_item' : type;
  addCall(into, defects, textOf(callId) || textOf(id), name, value, argumentsText, toolNamedIn(own, defects));
}

const membersThatVary: ReadonlySet<string> = new Set([
  'fingerprint',
  'encrypted_content',
  'output',
  'outputs',
  'result',
  'results',
  'error',
]);

/**
 * What a call asks for, for telling whether two items ask for the same. Of a built-in call, results and
 * sealed members are left out: the provider gives them in one place and not in the other.
 */
function askedBy(item: JsonRecord): string {
  const { id, type, call_id: callId, name, status: _status, ...own } = item;
  const isOf = textOf(item.namespace);
  if (type === 'function_call') return JSON.stringify([type, id, callId, name, item.arguments, isOf]);
  if (type === 'custom_tool_call') return JSON.stringify([type, id, callId, name, item.input, isOf]);
  const asked = Object.entries(own).filter(([member]) => !membersThatVary.has(member));
  return JSON.stringify([type, id, callId, name, asked.sort(([x], [y]) => (x < y ? -1 : 1))]);
}

/** Adds the call an output item makes; built-in and unknown kinds are named after their type, and known by their tool's name. */
export function addItemCall(item: JsonRecord, into: ToolCallFact[], defects: string[]): void {
  const type = textOf(item.type);
  const id = textOf(item.call_id) || textOf(item.id);
  if (type === 'function_call') {
    const written = argumentsTextOf(item.arguments, defects);
    addJsonCall(into, defects, id, textOf(item.name), written, (call) => qualified(item.namespace, call));
  } else if (type === 'custom_tool_call') {
    const input = inputTextOf(item.input, defects);
    const call = { name: textOf(item.name), arguments: { input }, argumentsText: input };
    addCall(into, defects, id, call.name, { input }, input, qualified(item.namespace, call));
  } else {
    addBuiltInCall(item, type, into, defects);
  }
}

/** What a list of output items says. */
export interface OutputSaid {
  text: string;
  refusal: string;
  readonly toolCalls: ToolCallFact[];
  /** Of each call, by its place: equal texts ask for the same. */
  readonly asked: string[];
}

function readOutputMessage(item: JsonRecord, said: OutputSaid, defects: string[]): void {
  for (const part of boundedList(item.content, itemsMax, 'the content of a message', defects)) {
    if (!isRecord(part)) note(defects, 'a content part is not an object');
    else {
      const { text, refusal } = saidInPart(part);
      said.text = joined(said.text, text);
      said.refusal = joined(said.refusal, refusal);
    }
  }
}

/** What one part of a message says: a text, the transcript of what is spoken, a refusal. */
export function saidInPart(part: JsonRecord): Pick<OutputSaid, 'text' | 'refusal'> {
  const text = textOf(part.text);
  const spoken = textOf(part.transcript);
  return { text: spoken === text ? text : joined(text, spoken), refusal: textOf(part.refusal) };
}

/** Reads output items in their order. */
export function readOutput(items: readonly unknown[], defects: string[]): OutputSaid {
  const said: OutputSaid = { text: '', refusal: '', toolCalls: [], asked: [] };
  for (const item of items) {
    if (!isRecord(item)) {
      note(defects, 'an output item is not an object');
      continue;
    }
    const type = textOf(item.type);
    if (type === 'message') readOutputMessage(item, said, defects);
    else if (isCallItem(type)) {
      addItemCall(item, said.toolCalls, defects);
      said.asked.push(askedBy(item));
    }
  }
  return said;
}

function readUsage(usage: unknown): UsageFacts {
  if (!isRecord(usage)) return usageAbsent;
  return {
    source: 'provider',
    inputTokens: countOf(usage.input_tokens),
    outputTokens: countOf(usage.output_tokens),
    totalTokens: countOf(usage.total_tokens),
  };
}

/** What its items say, and what the response says they do, with nothing between them: OpenAI's SDK believes that. */
function textOfResponse(response: JsonRecord, { text }: OutputSaid): string {
  const all = textOf(response.output_text);
  return text.replaceAll('\n', '').includes(all.replaceAll('\n', '')) ? text : joined(text, all);
}

/** The facts of a response object whose output was already read. */
export function responseFacts(status: number, response: JsonRecord, said: OutputSaid): ResponseFacts {
  const state = textOf(response.status);
  const details = response.incomplete_details;
  const reason = isRecord(details) ? textOf(details.reason) : '';
  return {
    status,
    model: textOf(response.model),
    fingerprint: '',
    text: textOfResponse(response, said),
    toolCalls: said.toolCalls,
    finishReason: state === 'incomplete' && reason !== '' ? reason : state,
    usage: readUsage(response.usage),
    refusal: said.refusal,
  };
}

/** Reads a whole answer of status below 400. */
export function readResponsesResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const failed = !isAbsent(body.error) || body.status === 'failed';
  if (isAbsent(body.output) && !failed) note(defects, 'the answer has no `output`');
  const said = readOutput(boundedList(body.output, itemsMax, '`output`', defects), defects);
  return { facts: responseFacts(status, body, said), defects, complete: true, failed };
}

/** What an earlier call led to stands beside it, where the provider made the call. */
const resultMembers = ['output', 'outputs', 'results', 'error'];
/** Calls that a model made earlier; an item of a type nobody knows may be anything it reads. */
const earlierCall = /_call$|_approval_request$|^program$/;
/** Of what a call led to, what is no text. */
const unsaid: ReadonlySet<string> = new Set([
  'id',
  'call_id',
  'status',
  'caller',
  'created_by',
  'encrypted_content',
]);

function textOfAll(item: JsonRecord, names: readonly string[]): string {
  return names.reduce((text, name) => joined(text, textWithin(item[name])), '');
}

/** The text an input item gives the model: a message's content, a call's result, a summary. */
function inputItemText(item: JsonRecord, type: string, defects: string[]): string {
  if (type === 'message') return contentText(item.content, defects);
  if (type.endsWith('_output')) {
    if (!isAbsent(item.output)) return outputText(item.output);
    return textOfAll(
      item,
      Object.keys(item).filter((name) => name !== 'type' && !unsaid.has(name)),
    );
  }
  if (type === 'reasoning') return thoughtOfItem(item);
  if (earlierCall.test(type)) return textOfAll(item, resultMembers);
  if (!isCallItem(type)) return textWithin(item);
  return textOfAll(
    item,
    Object.keys(item).filter((name) => name !== 'type' && name !== 'role' && !unsaid.has(name)),
  );
}

function readInputItem(item: JsonRecord, defects: string[]): MessageFact {
  // A message may leave its type out.
  const type = textOf(item.type) || 'message';
  const toolCalls: ToolCallFact[] = [];
  // Nobody acts on a call of an earlier turn again, so what is wrong with it is no defect here.
  if (earlierCall.test(type)) addItemCall(item, toolCalls, []);
  const role = textOf(item.role) || (type.endsWith('_output') ? 'tool' : 'assistant');
  return { role, text: inputItemText(item, type, defects), toolCalls };
}

/** The tools of a list, those of a namespace by their own names besides. */
function addTools(list: unknown, what: string, tools: ToolFact[], defects: string[]): void {
  for (const tool of boundedList(list, toolsMax, what, defects)) {
    if (!isRecord(tool)) {
      note(defects, `an entry of ${what} is not an object`);
      continue;
    }
    for (const offered of offeredBy(tool)) {
      if (tools.length < toolsMax) tools.push(offered);
      else note(defects, `${what} has more than ${toolsMax} entries`);
    }
    if (!isAbsent(tool.tools)) addTools(tool.tools, what, tools, defects);
  }
}

/** Items that offer tools while a conversation goes on: the workload's own, what was searched for, a server's. */
const offers: ReadonlySet<string> = new Set(['additional_tools', 'tool_search_output', 'mcp_list_tools']);

function readTools(body: JsonRecord, defects: string[]): readonly ToolFact[] {
  const tools: ToolFact[] = [];
  addTools(body.tools, '`tools`', tools, defects);
  for (const item of Array.isArray(body.input) ? body.input : []) {
    if (isRecord(item) && offers.has(textOf(item.type)))
      addTools(item.tools, 'the tools of an item', tools, defects);
  }
  return tools;
}

/** Reads what the model is given: one text, or items. `what` names the member. */
export function readInput(input: unknown, what: string, defects: string[]): readonly MessageFact[] {
  if (typeof input === 'string') return [{ role: 'user', text: input, toolCalls: [] }];
  return boundedRecords(input, messagesMax, what, defects).map((item) => readInputItem(item, defects));
}

function readBody(body: JsonRecord, defects: string[]): RequestBodyFacts {
  noteRespelledConversation(body, defects);
  const instructed = contentText(body.instructions, defects);
  const messages = readInput(body.input, '`input`', defects);
  const { system, conversation: spoken } = promptOf(instructed, messages);
  // A stored prompt's variables become part of what the model reads, and what vLLM is told was said before.
  const variables = isRecord(body.prompt) ? textWithin(body.prompt.variables) : '';
  const beside = joined(variables, textWithin(body.previous_input_messages));
  const conversation = joined(spoken, beside);
  return {
    model: modelName(body.model, defects),
    stream: streamFlag(body.stream, defects),
    params: scalarParams(body, paramsElsewhere),
    system,
    messages,
    text: joined(system, conversation),
    tools: readTools(body, defects),
  };
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readResponsesRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  return body === null ? unread : { facts: readWithFallbacks(body, defects, readBody), defects };
}
