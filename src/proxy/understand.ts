/** What a request's body means to rules. What cannot be undone, or is too large to be looked at, is a defect. */
import { decodeContent } from '../core/content-coding.ts';
import { messageOf } from '../core/errors.ts';
import { bodyFieldDoubt, headerOf, type RawHeaders } from '../core/http-message.ts';
import type { BatchRequest, OperationName, Protocol, RequestReading } from '../provider/protocol.ts';
import { plainBoundaryOf } from '../provider/reading/multipart.ts';
import type { Body } from './body.ts';
import { fileIn } from './multipart-file.ts';

export interface ReadBounds {
  /** Of a form with a batch file, whose lines are judged from disk. */
  readonly batchBytesMax: number;
  /** Of a body that rules read. */
  readonly requestBytesMax: number;
  /** The most that a compressed body may unpack to. */
  readonly decodedBytesMax: number;
}

const empty = Buffer.alloc(0);

/** What a body means; the requests that it carries may have to be read from disk. */
export type Understood = Omit<RequestReading, 'batch' | 'batchFrom'> & {
  readonly batch?: (() => Lines) | undefined;
};
export type Lines = Iterable<BatchRequest> | AsyncIterable<BatchRequest>;

/** Reads a body for the rules; never throws for what stands in it. */
export function understand(
  protocol: Protocol,
  operation: OperationName,
  path: string,
  headers: RawHeaders,
  body: Body,
  bounds: ReadBounds,
): Understood {
  const head = { path, contentType: headerOf(headers, 'content-type') };
  if (operation === 'unknown') return protocol.readRequest(operation, empty, head);
  const unread = (defect: string): RequestReading => ({
    ...protocol.readRequest('unknown', empty, head),
    defects: [defect],
  });
  const doubt = bodyFieldDoubt(headers);
  if (doubt !== '') return unread(doubt);
  const coding = headerOf(headers, 'content-encoding');
  const { read, spool, bytes } = body;
  if (read === null || (spool !== null && coding !== ''))
    return unread('the body is too large to be read, or its parts cannot be told apart');
  let plain: Buffer;
  try {
    plain = decodeContent(coding, read, bounds.decodedBytesMax);
  } catch (error) {
    const bound = error instanceof RangeError ? ' (limits.decodedBytesMax)' : '';
    return unread(`the content-encoding cannot be undone: ${messageOf(error)}${bound}`);
  }
  const reading = protocol.readRequest(operation, plain, head);
  if (reading.batch === undefined) return reading;
  const { batchFrom } = reading;
  const boundary = plainBoundaryOf(head.contentType);
  // Without a form it is no file, and requestBytesMax was its bound.
  const isTooLarge = boundary !== null && bytes > bounds.batchBytesMax;
  if (isTooLarge || (spool !== null && (batchFrom === undefined || boundary === null)))
    return unread(
      `a batch of more than ${bounds.batchBytesMax} bytes (limits.batchBytesMax) cannot be judged`,
    );
  // What was spooled was cut short for reading, and every line of a batch must be seen.
  if (spool === null || batchFrom === undefined || boundary === null) return reading;
  return { ...reading, batch: () => batchFrom(fileIn(spool.read(), boundary)) };
}
