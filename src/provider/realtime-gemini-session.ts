/**
 * What a Live session has told its model since its last turn: the setup in force and what was added. Members are
 * read in both spellings that protobuf's JSON allows. Pure.
 */
import type { MessageFact, ToolCallFact, ToolFact } from '../core/facts.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from './json.ts';
import type { RequestBodyFacts } from './protocol.ts';
import {
  addCall,
  boundedList,
  joined,
  messagesMax,
  note,
  scalarParams,
  textWithin,
  toolsMax,
  unreadRequest,
} from './reading.ts';
import type { ClientReading, SocketReader } from './realtime.ts';
import { mediaOf, readMessage, unreadableClient, untoldBytesMax } from './realtime-reading.ts';

export interface LiveSession extends Pick<SocketReader, 'facts' | 'readClient' | 'asked'> {
  model(): string;
  /** What the provider understood of speech. */
  hear(content: JsonRecord): void;
}

interface Told {
  readonly setup: RequestBodyFacts;
  readonly messages: readonly MessageFact[];
  readonly size: number;
}

function snakeName(camelName: string): string {
  return camelName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A member under its name in camel case or in snake case. */
export function member(record: JsonRecord, camelName: string): unknown {
  return record[camelName] ?? record[snakeName(camelName)];
}

/** Members of theirs follow nobody's spelling. */
const foreign: ReadonlySet<string> = new Set(['args', 'response', 'parameters', 'parametersJsonSchema']);

/** Notes a member that is written in both spellings: nobody can say which of them counts. */
function noteTwice(value: unknown, defects: string[]): void {
  if (Array.isArray(value)) for (const item of value) noteTwice(item, defects);
  if (!isRecord(value)) return;
  for (const [name, inner] of Object.entries(value)) {
    if (snakeName(name) !== name && value[snakeName(name)] !== undefined)
      note(defects, `a message has both \`${name.slice(0, 80)}\` and \`${snakeName(name).slice(0, 80)}\``);
    if (!foreign.has(name)) noteTwice(inner, defects);
  }
}

export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isAbsent(value) ? [] : [value];
}

export function createLiveSession(): LiveSession {
  let told: Told = { setup: unreadRequest('').facts, messages: [], size: 0 };
  let facts = factsOf(told);

  function become(next: Told): void {
    told = next;
    facts = factsOf(next);
  }

  function withMessages(base: Told, added: readonly MessageFact[]): Told {
    if (added.length === 0) return base;
    const messages = [...base.messages, ...added];
    const size = base.size + added.reduce((sum, { text }) => sum + text.length, 0);
    return { ...base, messages, size };
  }

  function readParsed(value: JsonRecord, defects: string[]): ClientReading | null {
    const setup = member(value, 'setup');
    const content = member(value, 'clientContent');
    const input = member(value, 'realtimeInput');
    const response = member(value, 'toolResponse');
    const known = new Set(['setup', 'client_content', 'realtime_input', 'tool_response']);
    const others = Object.entries(value).filter(([key]) => !known.has(snakeName(key)));
    let next = told;
    let asks = false;
    if (isRecord(setup)) next = { ...next, setup: readSetup(setup, defects) };
    if (isRecord(content)) {
      next = withMessages(
        next,
        listOf(content.turns).map((turn) => readTurn(turn, defects)),
      );
      asks ||= member(content, 'turnComplete') === true;
    }
    if (isRecord(input)) next = withMessages(next, readInput(input));
    if (isRecord(response)) {
      const text = textWithin(listOf(member(response, 'functionResponses')));
      next = withMessages(next, [{ role: 'tool', text, toolCalls: [] }]);
      asks = true;
    }
    // A kind of message that is not known here may say anything.
    for (const [, other] of others)
      next = withMessages(next, [{ role: 'user', text: textWithin(other), toolCalls: [] }]);
    if (next === told && !asks && isRecord(input)) return null;
    if (next.messages.length > messagesMax)
      note(defects, `more than ${messagesMax} messages since the last turn`);
    if (next.size > untoldBytesMax)
      note(defects, `more than ${untoldBytesMax} characters since the last turn`);
    const accepted = next;
    return {
      kind: asks ? 'ask' : 'content',
      facts: next === told ? facts : factsOf(next),
      defects,
      changes: next !== told,
      accept: () => become(accepted),
    };
  }

  return {
    facts: () => facts,
    model: () => told.setup.model,
    asked: () => {
      if (told.messages.length > 0) become({ ...told, messages: [], size: 0 });
    },
    hear({ inputTranscription }) {
      const text = isRecord(inputTranscription) ? textOf(inputTranscription.text) : '';
      if (text !== '') become(withMessages(told, [{ role: 'user', text, toolCalls: [] }]));
    },
    readClient(message) {
      const { value, defect } = readMessage(message);
      if (value === null) return unreadableClient(facts, defect);
      const defects: string[] = [];
      note(defects, defect);
      noteTwice(value, defects);
      const reading = readParsed(value, defects);
      if (reading !== null) return reading;
      const [why] = defects;
      return why === undefined ? mediaOf(facts) : unreadableClient(facts, why);
    },
  };
}

function factsOf({ setup, messages }: Told): RequestBodyFacts {
  const text = messages.reduce((all, message) => joined(all, message.text), setup.system);
  return { ...setup, messages, text };
}

function readSetup(setup: JsonRecord, defects: string[]): RequestBodyFacts {
  const config = member(setup, 'generationConfig');
  const system = member(setup, 'systemInstruction');
  const tools: ToolFact[] = [];
  for (const tool of boundedList(setup.tools, toolsMax, '`tools`', defects)) {
    if (!isRecord(tool)) {
      note(defects, 'an entry of `tools` is not an object');
      continue;
    }
    const declared = listOf(member(tool, 'functionDeclarations'));
    for (const fn of declared.filter(isRecord))
      tools.push({ name: textOf(fn.name), description: textOf(fn.description) });
    if (declared.length === 0) for (const name of Object.keys(tool)) tools.push({ name, description: '' });
  }
  return {
    model: textOf(setup.model).replace(/^models\//, ''),
    stream: true,
    params: isRecord(config) ? scalarParams(config, new Set()) : {},
    system: typeof system === 'string' ? system : readParts(system).text,
    messages: [],
    text: '',
    tools: tools.slice(0, toolsMax),
  };
}

function readTurn(turn: unknown, defects: string[]): MessageFact {
  if (typeof turn === 'string') return { role: 'user', text: turn, toolCalls: [] };
  if (!isRecord(turn)) note(defects, 'a turn is not an object');
  return readParts(turn);
}

/** The text of a content's parts; sound and pictures have none. */
function readParts(content: unknown): MessageFact {
  const toolCalls: ToolCallFact[] = [];
  let text = '';
  for (const part of isRecord(content) ? listOf(content.parts) : []) {
    if (typeof part === 'string') text = joined(text, part);
    if (!isRecord(part)) continue;
    const call = member(part, 'functionCall');
    const response = member(part, 'functionResponse');
    if (typeof part.text === 'string') text = joined(text, part.text);
    else if (isRecord(call)) {
      const value = isRecord(call.args) ? call.args : {};
      // Nobody acts on a call of an earlier turn again, so what is wrong with it is no defect here.
      addCall(toolCalls, [], textOf(call.id), textOf(call.name), value, JSON.stringify(value));
    } else if (isRecord(response)) text = joined(text, textWithin(response));
    else if (member(part, 'inlineData') === undefined) text = joined(text, textWithin(part));
  }
  const role = isRecord(content) ? textOf(content.role) : '';
  return { role: role === '' ? 'user' : role, text, toolCalls };
}

function readInput(input: JsonRecord): readonly MessageFact[] {
  const text = textOf(input.text);
  return text === '' ? [] : [{ role: 'user', text, toolCalls: [] }];
}
