/** Writes and reads streams for the provider tests, and gives them to clients. */
import type {
  OperationName,
  Protocol,
  RequestHead,
  ResponseReading,
  StreamEvent,
} from '../../../src/provider/protocol.ts';

/** One unnamed event per value; a string stands as it is. */
export function events(...values: readonly unknown[]): string {
  return values
    .map((value) => (typeof value === 'string' ? value : `data: ${JSON.stringify(value)}\n\n`))
    .join('');
}

/** An event that names itself in its data. */
export interface TypedEvent {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** One event per value, named after the value's type. */
export function typedEvents(...values: readonly TypedEvent[]): string {
  return values.map((value) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`).join('');
}

export interface StreamRead extends ResponseReading {
  readonly kinds: readonly StreamEvent['kind'][];
}

/** Reads a whole stream at once, or in chunks of `chunkBytes`. */
export function readStream(
  protocol: Protocol,
  operation: OperationName,
  bytes: string | Buffer,
  chunkBytes = Number.MAX_SAFE_INTEGER,
): StreamRead {
  const stream = protocol.openStream(operation, 200, 'sse');
  const all = Buffer.from(bytes);
  const kinds: StreamEvent['kind'][] = [];
  for (let at = 0; at < all.length; at += chunkBytes) {
    for (const event of stream.push(all.subarray(at, at + chunkBytes))) kinds.push(event.kind);
  }
  return { ...stream.finish().reading, kinds };
}

/** For a client: answers whatever is asked with one event stream. */
export function answering(stream: string): typeof fetch {
  return async () => new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
}

/** A request to `path`, with a JSON body unless said otherwise. */
export function headOf(path: string, contentType = 'application/json'): RequestHead {
  return { path, contentType };
}
