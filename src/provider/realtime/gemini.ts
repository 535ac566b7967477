/**
 * The Gemini Live API (https://ai.google.dev/api/live), at Google AI and at Vertex. Its messages name no answer: a
 * turn of the model ends with `turnComplete`, and before that at every `toolCall`, because the model then waits for
 * the workload. JSON comes in text and in binary messages alike. Pure.
 */
import type { ErrorCode } from '../../core/errors.ts';
import type { ToolCallFact, UsageFacts } from '../../core/facts.ts';
import { serverCall } from '../gemini/calls.ts';
import { dataOf, isCall, listOf } from '../gemini/parts.ts';
import type { ResponseReading } from '../protocol.ts';
import {
  addCall,
  boundedList,
  joined,
  note,
  toolCallsMax,
  unreadResponse,
  usageAbsent,
} from '../reading/reading.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import type { ServerReading, SocketDialect, SocketReader } from './dialect.ts';
import { createLiveSession, member, noteTwice } from './gemini-session.ts';
import { besideAnswers, messageOf, readMessage } from './reading.ts';

const okStatus = 200;
const textCharsMax = 4 * 1024 * 1024;
const deniedStatus = 403;

interface Turn {
  text: string;
  /** What the model says of its own speech, which comes apart from it. */
  spoken: string;
  readonly calls: ToolCallFact[];
  readonly defects: string[];
  finish: string;
  usage: UsageFacts;
}

function openReader(): SocketReader {
  const session = createLiveSession();
  const turns = new Map<string, Turn>();
  let begun = 0;
  let current: string | null = null;
  /** The last answer that was a call: nothing that ends its turn may come before it. */
  let lastCall: string | null = null;

  function turnNow(): [string, Turn] {
    if (current === null) {
      begun += 1;
      current = `${begun}`;
      turns.set(current, {
        text: '',
        spoken: '',
        calls: [],
        defects: [],
        finish: '',
        usage: usageAbsent,
      });
    }
    const turn = turns.get(current);
    if (turn === undefined) throw new RangeError('A turn is forgotten while it is under way.');
    return [current, turn];
  }

  function end(): void {
    current = null;
  }

  function readCalls(turn: Turn, toolCall: unknown): boolean {
    const calls = isRecord(toolCall) ? member(toolCall, 'functionCalls') : undefined;
    if (!isRecord(toolCall) || !Array.isArray(calls)) note(turn.defects, 'a tool call names no function');
    let goesOn = false;
    for (const call of boundedList(calls, toolCallsMax, '`functionCalls`', turn.defects)) {
      if (!isRecord(call)) {
        note(turn.defects, 'a function call is not an object');
        continue;
      }
      addFunctionCall(turn, call);
      goesOn ||= member(call, 'willContinue') === true;
    }
    return goesOn;
  }

  function addContent(turn: Turn, content: JsonRecord): ServerReading['kind'] {
    let kind: ServerReading['kind'] = 'other';
    const modelTurn = member(content, 'modelTurn');
    const outputTranscription = member(content, 'outputTranscription');
    if (isRecord(outputTranscription)) {
      turn.spoken += textOf(outputTranscription.text);
      kind = 'text';
    }
    for (const part of isRecord(modelTurn) ? listOf(modelTurn.parts) : []) {
      if (!isRecord(part)) {
        note(turn.defects, 'a part of the answer is not an object');
        kind = 'tool';
      } else if (addPartCalls(turn, part)) {
        kind = 'tool';
      } else {
        turn.text += textOf(part.text);
        if (kind === 'other') kind = 'text';
      }
    }
    if (turn.text.length + turn.spoken.length > textCharsMax)
      note(turn.defects, `an answer of more than ${textCharsMax} characters`);
    if (member(content, 'turnComplete') === true)
      turn.finish = textOf(content.turnCompleteReason) || 'turnComplete';
    else if (content.interrupted === true) turn.finish = 'interrupted';
    return kind;
  }

  function readContent(content: JsonRecord, usage: unknown): ServerReading {
    session.hear(content);
    const ends = member(content, 'turnComplete') === true;
    const says = isRecord(member(content, 'modelTurn')) || isRecord(member(content, 'outputTranscription'));
    // The rest of a turn whose call is under judgement: it belongs behind that call.
    if (!says && current === null && lastCall !== null && turns.has(lastCall))
      return { ...besideAnswers, after: [lastCall] };
    if (!says && !ends && current === null) return besideAnswers;
    const [answer, turn] = turnNow();
    const kind = addContent(turn, content);
    if (isRecord(usage)) turn.usage = usageOf(usage);
    if (ends) end();
    return { ...besideAnswers, kind, answer, ends };
  }

  /**
   * Calls under judgement are cancelled once the workload has them, those that it has at once. One within the turn under
   * way belongs to that: the workload knows nothing of it yet.
   */
  function readCancellation(cancellation: unknown): ServerReading {
    const ids = new Set(isRecord(cancellation) ? listOf(cancellation.ids).map(textOf) : []);
    const after = [...turns].filter(([, { calls }]) => calls.some(({ id }) => ids.has(id)));
    if (after.some(([answer]) => answer === current))
      return { ...besideAnswers, kind: 'tool', answer: current };
    const about = new Set(after.flatMap(([, { calls }]) => calls.map(({ id }) => id)));
    const besides = [...ids].some((id) => !about.has(id));
    return { ...besideAnswers, after: after.map(([answer]) => answer), besides };
  }

  function readParsed(value: JsonRecord): ServerReading {
    const { usageMetadata } = value;
    const toolCall = member(value, 'toolCall');
    const serverContent = contentOf(value);
    const toolCallCancellation = member(value, 'toolCallCancellation');
    if (toolCall !== undefined) {
      const [answer, turn] = turnNow();
      const goesOn = readCalls(turn, toolCall);
      if (isRecord(serverContent)) {
        session.hear(serverContent);
        addContent(turn, serverContent);
      }
      if (isRecord(usageMetadata)) turn.usage = usageOf(usageMetadata);
      lastCall = answer;
      if (!goesOn) end();
      return { ...besideAnswers, kind: 'tool', answer, ends: !goesOn };
    }
    if (isRecord(serverContent)) return readContent(serverContent, usageMetadata);
    if (toolCallCancellation !== undefined) return readCancellation(toolCallCancellation);
    if (isRecord(usageMetadata) && current !== null) {
      const turn = turns.get(current);
      if (turn !== undefined) turn.usage = usageOf(usageMetadata);
    }
    return besideAnswers;
  }

  function alone(defect: string): ServerReading {
    const [answer, turn] = turnNow();
    note(turn.defects, defect);
    end();
    return { ...besideAnswers, kind: 'tool', answer, ends: true };
  }

  return {
    joinsAsks: true,
    ...session,
    readServer(message) {
      const { value, defect: unread } = readMessage(message);
      if (value === null) return alone(unread);
      const twice: string[] = [];
      noteTwice(value, twice);
      noteSaidTwice(value, twice);
      const defect = unread || (twice[0] ?? '');
      const reading = readParsed(value);
      if (defect === '') {
        const strays = reading.kind !== 'tool' && mentionsCall(value);
        return strays ? alone('a tool call stands where none is expected') : reading;
      }
      if (reading.answer === null) return alone(defect);
      note(turns.get(reading.answer)?.defects ?? [], defect);
      return { ...reading, kind: 'tool' };
    },
    reading(answer): ResponseReading {
      const turn = turns.get(answer);
      if (turn === undefined) return unreadResponse(okStatus, '');
      const neutral = unreadResponse(okStatus, '').facts;
      const { calls, defects, finish, usage } = turn;
      const text = joined(turn.text, turn.spoken);
      const finishReason = finish || (calls.length > 0 ? 'toolCall' : '');
      const facts = { ...neutral, model: session.model(), text, toolCalls: calls, finishReason, usage };
      return { facts, defects, complete: current !== answer, failed: false };
    },
    settle(answer) {
      turns.delete(answer);
    },
    denial(answer, code, message) {
      const ids = (turns.get(answer)?.calls ?? []).map(({ id }) => id);
      const error = errorOf(code, message);
      // The provider's own word for a call that is not to be carried out; its clients know no error in a session.
      return [messageOf(ids.length === 0 ? { error } : { toolCallCancellation: { ids }, error })];
    },
    refusal(refused, code, message) {
      // Until the session is set up its clients wait for nothing but that, or the end.
      const isSetup = readMessage(refused).value?.setup !== undefined;
      return isSetup ? null : messageOf({ error: errorOf(code, message) });
    },
  };
}

const transcriptions = ['inputTranscription', 'outputTranscription'] as const;

/** Transcriptions come beside the content too, where clients look for them as well. */
function contentOf(value: JsonRecord): unknown {
  const content = member(value, 'serverContent');
  const beside = transcriptions.filter((name) => isRecord(member(value, name)));
  if (beside.length === 0 || !(isRecord(content) || isAbsent(content))) return content;
  return { ...content, ...Object.fromEntries(beside.map((name) => [name, member(value, name)])) };
}

/** Notes one that says something else within the content than beside it: clients read the one or the other. */
function noteSaidTwice(value: JsonRecord, defects: string[]): void {
  const content = member(value, 'serverContent');
  for (const name of transcriptions) {
    const [within, beside] = [isRecord(content) ? member(content, name) : null, member(value, name)];
    if (isRecord(within) && isRecord(beside) && textOf(within.text) !== textOf(beside.text))
      note(defects, `a message has \`${name}\` twice`);
  }
}

/** Adds whatever a part asks to be done, code that Google runs among it; false for nothing. */
function addPartCalls(turn: Turn, part: JsonRecord): boolean {
  const calls = dataOf(part).filter(({ name }) => isCall(name));
  for (const { name, value } of calls) {
    if (name === 'functionCall' && isRecord(value)) {
      addFunctionCall(turn, value);
      continue;
    }
    if (name === 'functionCall') note(turn.defects, 'a function call is not an object');
    const { id, name: called, args } = serverCall(name, value);
    addCall(turn.calls, turn.defects, id, called, args, JSON.stringify(args));
  }
  return calls.length > 0;
}

const callMembers: ReadonlySet<string> = new Set([
  'functionCall',
  'function_call',
  'functionCalls',
  'function_calls',
  'executableCode',
  'executable_code',
]);

/** Whether anything within reads like a call that somebody might carry out. */
function mentionsCall(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(mentionsCall);
  if (!isRecord(value)) return false;
  return Object.entries(value).some(([name, inner]) => callMembers.has(name) || mentionsCall(inner));
}

function addFunctionCall(turn: Turn, call: JsonRecord): void {
  const args = member(call, 'args');
  if (args !== undefined && !isRecord(args)) note(turn.defects, 'the arguments of a tool call are no object');
  // Arguments in pieces are not put together here, so nobody could say what is asked.
  if (member(call, 'partialArgs') !== undefined || member(call, 'willContinue') === true)
    note(turn.defects, 'the arguments of a tool call come in pieces');
  const value = isRecord(args) ? args : {};
  addCall(turn.calls, turn.defects, textOf(call.id), textOf(call.name), value, JSON.stringify(value));
}

function usageOf(usage: JsonRecord): UsageFacts {
  return {
    source: 'provider',
    inputTokens: countOf(usage.promptTokenCount),
    outputTokens: countOf(usage.responseTokenCount ?? usage.candidatesTokenCount),
    totalTokens: countOf(usage.totalTokenCount),
  };
}

function errorOf(code: ErrorCode, message: string): JsonRecord {
  const details = [{ reason: code }];
  return { code: deniedStatus, status: 'PERMISSION_DENIED', message, details };
}

export const geminiLive: SocketDialect = { operation: 'live', open: openReader };
