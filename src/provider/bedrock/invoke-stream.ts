/**
 * Bedrock's InvokeModelWithResponseStream: every frame is a `chunk` whose `bytes` are one event of the model's own
 * stream, in base64
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PayloadPart.html). The first chunk says in
 * which form; a later change of form is a defect. Pure.
 */
import { isUtf8 } from 'node:buffer';
import { createMessagesStreamReader } from '../anthropic/messages-stream.ts';
import { createChatStreamReader } from '../openai/chat-stream.ts';
import type { ResponseReading } from '../protocol.ts';
import { respelledIn } from '../reading/answer-spelling.ts';
import { note, unreadResponse } from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, readJsonText, textOf } from '../wire/json.ts';
import { createConverseStreamReader } from './converse-stream.ts';
import { keepAliveEventType } from './frames.ts';
import { absorbPlain, emptyPlainAnswer, type InvokeShape, mayBeginCall, plainReading } from './invoke.ts';

const converseEvents: readonly string[] = [
  'messageStart',
  'contentBlockStart',
  'contentBlockDelta',
  'contentBlockStop',
  'messageStop',
  'metadata',
];
const metricsMember = 'amazon-bedrock-invocationMetrics';
const anthropicType = /^(message_|content_block_|ping$|error$)/;

/** The text that base64 carries; null where decoders may disagree about it. */
export function decodedText(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const bytes = Buffer.from(value, 'base64');
  // Node's decoder passes over what is not base64, others do not.
  return bytes.toString('base64') === value && isUtf8(bytes) ? bytes.toString('utf8') : null;
}

/** Every form that a chunk has; more than one is one too many. */
export function chunkShapes(chunk: JsonRecord): readonly InvokeShape[] {
  const shapes: InvokeShape[] = [];
  if (anthropicType.test(textOf(chunk.type))) shapes.push('anthropic');
  if (converseEvents.some((event) => event in chunk)) shapes.push('converse');
  const { choices } = chunk;
  const isText = (choice: unknown): boolean => isRecord(choice) && 'text' in choice;
  if (Array.isArray(choices) && !choices.some(isText)) shapes.push('chat');
  return shapes.length === 0 ? ['plain'] : shapes;
}

/** Some models call the delta a message and the reason as Anthropic does. */
function chatChunk(chunk: JsonRecord): JsonRecord {
  const choices = Array.isArray(chunk.choices) ? chunk.choices : [];
  return {
    ...chunk,
    choices: choices.map((choice: unknown) => {
      if (!isRecord(choice)) return choice;
      const { message, ...rest } = choice;
      const reason = { ...rest, finish_reason: choice.finish_reason ?? choice.stop_reason };
      return isAbsent(choice.delta) && isRecord(message)
        ? { ...reason, delta: message }
        : { ...reason, message };
    }),
  };
}

function createPlainStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const answer = emptyPlainAnswer();
  let mayCall = false;
  return {
    defects,
    absorbText: () => null,
    absorbEmpty: () => 'other',
    absorb(_event, chunk) {
      const calls = answer.toolCalls.length;
      const text = absorbPlain(chunk, answer, defects);
      answer.text += text;
      mayCall ||= mayBeginCall(text);
      if (defects.length > 0 || answer.toolCalls.length > calls) return 'tool';
      if (text === '') return 'other';
      return mayCall ? 'tool' : 'text';
    },
    reading: () => plainReading(status, answer, defects, answer.finishReason !== ''),
  };
}

function createReader(shape: InvokeShape, status: number): StreamReader {
  switch (shape) {
    case 'anthropic':
      return createMessagesStreamReader(status);
    case 'converse':
      return createConverseStreamReader(status);
    case 'chat':
      return createChatStreamReader(status);
    default:
      return createPlainStreamReader(status);
  }
}

function absorbShaped(reader: StreamReader, shape: InvokeShape, chunk: JsonRecord): StreamEventKind {
  if (shape === 'chat') return reader.absorb('', chatChunk(chunk));
  if (shape !== 'converse') return reader.absorb('', chunk);
  let kind: StreamEventKind = 'other';
  for (const [event, value] of Object.entries(chunk)) {
    if (isAbsent(value) || event === metricsMember) continue;
    const one = reader.absorb(event, isRecord(value) ? value : {});
    if (kind === 'other' || one === 'tool') kind = one;
  }
  return kind;
}

/** The event that a chunk frame carries, or why there is none. */
export function readChunk(frame: JsonRecord): { readonly event: JsonRecord | null; readonly defect: string } {
  const text = decodedText(frame.bytes);
  if (text === null) return { event: null, defect: 'the bytes of a chunk are not text in base64' };
  const json = readJsonText(text, 'an event of the stream');
  if (isRecord(json.value)) return { event: json.value, defect: json.defect || respelledIn(json.value) };
  return { event: null, defect: json.defect || 'an event of the stream is not a JSON object' };
}

/** Opens a reader of chunk frames. */
export function createInvokeStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  let shape: InvokeShape | null = null;
  let reader: StreamReader | null = null;
  let ended = false;

  function defective(defect: string): StreamEventKind {
    note(defects, defect);
    return 'tool';
  }

  function absorbChunk(chunk: JsonRecord): StreamEventKind {
    const isLast = metricsMember in chunk;
    ended ||= isLast;
    // The last chunk of some models has the metrics and nothing else.
    if (isLast && Object.keys(chunk).length === 1) return 'end';
    const [first = 'plain', second] = chunkShapes(chunk);
    if (second !== undefined) return defective('an event of the stream has the forms of two models');
    shape ??= first;
    if (shape !== first) return defective('the stream changes from one form to another');
    reader ??= createReader(shape, status);
    const kind = absorbShaped(reader, shape, chunk);
    return isLast && kind !== 'tool' && kind !== 'error' ? 'end' : kind;
  }

  function reading(): ResponseReading {
    const inner = reader?.reading() ?? { ...unreadResponse(status, ''), complete: false };
    for (const defect of inner.defects) note(defects, defect);
    // Chat completions say so by a reason alone: the mark of the end is not sent here.
    const complete = inner.complete || ended || (shape === 'chat' && inner.facts.finishReason !== '');
    return { ...inner, defects, complete };
  }

  return {
    defects,
    absorbText: () => null,
    absorbEmpty: () => 'other',
    absorb(event, value) {
      if (event === keepAliveEventType) return 'other';
      if (event !== 'chunk') return defective('a frame of the stream is no chunk');
      const { event: chunk, defect } = readChunk(value);
      if (chunk === null) return defective(defect);
      const kind = absorbChunk(chunk);
      return defect === '' ? kind : defective(defect);
    },
    reading,
  };
}
