/**
 * Mistral's chat, fill-in-the-middle and agent completions (https://docs.mistral.ai/api): OpenAI's form, but
 * content may be a list of chunks, arguments may be an object, and one choice may hold several messages. What
 * differs is brought into OpenAI's form here and read by that family's readers. Pure.
 */

import { readChatResponse } from '../openai/chat.ts';
import { type ChatStreamReader, createChatStreamReader } from '../openai/chat-stream.ts';
import type { ResponseReading } from '../protocol.ts';
import { respelledIn } from '../reading/answer-spelling.ts';
import { isNumber, isText } from '../reading/documented-types.ts';
import { isAbsent, isRecord, type JsonRecord, readJson, textOf } from '../wire/json.ts';
import { eachElement, type SourcePath, sourcesAt } from '../wire/source-at-path.ts';

/** Chunks that show something and ask for nothing. */
const shownChunks: ReadonlySet<string> = new Set([
  'text',
  'reference',
  'tool_reference',
  'tool_file',
  'image_url',
  'document_url',
  'file',
  'input_audio',
]);

/** What a content chunk is: known ones by their type, some of which may be left out. */
export function chunkKind(chunk: unknown): 'shown' | 'thinking' | 'unknown' {
  if (!isRecord(chunk)) return typeof chunk === 'string' ? 'shown' : 'unknown';
  const type = textOf(chunk.type);
  if (type === 'thinking' || (type === '' && Array.isArray(chunk.thinking))) return 'thinking';
  return shownChunks.has(type) || (type === '' && typeof chunk.text === 'string') ? 'shown' : 'unknown';
}

/** The call that a chunk of an unknown kind is taken for, named after its type. */
export function chunkCall(chunk: unknown): { readonly name: string; readonly argumentsText: string } {
  if (!isRecord(chunk)) return { name: 'untyped_chunk', argumentsText: JSON.stringify({ chunk }) };
  const { type, ...rest } = chunk;
  return { name: textOf(type) || 'untyped_chunk', argumentsText: JSON.stringify(rest) };
}

/** Chunks that show something, their text in one piece: references stand between words, and tear none apart. */
function plainContent(content: readonly unknown[]): unknown {
  let text = '';
  const beside: unknown[] = [];
  for (const chunk of content) {
    if (chunkKind(chunk) !== 'shown') continue;
    if (!isRecord(chunk)) text += textOf(chunk);
    else if (typeof chunk.text === 'string') text += chunk.text;
    else if (chunk.type !== 'reference') beside.push(chunk);
  }
  return beside.length === 0 ? text : [{ type: 'text', text }, ...beside];
}

/** Where a call stands that is made of a content chunk; no provider counts as far. */
const chunkCallIndex = 1_000_000;

/** A message or delta in OpenAI's form; the same object where it is in that form already. */
function plainMessage(message: JsonRecord, sourceOf: (call: number) => string | undefined): JsonRecord {
  const { content, tool_calls: calls } = message;
  const next: Record<string, unknown> = { ...message };
  let changed = false;
  if (Array.isArray(calls)) {
    next.tool_calls = calls.map((call: unknown, i) => {
      const fn = isRecord(call) ? call.function : undefined;
      if (!isRecord(call) || !isRecord(fn) || !isRecord(fn.arguments)) return call;
      changed = true;
      return { ...call, function: { ...fn, arguments: sourceOf(i) ?? JSON.stringify(fn.arguments) } };
    });
  }
  if (Array.isArray(content)) {
    changed = true;
    next.content = plainContent(content);
    // Thinking is shown, but is no part of the answer's text.
    if (content.some((chunk) => chunkKind(chunk) === 'thinking')) next.reasoning_content = 'thinking';
    const unknown = content.filter((chunk) => chunkKind(chunk) === 'unknown').map(chunkCall);
    if (unknown.length > 0) {
      const made = unknown.map(({ name, argumentsText }, i) => ({
        index: chunkCallIndex + i,
        function: { name, arguments: argumentsText },
      }));
      next.tool_calls = [...(Array.isArray(next.tool_calls) ? next.tool_calls : []), ...made];
    }
  }
  for (const name of ['index', 'prefix']) {
    // Says which of several messages a delta belongs to, or repeats the request: neither asks for anything.
    if (typeof message[name] !== 'number' && typeof message[name] !== 'boolean') continue;
    changed = true;
    delete next[name];
  }
  return changed ? next : message;
}

/** One message for the several that an agent's choice may hold: all they show, all they ask for. */
function unitedMessage(choice: JsonRecord): JsonRecord | null {
  const messages = choice.messages;
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isRecord)) return null;
  const content: unknown[] = [];
  const calls: unknown[] = [];
  for (const message of isRecord(choice.message) ? [choice.message, ...messages] : messages) {
    const said: unknown = message.content;
    if (content.length > 0) content.push({ type: 'text', text: '\n' });
    if (Array.isArray(said)) content.push(...said);
    else if (typeof said === 'string') content.push({ type: 'text', text: said });
    if (Array.isArray(message.tool_calls)) calls.push(...message.tool_calls);
  }
  return { role: 'assistant', content, tool_calls: calls };
}

/** A chunk or whole answer in OpenAI's form; the same object where it is in that form already. */
function plainBody(body: JsonRecord, member: 'message' | 'delta', source: () => string): JsonRecord {
  const { choices } = body;
  if (!Array.isArray(choices)) return body;
  let sources: ReadonlyMap<string, string> | null = null;
  let changed = false;
  const plain = choices.map((choice: unknown, i) => {
    if (!isRecord(choice)) return choice;
    const united = unitedMessage(choice);
    const message = united ?? choice[member];
    if (!isRecord(message)) return choice;
    const next = plainMessage(message, (call) => {
      if (united !== null) return undefined;
      const path: SourcePath = ['choices', eachElement, member, 'tool_calls', eachElement];
      sources ??= sourcesAt(source(), [...path, 'function', 'arguments']);
      return sources.get(`${i}.${call}`);
    });
    if (next === message && united === null) return choice;
    changed = true;
    const { messages: _messages, ...rest } = choice;
    return { ...rest, [member]: next };
  });
  return changed ? { ...body, choices: plain } : body;
}

/** Reads a whole answer of status below 400. */
export function readMistralResponse(status: number, bytes: Buffer): ResponseReading {
  const { value, defect } = readJson(bytes, 'the answer');
  if (!isRecord(value) || defect !== '' || respelledIn(value) !== '') return readChatResponse(status, bytes);
  const plain = plainBody(value, 'message', () => bytes.toString('utf8'));
  return readChatResponse(status, plain === value ? bytes : Buffer.from(JSON.stringify(plain)));
}

export interface MistralStreamReader extends ChatStreamReader {
  /** True when content of an unknown kind was taken for a tool call. */
  madeCalls(): boolean;
}

function hasUnknownChunk(chunk: JsonRecord): boolean {
  const choices: readonly unknown[] = Array.isArray(chunk.choices) ? chunk.choices : [];
  return choices.some((choice) => {
    const delta = isRecord(choice) ? choice.delta : undefined;
    const content = isRecord(delta) ? delta.content : undefined;
    return Array.isArray(content) && content.some((one) => chunkKind(one) === 'unknown');
  });
}

const countsSaid = ['prompt_tokens', 'completion_tokens', 'total_tokens'];
const countsBeside = ['prompt_audio_seconds', 'request_count', 'num_cached_tokens'];

const detailsOf = [
  ['prompt_tokens_details', 'cached_tokens'],
  ['prompt_token_details', 'cached_tokens'],
  ['completion_tokens_details', 'reasoning_tokens'],
] as const;

function isUsage(usage: unknown): boolean {
  if (isAbsent(usage)) return true;
  return (
    isRecord(usage) &&
    countsSaid.every((name) => typeof usage[name] === 'number') &&
    countsBeside.every((name) => isNumber(usage[name])) &&
    isText(usage.service_tier) &&
    detailsOf.every(([name, count]) => {
      const details = usage[name];
      return isAbsent(details) || (isRecord(details) && isNumber(details[count]));
    })
  );
}

function namesNobody(choice: unknown): boolean {
  return isRecord(choice) && isRecord(choice.delta) && choice.delta.role === null;
}

/** Mistral's reader in the AI SDK takes a role or none, and counts all of them or none. */
function chunkMissedBy({ usage, choices }: JsonRecord): string {
  return isUsage(usage) && !(Array.isArray(choices) && choices.some(namesNobody)) ? '' : ' mistral';
}

/** Opens a reader for one stream. */
export function createMistralStreamReader(status: number): MistralStreamReader {
  const inner = createChatStreamReader(status, chunkMissedBy);
  let source = '';
  let made = false;
  return {
    ...inner,
    madeCalls: () => made,
    absorbText(data) {
      source = data;
      return inner.absorbText(data);
    },
    absorb(event, chunk) {
      if (hasUnknownChunk(chunk)) made = true;
      const plain = plainBody(chunk, 'delta', () => source);
      // The provider's error has its members at the top, where OpenAI's has them inside `error`.
      return inner.absorb(event, chunk.object === 'error' ? { ...plain, error: chunk } : plain);
    },
  };
}
