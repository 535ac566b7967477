/**
 * Writes a reviewer's amendment into an InvokeModel answer: by the amender of the form that it has. A chunk that
 * is not amended keeps its bytes. Pure.
 */
import { confirmAmended, eventsOf, parseForRewrite, sseBytes, unamendable } from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import { amendMessages } from '../anthropic/messages-amend.ts';
import { amendChat } from '../openai/chat-amend.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { isRecord, type JsonRecord, parsedRecord, textOf } from '../wire/json.ts';
import { amendConverseJson, converseRewrite } from './converse-amend.ts';
import { createConverseStreamReader } from './converse-stream.ts';
import { eventFrame, framesOf, readFrames, rewriteFrames } from './frames.ts';
import { answerShapes } from './invoke.ts';
import { chunkShapes, createInvokeStreamReader, decodedText, readChunk } from './invoke-stream.ts';

const okStatus = 200;

/** The whole answer with the amendment applied. */
export function amendInvokeJson(original: Buffer, amendment: Amendment): Buffer {
  const body = parsedRecord(original.toString('utf8'));
  const [shape] = body === null ? [] : answerShapes(body);
  if (shape === 'anthropic') return amendMessages(original, false, amendment);
  if (shape === 'converse') return amendConverseJson(original, amendment);
  if (shape === 'chat') return amendChat(original, false, amendment);
  throw unamendable('the form of this model is not one that can be written');
}

function chunkValue(event: string): JsonRecord {
  return { bytes: Buffer.from(event).toString('base64') };
}

/** The event of a model's stream that a frame carries, as it was written; null in a frame that is no chunk. */
function eventText(payload: Buffer): string | null {
  const frame = parsedRecord(payload.toString('utf8'));
  return frame === null ? null : decodedText(frame.bytes);
}

/** Amends the stream as if it had come as server-sent events, which its form has elsewhere. */
function amendAsEvents(original: Buffer, amendInner: (events: Buffer) => Buffer): Buffer {
  const framesAs = new Map<string, Buffer[]>();
  const inner: Buffer[] = [];
  for (const { raw, payload } of framesOf(original)) {
    const text = eventText(payload);
    const value = text === null ? null : parseForRewrite(text);
    if (!isRecord(value)) continue;
    const event = sseBytes(textOf(value.type), value);
    const same = framesAs.get(event.toString());
    if (same === undefined) framesAs.set(event.toString(), [raw]);
    else same.push(raw);
    inner.push(event);
  }
  const out: Buffer[] = [];
  for (const event of eventsOf(amendInner(Buffer.concat(inner)))) {
    if (!event.hasData || event.data.trim() === '[DONE]') continue;
    out.push(framesAs.get(event.raw.toString())?.shift() ?? eventFrame('chunk', chunkValue(event.data)));
  }
  return Buffer.concat(out);
}

function withoutSaidAgainIn(chunk: JsonRecord): JsonRecord {
  const members = Object.entries(withoutSaidAgain(chunk));
  return Object.fromEntries(
    members.map(([name, value]) => [name, isRecord(value) ? withoutSaidAgain(value) : value]),
  );
}

function amendConverseChunks(original: Buffer, reading: ResponseReading, amendment: Amendment): Buffer {
  const reader = createConverseStreamReader(okStatus);
  for (const { payload } of framesOf(original)) {
    const chunk = parsedRecord(eventText(payload) ?? '');
    for (const [event, value] of Object.entries(chunk ?? {})) {
      if (isRecord(value)) reader.absorb(event, value);
    }
  }
  const rewrite = converseRewrite(reader, reading, amendment);
  return rewriteFrames(original, (type, frame) => {
    const text = decodedText(frame.bytes);
    const chunk = type !== 'chunk' || text === null ? null : parseForRewrite(text);
    const [entry, second] = isRecord(chunk) ? Object.entries(chunk) : [];
    if (!isRecord(chunk) || entry === undefined) return null;
    // The last has measures beside its event.
    if (second !== undefined) return [['chunk', chunkValue(JSON.stringify(withoutSaidAgainIn(chunk)))]];
    if (!isRecord(entry[1])) return null;
    const rewritten = rewrite(entry[0], entry[1]);
    if (rewritten === null) return null;
    return rewritten.map(([event, value]) => ['chunk', chunkValue(JSON.stringify({ [event]: value }))]);
  });
}

function readStream(bytes: Buffer): ResponseReading {
  return readFrames(createInvokeStreamReader(okStatus), bytes);
}

function shapeOfStream(original: Buffer): string {
  for (const { payload } of framesOf(original)) {
    const frame = parsedRecord(payload.toString('utf8'));
    const { event } = frame === null ? { event: null } : readChunk(frame);
    if (event !== null) return chunkShapes(event)[0] ?? '';
  }
  return '';
}

/** The stream with the amendment applied. */
export function amendInvokeStream(original: Buffer, amendment: Amendment): Buffer {
  const reading = readStream(original);
  const [defect] = reading.defects;
  const shape = defect === undefined ? shapeOfStream(original) : 'unread';
  let amended: Buffer;
  if (shape === 'anthropic')
    amended = amendAsEvents(original, (events) => amendMessages(events, true, amendment));
  else if (shape === 'converse') amended = amendConverseChunks(original, reading, amendment);
  else throw unamendable(defect ?? 'the form of this model is not one that can be written');
  confirmAmended(readStream(amended), amendment);
  return amended;
}
