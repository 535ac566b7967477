/** What a request's body means to rules. What cannot be undone, or is too large to be looked at, is a defect. */
import { decodeContent } from '../core/content-coding.ts';
import { messageOf } from '../core/errors.ts';
import { headerOf, type RawHeaders, valuesOf } from '../core/http-message.ts';
import type { Spool } from '../core/spool.ts';
import type { OperationName, Protocol, RequestReading } from '../provider/protocol.ts';
import type { Body } from './body.ts';

export interface ReadBounds {
  /** Of a body that rules read. */
  readonly requestBytesMax: number;
  /** The most that a compressed body may unpack to. */
  readonly decodedBytesMax: number;
}

const empty = Buffer.alloc(0);

/** Reads a body for the rules; never throws for what stands in it. */
export async function understand(
  protocol: Protocol,
  operation: OperationName,
  path: string,
  headers: RawHeaders,
  body: Body,
  bounds: ReadBounds,
): Promise<RequestReading> {
  const head = { path, contentType: headerOf(headers, 'content-type') };
  if (operation === 'unknown') return protocol.readRequest(operation, empty, head);
  const unread = (defect: string): RequestReading => ({
    ...protocol.readRequest('unknown', empty, head),
    defects: [defect],
  });
  for (const name of ['content-type', 'content-encoding'])
    if (valuesOf(headers, name).length > 1) return unread(`there is more than one ${name} header`);
  const coding = headerOf(headers, 'content-encoding');
  const { read, spool, bytes } = body;
  if (read === null || (spool !== null && coding !== '')) return unread('the body is too large to be read');
  let plain: Buffer;
  try {
    plain = decodeContent(coding, read, bounds.decodedBytesMax);
  } catch (error) {
    return unread(`the content-encoding cannot be undone: ${messageOf(error)}`);
  }
  const reading = protocol.readRequest(operation, plain, head);
  if (reading.batch === undefined || spool === null) return reading;
  // Its files were cut short for reading, and every line of a batch must be seen.
  if (bytes > bounds.requestBytesMax)
    return unread(`a batch of more than ${bounds.requestBytesMax} bytes cannot be judged`);
  return protocol.readRequest(operation, await whole(spool), head);
}

async function whole(spool: Spool): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of spool.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}
