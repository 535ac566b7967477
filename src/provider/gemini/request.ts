/**
 * Gemini requests (https://ai.google.dev/api/generate-content, /embeddings, /tokens, /caching, /batch-api):
 * what a model reads of them. Google takes every name in two spellings and a single value for a list of one.
 * Pure; hostile bytes in, facts and defects out.
 */
import type { MessageFact, ToolCallFact, ToolFact } from '../../core/facts.ts';
import { serverAddress } from '../openai/offered-tools.ts';
import type { RequestBodyFacts, RequestReading } from '../protocol.ts';
import {
  addCall,
  boundedList,
  joined,
  messagesMax,
  note,
  openRequest,
  scalarParams,
  toolsMax,
  unreadRequest,
} from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { createCallReader } from './calls.ts';
import { addModelNames } from './consulted.ts';
import { camelCased, dataOf, isCall, listOf, memberOf, partsText } from './parts.ts';
import { googleRoute, modelIn } from './route.ts';

/** Of a content, or of what Google's SDKs make one of: a text, or parts alone. */
function contentText(content: unknown, what: string, defects: string[]): string {
  if (isAbsent(content)) return '';
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return partsText(content);
  if (isRecord(content)) return partsText(memberOf(content, 'parts', defects));
  note(defects, `${what} is not a content`);
  return '';
}

/** Servers whose tools Google calls, by their names and where they are (https://ai.google.dev/api/caching#McpServer). */
function serversIn(list: unknown, defects: string[]): readonly ToolFact[] {
  return listOf(list)
    .filter(isRecord)
    .map((server) => {
      const transport = memberOf(server, 'streamableHttpTransport', defects);
      const address = isRecord(transport) ? serverAddress(transport['url']) : '';
      return { name: textOf(server['name']), description: address };
    });
}

/** Nobody acts on a call of an earlier turn again, so what is wrong with it is no defect. */
function callsOf(parts: unknown): readonly ToolCallFact[] {
  const reader = createCallReader([]);
  for (const part of listOf(parts)) {
    if (!isRecord(part)) continue;
    for (const { name, value } of dataOf(part)) {
      if (isCall(name)) reader.absorb(name, value, () => undefined);
    }
  }
  const toolCalls: ToolCallFact[] = [];
  for (const { id, name, written } of reader.finish()) {
    const { text, value } = written();
    addCall(toolCalls, [], id, name, value ?? {}, text);
  }
  return toolCalls;
}

export function readMessages(value: unknown, what: string, defects: string[]): readonly MessageFact[] {
  const messages: MessageFact[] = [];
  for (const content of boundedList(
    isAbsent(value) ? value : listOf(value),
    messagesMax,
    `\`${what}\``,
    defects,
  )) {
    const text = contentText(content, `an entry of \`${what}\``, defects);
    const parts = isRecord(content) ? memberOf(content, 'parts', defects) : null;
    const role = isRecord(content) ? textOf(content['role']) : '';
    messages.push({ role: role || 'user', text, toolCalls: callsOf(parts) });
  }
  return messages;
}

function readTools(value: unknown, defects: string[]): readonly ToolFact[] {
  const tools: ToolFact[] = [];
  for (const tool of listOf(value)) {
    if (!isRecord(tool)) {
      note(defects, 'an entry of `tools` is not an object');
      continue;
    }
    for (const [key, member] of Object.entries(tool)) {
      if (isAbsent(member)) continue;
      if (camelCased(key) !== 'functionDeclarations') {
        tools.push({ name: camelCased(key), description: '' });
        if (camelCased(key) === 'mcpServers') tools.push(...serversIn(member, defects));
        continue;
      }
      for (const declared of listOf(member)) {
        if (!isRecord(declared)) note(defects, 'a function declaration is not an object');
        else tools.push({ name: textOf(declared['name']), description: textOf(declared['description']) });
      }
    }
  }
  return boundedTools(tools, defects);
}

function boundedTools(tools: readonly ToolFact[], defects: string[]): readonly ToolFact[] {
  if (tools.length <= toolsMax) return tools;
  note(defects, `\`tools\` has more than ${toolsMax} entries`);
  return tools.slice(0, toolsMax);
}

const consultedMax = 64;
const noneKnown: ReadonlySet<string> = new Set();

function paramsOf(body: JsonRecord, defects: string[]): Record<string, unknown> {
  const config = memberOf(body, 'generationConfig', defects);
  const own = scalarParams(body, noneKnown);
  return isRecord(config) ? { ...own, ...scalarParams(config, noneKnown) } : own;
}

interface Conversation {
  readonly system: string;
  readonly messages: readonly MessageFact[];
  readonly tools: readonly ToolFact[];
  readonly params: Record<string, unknown>;
  /** Models that are asked besides. */
  readonly consulted: readonly string[];
}

/** What asks a model, or is stored to be asked later. */
export function readConversation(body: JsonRecord, defects: string[]): Conversation {
  const consulted = new Set<string>();
  for (const name of ['generationConfig', 'tools']) addModelNames(memberOf(body, name, defects), consulted);
  return {
    system: contentText(memberOf(body, 'systemInstruction', defects), '`systemInstruction`', defects),
    messages: readMessages(memberOf(body, 'contents', defects), 'contents', defects),
    tools: readTools(memberOf(body, 'tools', defects), defects),
    params: paramsOf(body, defects),
    consulted: [...consulted],
  };
}

/** The members of a request under which whole requests or contents stand, in the order they are read. */
function conversationsOf(body: JsonRecord, defects: string[]): readonly Conversation[] {
  const all: Conversation[] = [readConversation(body, defects)];
  for (const name of ['generateContentRequest', 'request']) {
    const inner = memberOf(body, name, defects);
    if (isRecord(inner)) all.push(...conversationsOf(inner, defects));
  }
  const content = memberOf(body, 'content', defects);
  if (!isAbsent(content)) all.push(contentAlone(content, defects));
  for (const request of batchedRequests(body, defects)) {
    if (!isRecord(request)) note(defects, 'an entry of `requests` is not an object');
    else all.push(...conversationsOf(request, defects));
  }
  return all;
}

function contentAlone(content: unknown, defects: string[]): Conversation {
  return {
    system: '',
    messages: readMessages([content], 'content', defects),
    tools: [],
    params: {},
    consulted: [],
  };
}

/** What makes a batch stands in a member; what changes one is the batch. */
function batchIn(body: JsonRecord, defects: string[]): JsonRecord {
  const batch = memberOf(body, 'batch', defects);
  return isRecord(batch) ? batch : body;
}

/** `requests` of an embedding batch, or the inlined ones of a batch's `inputConfig`. */
function batchedRequests(body: JsonRecord, defects: string[]): readonly unknown[] {
  let holder: unknown = batchIn(body, defects);
  for (const name of ['inputConfig', 'requests']) {
    const next: unknown = isRecord(holder) ? memberOf(holder, name, defects) : undefined;
    if (isRecord(next)) holder = next;
  }
  const list = isRecord(holder) ? memberOf(holder, 'requests', defects) : holder;
  return boundedList(isAbsent(list) ? list : listOf(list), messagesMax, '`requests`', defects);
}

/** The file that a batch takes its requests from: params say which, as nothing of it stands in the body. */
function inputFile(body: JsonRecord, defects: string[]): string | null {
  const input = memberOf(batchIn(body, defects), 'inputConfig', defects);
  const file = isRecord(input) ? memberOf(input, 'fileName', defects) : undefined;
  return isAbsent(file) ? null : textOf(file);
}

/** As a path names it, whatever stands before. */
export function plainModel(value: unknown): string {
  const name = textOf(value).toLowerCase();
  return modelIn(googleRoute(name)) || name;
}

/** The model that a body names for itself or for requests in it; one that differs from `model` is a defect. */
function noteModels(body: JsonRecord, model: string, defects: string[]): string {
  let known = model;
  const batch = batchIn(body, defects);
  const requests = batchedRequests(body, defects).filter(isRecord);
  const inner = requests.map((request) => memberOf(request, 'request', defects)).filter(isRecord);
  const wrapped = memberOf(body, 'request', defects);
  // Elsewhere the path decides, whatever the body says; a wrapped request's path names no model.
  const own = isAbsent(memberOf(batch, 'inputConfig', defects)) ? [] : [batch];
  if (isRecord(wrapped)) own.push(body, wrapped);
  for (const one of [...own, ...requests, ...inner]) {
    const named = plainModel(memberOf(one, 'model', defects));
    if (named !== '' && known !== '' && named !== known) note(defects, 'two models are named');
    known ||= named;
  }
  return known;
}

/** The request with each model that is asked besides. */
export function insteadsOf(
  consulted: ReadonlySet<string>,
  defects: string[],
): Pick<RequestBodyFacts, 'insteads'> {
  if (consulted.size > consultedMax) note(defects, `more than ${consultedMax} models`);
  const insteads = [...consulted].slice(0, consultedMax).map((name) => ({ model: plainModel(name) }));
  return insteads.length === 0 ? {} : { insteads };
}

/** Reads a request body that has contents; `model` and `stream` are said by its path, or the model by a batch itself. */
export function readGeminiRequest(bytes: Buffer, pathModel: string, stream: boolean): RequestReading {
  let file: string | null = null;
  let model = pathModel;
  const reading = readObject(bytes, pathModel, stream, (body, defects) => {
    file = inputFile(body, defects);
    model = noteModels(body, pathModel, defects);
    const all = conversationsOf(body, defects);
    let system = '';
    let text = '';
    for (const one of all) system = joined(system, one.system);
    const messages = all.flatMap((one) => one.messages);
    const consulted = new Set(all.flatMap((one) => one.consulted));
    if (messages.length > messagesMax) note(defects, `more than ${messagesMax} messages`);
    for (const message of messages) text = joined(text, message.text);
    return {
      system,
      messages: messages.slice(0, messagesMax),
      text: joined(system, text),
      tools: boundedTools(
        all.flatMap((one) => one.tools),
        defects,
      ),
      params: Object.assign(
        {},
        ...all.map((one) => one.params).reverse(),
        file === null ? {} : { inputFile: file },
      ),
      ...insteadsOf(consulted, defects),
    };
  });
  const named = { ...reading, facts: { ...reading.facts, model } };
  return file === null ? named : { ...named, batchFiles: [file] };
}

/** Reads a request body that is one JSON object, by `read`. */
export function readObject(
  bytes: Buffer,
  model: string,
  stream: boolean,
  read: (body: JsonRecord, defects: string[]) => Partial<RequestBodyFacts>,
): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return { ...unread, facts: { ...unread.facts, model, stream } };
  const { facts } = unreadRequest('');
  return { facts: { ...facts, ...read(body, defects), model, stream }, defects };
}
