/**
 * Drives one reader over an answer of Amazon's binary frames, as stream.ts does over server-sent events: what
 * could not be read is a `tool` event, which never passes unjudged. Also rewrites such answers. Pure.
 */
import { parseForRewrite, unamendable } from '../amending/amendment.ts';
import type { ResponseReading, ResponseStream, StreamEvent } from '../protocol.ts';
import { note } from '../reading/reading.ts';
import { absorbData, type StreamEventKind, type StreamReader } from '../reading/stream.ts';
import {
  createFrameSplitter,
  encodeFrame,
  type Frame,
  frameBytesMaxDefault,
  withPayload,
} from '../wire/aws-eventstream.ts';
import { isRecord, type JsonRecord } from '../wire/json.ts';

/**
 * The name of a frame that only shows that the connection lives. Amazon's SDKs and the others pass over an event
 * whose name they do not know, as services add events at any time.
 */
export const keepAliveEventType = 'holdpointKeepAlive';

/** The name of the event a frame carries; '' for an exception or anything else. */
function eventTypeOf({ headers }: Frame): string {
  return headers.get(':message-type') === 'event' ? (headers.get(':event-type') ?? '') : '';
}

/** Opens the driver. `frameBytesMax` bounds one frame; a larger one is a defect. */
export function openFrameStream(
  reader: StreamReader,
  frameBytesMax: number = frameBytesMaxDefault,
): ResponseStream {
  const splitter = createFrameSplitter(frameBytesMax);
  let failed = false;

  function absorbFrame(frame: Frame): StreamEventKind {
    if (frame.defect !== '') {
      note(reader.defects, frame.defect);
      return 'tool';
    }
    const messageType = frame.headers.get(':message-type');
    if (messageType === 'exception' || messageType === 'error') {
      failed = true;
      return 'error';
    }
    const eventType = eventTypeOf(frame);
    if (eventType === '') {
      note(reader.defects, 'a frame does not say what it is');
      return 'tool';
    }
    const raw = frame.payload;
    if (raw.length === 0) return reader.absorb(eventType, {});
    return absorbData(reader, { raw, event: eventType, data: raw.toString('utf8') });
  }

  return {
    push: (chunk) =>
      splitter.push(chunk).map((frame): StreamEvent => ({ kind: absorbFrame(frame), raw: frame.raw })),
    finish() {
      const { rest, defect } = splitter.finish();
      note(reader.defects, defect);
      const reading = reader.reading();
      return { rest, reading: { ...reading, failed: reading.failed || failed } };
    },
  };
}

/** What a whole stream says. */
export function readFrames(reader: StreamReader, bytes: Buffer): ResponseReading {
  const stream = openFrameStream(reader, Math.max(bytes.length, 1));
  stream.push(bytes);
  return stream.finish().reading;
}

/** One event of a stream: its name and its data. */
export type TypedEvent = readonly [type: string, value: JsonRecord];

/** One event on the wire. */
export function eventFrame(type: string, value: JsonRecord): Buffer {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
  return encodeFrame(headers, JSON.stringify(value));
}

/** Splits a whole stream that has no defects. */
export function framesOf(original: Buffer): readonly Frame[] {
  const splitter = createFrameSplitter(Math.max(original.length, 1));
  const frames = splitter.push(original);
  if (splitter.finish().rest.length > 0) throw unamendable('the stream ends within a frame');
  return frames;
}

/** Rewrites a stream event by event: `null` keeps the frame's bytes, a list replaces it, [] drops it. */
export function rewriteFrames(
  original: Buffer,
  rewrite: (type: string, value: JsonRecord) => readonly TypedEvent[] | null,
): Buffer {
  const out: Buffer[] = [];
  for (const frame of framesOf(original)) {
    const type = eventTypeOf(frame);
    const value =
      type === '' || frame.payload.length === 0 ? null : parseForRewrite(frame.payload.toString());
    const rewritten = isRecord(value) ? rewrite(type, value) : null;
    if (rewritten === null) out.push(frame.raw);
    else {
      for (const [name, data] of rewritten) {
        out.push(name === type ? withPayload(frame.raw, JSON.stringify(data)) : eventFrame(name, data));
      }
    }
  }
  return Buffer.concat(out);
}
