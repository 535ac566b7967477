/**
 * Cohere chat requests, of its second API and its first (https://docs.cohere.com/reference/chat, .../chat-v1).
 * What carries messages as OpenAI does is read as there; the rest is added. Pure.
 */
import type { MessageFact, ToolCallFact } from '../../core/facts.ts';
import { readChatRequest } from '../openai/chat.ts';
import type { RequestReading } from '../protocol.ts';
import { noteRespelled } from '../reading/member-spelling.ts';
import {
  addCall,
  boundedRecords,
  joined,
  messagesMax,
  note,
  textWithin,
  toolCallsMax,
} from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, readJson, textOf } from '../wire/json.ts';

const requestMembers: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'messages',
  'tools',
  'documents',
  'message',
  'preamble',
  'chat_history',
  'tool_results',
]);
const wordMembers: readonly string[] = ['message', 'preamble'];

const roleNames: ReadonlyMap<string, string> = new Map([
  ['USER', 'user'],
  ['CHATBOT', 'assistant'],
  ['SYSTEM', 'system'],
  ['TOOL', 'tool'],
]);

/** A turn of the first API: its words, the calls it made, what tools answered. */
function readTurn(turn: JsonRecord): MessageFact {
  const toolCalls: ToolCallFact[] = [];
  const calls: readonly unknown[] = Array.isArray(turn.tool_calls) ? turn.tool_calls : [];
  for (const call of calls.slice(0, toolCallsMax)) {
    if (!isRecord(call)) continue;
    const value = call.parameters ?? {};
    // Nobody acts on a call of an earlier turn again, so what is wrong with it is no defect here.
    addCall(toolCalls, [], '', textOf(call.name), value, JSON.stringify(value));
  }
  const role = textOf(turn.role);
  const text = joined(textOf(turn.message), textWithin(turn.tool_results));
  return { role: roleNames.get(role) ?? role.toLowerCase(), text, toolCalls };
}

function readHistory(body: JsonRecord, defects: string[]): readonly MessageFact[] {
  const turns = boundedRecords(body.chat_history, messagesMax, '`chat_history`', defects).map(readTurn);
  if (!isAbsent(body.message) && typeof body.message !== 'string') note(defects, '`message` is not a text');
  const now = readTurn({ role: 'USER', message: body.message, tool_results: body.tool_results });
  return now.text === '' ? turns : [...turns, now];
}

/** The plans of earlier turns, which stand beside their content. */
function textBeside(body: JsonRecord): string {
  const messages: readonly unknown[] = Array.isArray(body.messages) ? body.messages : [];
  let text = '';
  for (const message of messages) if (isRecord(message)) text = joined(text, textOf(message.tool_plan));
  return text;
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readCohereRequest(bytes: Buffer): RequestReading {
  const reading = readChatRequest(bytes);
  const { value: body } = readJson(bytes, 'the request body');
  if (!isRecord(body)) return reading;
  const defects = [...reading.defects];
  noteRespelled(body, requestMembers, defects);
  const { facts } = reading;
  const history = readHistory(body, defects);
  let system = joined(textOf(body.preamble), facts.system);
  for (const { role, text } of history) if (role === 'system') system = joined(system, text);
  const text = [facts.text, textOf(body.preamble), ...history.map((turn) => turn.text), textBeside(body)];
  const params = Object.fromEntries(
    Object.entries(facts.params).filter(([name]) => !wordMembers.includes(name)),
  );
  const messages = [...history, ...facts.messages];
  return { facts: { ...facts, params, system, messages, text: text.reduce(joined, '') }, defects };
}
