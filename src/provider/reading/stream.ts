/**
 * Drives one family's reader over a server-sent-event answer: splits, parses, classifies, and makes
 * whatever could not be read a `tool` event, which never passes unjudged. Pure; no sockets.
 */
import { isUtf8 } from 'node:buffer';
import type { ResponseReading, ResponseStream, StreamEvent } from '../protocol.ts';
import { isRecord, type JsonRecord, readJsonText } from '../wire/json.ts';
import { createSseSplitter, eventBytesMaxDefault, type SseEvent } from '../wire/sse.ts';
import { isCutInPython } from '../wire/sse-line.ts';
import { respelledIn } from './answer-spelling.ts';
import { note, unreadResponse } from './reading.ts';

export type StreamEventKind = StreamEvent['kind'];

/** What one family's reader does with the events of one stream. */
export interface StreamReader {
  /** Where the driver and the reader write what could not be read. */
  readonly defects: string[];
  /** Data that is not JSON by design, such as `[DONE]`; null hands it to the JSON parser. */
  absorbText(data: string): StreamEventKind | null;
  /** `raw` is the event as it came. */
  absorb(event: string, value: JsonRecord, raw?: Buffer): StreamEventKind;
  /** An event without data. */
  absorbEmpty(event: string): StreamEventKind;
  reading(): ResponseReading;
}

/** What one event makes of a stream; what cannot be read is a `tool`. */
export function absorbEvent(reader: StreamReader, sse: SseEvent): StreamEventKind {
  if (sse.defect !== '') note(reader.defects, sse.defect);
  if (!sse.hasData) return sse.defect === '' ? reader.absorbEmpty(sse.event) : 'tool';
  const kind = absorbData(reader, sse);
  if (kind === 'tool' && isCutInPython(sse.raw))
    note(reader.defects, 'some clients pass over a piece of a tool call');
  return sse.defect === '' ? kind : 'tool';
}

/** What one event's data makes of it; `raw` is the event as it came. Data that cannot be read is a `tool`. */
export function absorbData(
  reader: StreamReader,
  { raw, event, data }: { readonly raw: Buffer; readonly event: string; readonly data: string },
): StreamEventKind {
  const special = reader.absorbText(data);
  if (special !== null) return special;
  if (!isUtf8(raw)) {
    note(reader.defects, 'an event of the stream is not valid UTF-8');
    return 'tool';
  }
  const json = readJsonText(data, 'an event of the stream');
  if (!isRecord(json.value)) {
    note(reader.defects, json.defect === '' ? 'an event of the stream is not a JSON object' : json.defect);
    return 'tool';
  }
  const kind = reader.absorb(event, json.value, raw);
  const defect = json.defect || respelledIn(json.value);
  if (defect === '') return kind;
  note(reader.defects, defect);
  return 'tool';
}

/** Opens the driver. `eventBytesMax` bounds one event; a larger one is a defect. */
export function openEventStream(
  reader: StreamReader,
  eventBytesMax: number = eventBytesMaxDefault,
): ResponseStream {
  const splitter = createSseSplitter(eventBytesMax);
  return {
    push(chunk) {
      const events: StreamEvent[] = [];
      for (const sse of splitter.push(chunk)) {
        events.push({ kind: absorbEvent(reader, sse), raw: sse.raw });
      }
      return events;
    },
    finish() {
      const { rest, event } = splitter.finish();
      // Some clients flush an unfinished event at the end of the body, so what it says counts; others drop it.
      if (event !== null && absorbEvent(reader, event) === 'tool')
        note(reader.defects, 'the stream ends within an event of a tool call');
      return { rest, reading: reader.reading() };
    },
  };
}

/** A stream that is split but not understood: an unknown operation, or an answer with an error status. */
export function openUnreadStream(status: number): ResponseStream {
  const splitter = createSseSplitter();
  return {
    push: (chunk) => splitter.push(chunk).map((sse): StreamEvent => ({ kind: 'other', raw: sse.raw })),
    finish: () => ({ rest: splitter.finish().rest, reading: unreadResponse(status, '') }),
  };
}

/** A stream in a form that its operation does not have: nobody knows what it holds, so all of it waits. */
export function openUnreadableStream(status: number): ResponseStream {
  const reading = unreadResponse(status, 'the answer comes in a form that this operation does not have');
  return {
    push: (chunk) => (chunk.length === 0 ? [] : [{ kind: 'tool', raw: chunk }]),
    finish: () => ({ rest: Buffer.alloc(0), reading: { ...reading, complete: true } }),
  };
}
