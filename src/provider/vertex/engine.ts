/**
 * Vertex AI's reasoning engines (Agent Engine), which run a customer's own agent
 * (https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.reasoningEngines/query). What they
 * answer is whatever the agent returns: its calls are found wherever they stand, in the forms of Google's agent kit
 * (`function_call` with `args`), of LangChain (`tool_calls`, `tool` with `tool_input`), and of a message's blocks. The agent has made them
 * itself, as a rule; what waits is the answer that tells them. Agents that speak the Agent2Agent protocol there
 * (https://cloud.google.com/vertex-ai/generative-ai/docs/agent-engine/use/a2a) tell them as data of a message. Pure; hostile bytes in, facts and defects out.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ToolCallFact } from '../../core/facts.ts';
import { unamendable } from '../amending/amendment.ts';
import { content } from '../gemini/content.ts';
import { camelCased, memberOf } from '../gemini/parts.ts';
import type { Dialect } from '../gemini/protocol.ts';
import { googleRoute } from '../gemini/route.ts';
import type { RequestReading, ResponseReading } from '../protocol.ts';
import {
  addCall,
  addJsonCall,
  joined,
  note,
  openRequest,
  openRunningText,
  textWithin,
  unreadRequest,
  unreadResponse,
} from '../reading/reading.ts';
import { openEventStream, type StreamReader } from '../reading/stream.ts';
import { streamFormOf } from '../reading/stream-form.ts';
import { isAbsent, isRecord, type JsonRecord, readJsonText, textOf } from '../wire/json.ts';

/** The verbs that ask an engine something. */
export const engineVerbs: ReadonlySet<string> = new Set(['query', 'streamquery', 'asyncquery']);

function readRequest(bytes: Buffer, path: string): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const { segments, verb } = googleRoute(path);
  const isMessage = segments.includes('a2a');
  const text = textWithin(isMessage ? body : memberOf(body, 'input', defects));
  const at = segments.lastIndexOf('reasoningengines');
  const engine = at === -1 ? '' : (segments[at + 1] ?? '');
  const facts = {
    ...unreadRequest('').facts,
    // An agent of the customer's own asks what model it likes: it counts as one.
    model: engine === '' ? '' : `reasoningengines/${engine}`,
    stream: verb === 'streamquery' || verb === 'stream',
    params: {
      classMethod: textOf(memberOf(body, 'classMethod', defects)),
      engine,
    },
    messages: text === '' ? [] : [{ role: 'user', text, toolCalls: [] }],
    text,
  };
  // Asked later, what is asked stands in a storage.
  const file = textOf(memberOf(body, 'inputGcsUri', defects));
  if (file === '' && verb !== 'asyncquery') return { facts, defects };
  return { facts, defects, batchFiles: [file || '(not named)'] };
}

interface Found {
  readonly calls: ToolCallFact[];
  readonly defects: string[];
}

/** Adds a call whose arguments are a value, or the JSON text of one. */
function add(found: Found, id: unknown, name: unknown, args: unknown): void {
  if (typeof args === 'string') addJsonCall(found.calls, found.defects, textOf(id), textOf(name), args);
  else addCall(found.calls, found.defects, textOf(id), textOf(name), args ?? {}, JSON.stringify(args ?? {}));
}

function addListed(call: unknown, found: Found): void {
  if (!isRecord(call)) {
    note(found.defects, 'a tool call is not an object');
    return;
  }
  const inner = isRecord(call['function']) ? call['function'] : call;
  add(found, call['id'], inner['name'], inner['args'] ?? inner['arguments']);
}

/** Every call within a value, however deep. The value must be bounded in depth, as readJsonText makes it. */
function search(value: unknown, found: Found): void {
  if (Array.isArray(value)) for (const element of value) search(element, found);
  if (!isRecord(value)) return;
  // Where a call is told another may stand beside it, but none in what its tool is handed.
  let handed: readonly string[] = [];
  if (typeof value['tool'] === 'string' && 'tool_input' in value) {
    add(found, value['tool_call_id'], value['tool'], wrapped(value['tool_input']));
    handed = ['tool_input'];
  }
  const told = callInMessage(value) ?? callAsBlock(value);
  if (told !== null) {
    add(found, told['id'] ?? told['toolUseId'] ?? told['call_id'], told['name'], inputOf(told));
    handed = [...handed, 'args', 'input', 'arguments', 'toolUse', 'data'];
  }
  const own = found.calls.length;
  for (const [key, member] of Object.entries(value)) {
    if (handed.includes(key)) continue;
    const name = camelCased(key);
    if (name === 'functionCall' && isRecord(member)) {
      add(found, member['id'], member['name'], member['args'] ?? member['arguments']);
    } else if (name === 'toolCalls' && Array.isArray(member)) {
      for (const call of member) addListed(call, found);
    } else search(member, found);
  }
  if (handed.length > 0) leaveOutRepeated(found.calls, own);
}

/** What stands beside a call may tell it again, as the message that a step of LangChain's came of does. */
function leaveOutRepeated(calls: ToolCallFact[], own: number): void {
  const told = calls[own - 1];
  const others = calls
    .splice(own)
    .filter((call) => !isDeepStrictEqual([call.name, call.arguments], [told?.name, told?.arguments]));
  calls.push(...others);
}

/** A call that Google's agent kit tells as the data of a message's part; a later version wraps the data once more. */
function callInMessage({ data, metadata }: JsonRecord): JsonRecord | null {
  if (!isRecord(data) || !isRecord(metadata) || metadata['adk_type'] !== 'function_call') return null;
  return isRecord(data['data']) ? data['data'] : data;
}

const blockTypes: ReadonlySet<string> = new Set(['tool_use', 'tool_call', 'function_call']);

/** A call as a block of a message, as Anthropic, LangChain and OpenAI write one, or Bedrock and its agent kit, Strands. */
function callAsBlock(value: JsonRecord): JsonRecord | null {
  const { toolUse } = value;
  if (isRecord(toolUse) && typeof toolUse['name'] === 'string') return toolUse;
  const isBlock = blockTypes.has(textOf(value['type'])) && typeof value['name'] === 'string';
  return isBlock && inputOf(value) !== undefined ? value : null;
}

function inputOf(call: JsonRecord): unknown {
  return call['args'] ?? call['input'] ?? call['arguments'];
}

/** An old agent's input may be one text, which is no JSON. */
function wrapped(input: unknown): unknown {
  return typeof input === 'string' ? { input } : input;
}

/** Text and calls of what one piece, or the whole answer, says. */
function absorb(value: JsonRecord, found: Found): string {
  search(value, found);
  // Whoever reads the one member need not be whoever reads the others.
  return textWithin(value);
}

/** The answer as one JSON text, or as one a line. */
function valuesOf(text: string, defects: string[]): readonly JsonRecord[] {
  const whole = readJsonText(text, 'the answer');
  const readings = isRecord(whole.value)
    ? [whole]
    : text
        .split('\n')
        .flatMap((line) => (line.trim() === '' ? [] : [readJsonText(line, 'a line of the answer')]));
  return readings.flatMap(({ value, defect }) => {
    note(defects, defect);
    if (isRecord(value)) return [value];
    // An engine may answer a line with a plain text or number.
    return defect === '' ? [{ output: value }] : [];
  });
}

/** Reads what any agent answered, of status below 400. */
export function readEngineAnswer(status: number, bytes: Buffer): ResponseReading {
  const { facts } = unreadResponse(status, '');
  const found: Found = { calls: [], defects: [] };
  let text = '';
  for (const value of valuesOf(bytes.toString('utf8'), found.defects))
    text = joined(text, absorb(value, found));
  return {
    facts: { ...facts, text, toolCalls: found.calls },
    defects: found.defects,
    complete: true,
    failed: false,
  };
}

/** Opens a reader for one stream, which has no last event of its own. */
export function createEngineStreamReader(status: number): StreamReader {
  const found: Found = { calls: [], defects: [] };
  const running = openRunningText();
  let failed = false;
  return {
    defects: found.defects,
    absorbText: () => null,
    absorbEmpty: () => 'other',
    absorb(event, value) {
      if (event === 'error' || !isAbsent(value['error'])) failed = true;
      const before = found.calls.length;
      const said = absorb(value, found);
      running.add(said);
      if (found.calls.length > before || found.defects.length > 0) return 'tool';
      return said === '' ? 'other' : 'text';
    },
    reading() {
      const { facts } = unreadResponse(status, '');
      return {
        facts: { ...facts, text: running.text(), toolCalls: found.calls },
        defects: found.defects,
        complete: true,
        failed,
      };
    },
  };
}

export const engine: Dialect = {
  ...content,
  readsAnswer: () => true,
  readsAnswerBy: () => null,
  readRequest: (_operation, body, { path }) => readRequest(body, path),
  readResponse: (_operation, status, body) => readEngineAnswer(status, body),
  // Lines come as plain JSON, whose type names no form; they are read as one whole.
  streamFormOf: (_operation, contentType) => (streamFormOf(contentType) === 'sse' ? 'sse' : null),
  openStream: (_operation, status) => openEventStream(createEngineStreamReader(status)),
  keepAliveEvent: () => null,
  amendResponse() {
    throw unamendable('its calls were made already');
  },
};
