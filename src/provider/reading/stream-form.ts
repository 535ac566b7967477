/** The forms a streamed answer may have, by media type, and what may stand between two of its events. Pure. */
import type { StreamForm } from '../protocol.ts';

const formByMediaType: Readonly<Record<string, StreamForm>> = {
  'text/event-stream': 'sse',
  'application/x-ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'application/vnd.amazon.eventstream': 'aws-eventstream',
};

/** The form that a media type names by itself; null for a whole answer. */
export function streamFormOf(contentType: string): StreamForm | null {
  const mediaType = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  return formByMediaType[mediaType] ?? null;
}

const fillers: Readonly<Record<StreamForm, string | null>> = {
  // One line without a blank one after it: some clients fail on a comment that stands as an event of its own.
  sse: ': held for a reviewer\n',
  // Between the elements of an array white space means nothing (RFC 8259 section 2).
  'json-array': ' ',
  // Clients parse every line, and fail on an empty one.
  ndjson: null,
  'aws-eventstream': null,
};

/** Bytes that no client takes for an event, to show that the connection lives; null where there are none. */
export function fillerOf(form: StreamForm): string | null {
  return fillers[form];
}
