/**
 * OpenAI requests that keep a conversation at the provider: assistants, threads, runs and their tool outputs
 * (https://platform.openai.com/docs/api-reference/assistants), stored conversations, and the sessions that a
 * voice or chat client will use later. Pure; hostile bytes in, facts and defects out.
 */
import type { MessageFact } from '../../core/facts.ts';
import { withConsulted } from '../asked/fallback-models.ts';
import { alsoAsking } from '../asked/insteads.ts';
import type { RequestHead, RequestReading } from '../protocol.ts';
import { textFacts } from '../reading/form-request.ts';
import { isForm, readForm } from '../reading/multipart.ts';
import { promptOf } from '../reading/prompt.ts';
import {
  boundedList,
  boundedRecords,
  joined,
  messagesMax,
  modelName,
  note,
  openRequest,
  scalarParams,
  streamFlag,
  textWithin,
  unreadRequest,
} from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { contentText } from './chat.ts';
import { readInput } from './responses.ts';
import { readTextTools } from './text-requests.ts';

const paramsElsewhere: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'instructions',
  'additional_instructions',
  'content',
  'role',
]);

function readMessages(list: unknown, what: string, defects: string[]): readonly MessageFact[] {
  return boundedRecords(list, messagesMax, what, defects).map((entry) => ({
    role: textOf(entry.role) || 'user',
    text: contentText(entry.content, defects),
    toolCalls: [],
  }));
}

function readToolOutputs(list: unknown, defects: string[]): readonly MessageFact[] {
  return boundedList(list, messagesMax, '`tool_outputs`', defects).map((entry) => ({
    role: 'tool',
    text: isRecord(entry) ? textWithin(entry.output) : textWithin(entry),
    toolCalls: [],
  }));
}

/** All messages a body adds, wherever it puts them: a new thread's, further ones, or itself. */
function allMessages(body: JsonRecord, defects: string[]): readonly MessageFact[] {
  const thread = isRecord(body.thread) ? body.thread : {};
  const itself = isAbsent(body.content) ? [] : [body];
  return [
    ...readMessages(thread.messages, '`thread.messages`', defects),
    ...readMessages(body.messages, '`messages`', defects),
    ...readMessages(body.additional_messages, '`additional_messages`', defects),
    ...readMessages(itself, '`messages`', defects),
    ...readInput(body.items, '`items`', defects),
    ...readToolOutputs(body.tool_outputs, defects),
  ];
}

/** Of Mistral's conversations, which have the same route, and an answer with calls where OpenAI's have none. */
const mistralMembers = ['inputs', 'from_entry_id', 'tool_confirmations', 'completion_args'] as const;

/** Reads the body of an assistant, a thread, a message, a run, tool outputs or a conversation's items. */
export function readThreadRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const instructed = joined(
    contentText(body.instructions, defects),
    contentText(body.additional_instructions, defects),
  );
  const messages = allMessages(body, defects);
  const foreign = mistralMembers.find((name) => !isAbsent(body[name]));
  if (foreign !== undefined)
    note(defects, `\`${foreign}\` is of another API than the upstream is set up for`);
  const { system, conversation } = promptOf(instructed, messages);
  const facts = {
    model: modelName(body.model, defects),
    stream: streamFlag(body.stream, defects),
    params: scalarParams(body, paramsElsewhere),
    system,
    messages,
    text: joined(system, conversation),
    tools: readTextTools(body.tools, defects),
  };
  return { facts: withConsulted(body, facts, defects), defects };
}

function objectIn(bytes: Buffer, defects: string[]): JsonRecord {
  const opened = openRequest(bytes);
  for (const defect of opened.defects) note(defects, defect);
  return opened.body ?? {};
}

/** The `session` of a form (a WebRTC offer and the session beside it), or of a JSON body, or the body itself. */
function sessionIn(bytes: Buffer, head: RequestHead, defects: string[]): JsonRecord {
  if (isForm(head.contentType)) {
    const form = readForm(head.contentType, bytes);
    for (const defect of form.defects) note(defects, defect);
    const session = form.parts.find(({ name }) => name === 'session');
    if (session === undefined) return {};
    if (session.fileName !== null) note(defects, 'the field "session" is a file');
    return objectIn(Buffer.from(session.text), defects);
  }
  const body = objectIn(bytes, defects);
  if (isAbsent(body.session)) return body;
  if (isRecord(body.session)) return body.session;
  note(defects, '`session` is not an object');
  return {};
}

/** What a session says of the model that writes down what it hears, wherever its version of the API puts that. */
export function transcriptionOf(session: JsonRecord): JsonRecord {
  const audio = isRecord(session.audio) ? session.audio : {};
  const input = isRecord(audio.input) ? audio.input : {};
  const found = input.transcription ?? session.input_audio_transcription;
  return isRecord(found) ? found : {};
}

/** Reads a session that a client will talk in later, over WebSocket, WebRTC or telephone. */
export function readSessionRequest(bytes: Buffer, head: RequestHead): RequestReading {
  // The offer of a WebRTC call is no text that a model reads.
  if (bytes.length === 0 || /^\s*application\/sdp\b/i.test(head.contentType)) return unreadRequest('');
  const defects: string[] = [];
  const session = sessionIn(bytes, head, defects);
  const transcription = transcriptionOf(session);
  const listener = modelName(transcription.model, defects);
  const model = modelName(session.model, defects) || listener;
  const system = joined(contentText(session.instructions, defects), textOf(transcription.prompt));
  const prompt = isRecord(session.prompt) ? textWithin(session.prompt.variables) : '';
  const facts = textFacts(
    { model, stream: false, system, text: prompt },
    scalarParams(session, paramsElsewhere),
  );
  const own = { ...facts, tools: readTextTools(session.tools, defects) };
  return { facts: withConsulted(session, alsoAsking(own, [listener]), defects), defects };
}
