/**
 * What a Live session has told its model since its last turn: the setup in force and what was added. Members are
 * read in both spellings that protobuf's JSON allows. Pure.
 */
import type { MessageFact } from '../../core/facts.ts';
import { camelCased, listOf, partsText, toolResponseText } from '../gemini/parts.ts';
import { insteadsOf, plainModel, readConversation, readMessages } from '../gemini/request.ts';
import type { RequestBodyFacts, RequestReading } from '../protocol.ts';
import {
  joined,
  messagesMax,
  note,
  openRequest,
  scalarParams,
  textWithin,
  unreadRequest,
} from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import type { ClientReading, SocketReader } from './dialect.ts';
import { mediaOf, readMessage, unreadableClient, untoldBytesMax } from './reading.ts';

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
export function noteTwice(value: unknown, defects: string[]): void {
  if (Array.isArray(value)) for (const item of value) noteTwice(item, defects);
  if (!isRecord(value)) return;
  for (const [name, inner] of Object.entries(value)) {
    if (snakeName(name) !== name && value[snakeName(name)] !== undefined)
      note(defects, `a message has, in both spellings, ${JSON.stringify(name.slice(0, 80))}`);
    if (!foreign.has(name)) noteTwice(inner, defects);
  }
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
    for (const part of [setup, content, input, response])
      if (!isAbsent(part) && !isRecord(part)) note(defects, 'what a message carries is not an object');
    const others = Object.entries(value).filter(([key]) => !known.has(snakeName(key)));
    const own = isRecord(setup) ? readSetup(setup, defects) : null;
    const added: MessageFact[] = [];
    let asks = false;
    if (isRecord(content)) {
      added.push(...readMessages(content.turns, 'turns', defects));
      asks ||= member(content, 'turnComplete') === true;
    }
    if (isRecord(input)) added.push(...readInput(input));
    if (isRecord(response)) {
      const text = listOf(member(response, 'functionResponses')).map(toolResponseText).reduce(joined, '');
      added.push({ role: 'tool', text, toolCalls: [] });
      asks = true;
    }
    // A kind of message that is not known here may say anything.
    for (const [, other] of others) added.push({ role: 'user', text: textWithin(other), toolCalls: [] });
    const change = (base: Told): Told => withMessages(own === null ? base : { ...base, setup: own }, added);
    const before = told;
    const next = change(before);
    if (next === before && !asks && isRecord(input)) return null;
    if (next.messages.length > messagesMax)
      note(defects, `more than ${messagesMax} messages since the last turn`);
    if (next.size > untoldBytesMax)
      note(defects, `more than ${untoldBytesMax} characters since the last turn`);
    return {
      kind: asks ? 'ask' : 'content',
      facts: next === before ? facts : factsOf(next),
      defects,
      changes: next !== before,
      // A person may have ruled first: speech that was understood meanwhile has been told as well.
      accept: () => become(told === before ? next : change(told)),
    };
  }

  return {
    facts: () => facts,
    model: () => told.setup.model,
    asked: (recorded) => {
      const known = new Set(recorded.messages);
      const since = told.messages.filter((message) => !known.has(message));
      if (since.length < told.messages.length)
        become(withMessages({ ...told, messages: [], size: 0 }, since));
    },
    hear(content) {
      const inputTranscription = member(content, 'inputTranscription');
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

/** What a session is set up with. */
function readSetup(setup: JsonRecord, defects: string[]): RequestBodyFacts {
  const config = member(setup, 'generationConfig');
  const { system, tools, consulted } = readConversation(setup, defects);
  return {
    model: plainModel(setup.model),
    stream: true,
    params: isRecord(config) ? scalarParams(config, new Set()) : {},
    system,
    messages: [],
    text: '',
    tools,
    ...insteadsOf(new Set(consulted), defects),
  };
}

/** Reads the request for a token: whoever has that opens sessions that are set up so. */
export function readTokenRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  noteTwice(body, defects);
  const constraints = member(body, 'bidiGenerateContentSetup');
  if (isAbsent(constraints)) return unreadRequest('');
  const inner = isRecord(constraints) ? (constraints.setup ?? constraints) : constraints;
  if (!isRecord(inner)) note(defects, '`bidiGenerateContentSetup` is not an object');
  const facts = readSetup(isRecord(inner) ? inner : {}, defects);
  return { facts: { ...facts, stream: false, text: facts.system }, defects };
}

const blobs: ReadonlySet<string> = new Set(['audio', 'video', 'mediaChunks']);
const marks: ReadonlySet<string> = new Set(['activityStart', 'activityEnd', 'audioStreamEnd']);

/** Words among the sound and the pictures: of a member that is not known here every text may be some. */
function readInput(input: JsonRecord): readonly MessageFact[] {
  let text = '';
  for (const [key, value] of Object.entries(input)) {
    const name = camelCased(key);
    if (blobs.has(name)) text = joined(text, partsText(listOf(value).map((inlineData) => ({ inlineData }))));
    else if (!marks.has(name)) text = joined(text, textWithin(value));
  }
  return text === '' ? [] : [{ role: 'user', text, toolCalls: [] }];
}
