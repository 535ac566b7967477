/**
 * Server-sent events as Google's own SDKs read them, which is not as the standard says: one trims an event
 * before it looks for `data:`, another takes a line without a field's name for JSON. An event with a line of no
 * known field is therefore one that only some clients read. Pure.
 */
import type { ResponseStream, StreamEvent } from './protocol.ts';
import { note } from './reading.ts';
import { openEventStream, type StreamReader } from './stream.ts';

/** The start of a line that is no comment, has no known field and is not blank. */
const strangeLine = /(?:^|[\r\n])(?!data:|event:|id:|retry:|:|[\r\n]|$)/;

function isStrange(raw: Buffer): boolean {
  return strangeLine.test(raw.toString('latin1'));
}

/** Opens the driver of events for `reader`. `eventBytesMax` bounds one event; the default where it is left out. */
export function openGoogleEventStream(reader: StreamReader, eventBytesMax?: number): ResponseStream {
  const stream = openEventStream(reader, eventBytesMax);
  const noteStrange = (raw: Buffer): boolean => {
    if (!isStrange(raw)) return false;
    note(reader.defects, 'an event of the stream has a line that only some clients read');
    return true;
  };
  return {
    push: (chunk) =>
      stream.push(chunk).map((event): StreamEvent => {
        return noteStrange(event.raw) ? { kind: 'tool', raw: event.raw } : event;
      }),
    finish() {
      const end = stream.finish();
      noteStrange(end.rest);
      return end;
    },
  };
}
