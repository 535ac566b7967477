/**
 * Anthropic's message batches: one body with many requests, and a file of their answers
 * (https://docs.anthropic.com/en/api/creating-message-batches). Pure; bounded; hostile bytes in, lines, facts and
 * defects out.
 */
import type { MessageFact, ToolCallFact, ToolFact } from '../core/facts.ts';
import { parseForRewrite } from './amendment.ts';
import { readMessagesRequest, readMessagesResponse } from './anthropic-messages.ts';
import { batchEntriesIn, batchEntriesOf, batchLinesMax, jsonBytes } from './batch-lines.ts';
import { isRecord, readJson } from './json.ts';
import type { BatchRequest, BatchResult, RequestReading, ResponseReading } from './protocol.ts';
import {
  addCall,
  boundedList,
  joined,
  messagesMax,
  note,
  toolsMax,
  unreadRequest,
  unreadResponse,
} from './reading.ts';

const okStatus = 200;
/** Where each request of a batch would have been sent alone. */
const path = '/v1/messages';

function* requestsIn(body: Buffer): Generator<BatchRequest> {
  const value = parseForRewrite(body.toString('utf8'));
  const list: readonly unknown[] = isRecord(value) && Array.isArray(value.requests) ? value.requests : [];
  for (const { customId, value: entry, defect } of batchEntriesIn(list)) {
    const isWhole = isRecord(entry.params);
    yield {
      customId,
      operation: 'messages',
      path,
      request: isWhole ? jsonBytes(entry.params) : Buffer.alloc(0),
      defect: defect || (isWhole ? '' : 'a request of the batch has no params'),
    };
  }
}

/** The requests of a batch's body, as if each had been sent alone; none, and a defect, where it cannot be read. */
export function* readBatchLines(body: Buffer): Generator<BatchRequest> {
  const json = readJson(body, 'the request body');
  const list = isRecord(json.value) ? json.value.requests : undefined;
  const defect = json.defect || (Array.isArray(list) ? '' : 'the request body has no list of `requests`');
  if (defect === '') yield* requestsIn(body);
  else yield { customId: '', operation: 'messages', path, request: Buffer.alloc(0), defect };
}

/** The answers of a results file, as if each had come alone; what failed, expired or was cancelled has none. */
export function* readBatchResults(file: Buffer): Generator<BatchResult> {
  for (const { customId, value, defect } of batchEntriesOf(file)) {
    const result = isRecord(value.result) ? value.result : {};
    const message = result.type === 'succeeded' ? result.message : undefined;
    const isWhole = isRecord(message) || ['errored', 'canceled', 'expired'].includes(String(result.type));
    yield {
      customId,
      operation: isRecord(message) ? 'messages' : 'unknown',
      status: isRecord(message) ? okStatus : 0,
      response: jsonBytes(message),
      defect: defect || (isWhole ? '' : 'a line of the batch has no answer'),
    };
  }
}

function addTools(tools: Map<string, ToolFact>, found: readonly ToolFact[], defects: string[]): void {
  for (const tool of found) {
    if (tools.size < toolsMax) tools.set(`${tool.name}\n${tool.description}`, tool);
    else note(defects, `more than ${toolsMax} tools`);
  }
}

/**
 * Reads the body that creates a batch as one request: every text of every line, and its model, or all of them
 * by lines where they differ, which no name of a model matches.
 */
export function readBatchRequest(bytes: Buffer): RequestReading {
  if (bytes.length === 0) return unreadRequest('');
  const json = readJson(bytes, 'the request body');
  if (!isRecord(json.value)) return unreadRequest(json.defect || 'the request body is not a JSON object');
  const defects: string[] = [];
  note(defects, json.defect);
  boundedList(json.value.requests, batchLinesMax, '`requests`', defects);
  const models = new Set<string>();
  const tools = new Map<string, ToolFact>();
  const messages: MessageFact[] = [];
  let system = '';
  let conversation = '';
  let requests = 0;
  for (const line of requestsIn(bytes)) {
    note(defects, line.defect);
    requests += 1;
    const { facts, defects: found } = readMessagesRequest(line.request);
    for (const defect of found) note(defects, defect);
    models.add(facts.model);
    addTools(tools, facts.tools, defects);
    system = joined(system, facts.system);
    for (const message of facts.messages) {
      if (message.role !== 'system') conversation = joined(conversation, message.text);
      if (messages.length < messagesMax) messages.push(message);
      else note(defects, `more than ${messagesMax} messages`);
    }
  }
  const facts = {
    model: [...models].join('\n'),
    stream: false,
    params: { requests },
    system,
    messages,
    text: joined(system, conversation),
    tools: [...tools.values()],
  };
  return { facts, defects, batch: () => requestsIn(bytes) };
}

/** Reads a results file as one answer: every text and every tool call of every line. */
export function readBatchResponse(status: number, bytes: Buffer): ResponseReading {
  const whole = unreadResponse(status, '');
  const defects: string[] = [];
  const toolCalls: ToolCallFact[] = [];
  const models = new Set<string>();
  let text = '';
  for (const line of readBatchResults(bytes)) {
    note(defects, line.defect);
    if (line.status === 0) continue;
    const { facts, defects: found } = readMessagesResponse(line.status, line.response);
    for (const defect of found) note(defects, defect);
    models.add(facts.model);
    text = joined(text, facts.text);
    for (const call of facts.toolCalls) {
      addCall(toolCalls, defects, call.id, call.name, call.arguments, call.argumentsText);
    }
  }
  const model = [...models].join('\n');
  return {
    ...whole,
    facts: { ...whole.facts, model, text, toolCalls },
    defects,
    batch: () => readBatchResults(bytes),
  };
}
