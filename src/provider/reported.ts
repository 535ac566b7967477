/**
 * What somebody reported of an exchange that passed elsewhere: in the words of an API family where its path is given, so
 * that it is understood as a recorded one is; otherwise as the text that it is. Pure.
 */

import { protocolNamed } from './index.ts';
import type { OperationName, RequestReading, ResponseReading } from './protocol.ts';
import { unreadRequest, unreadResponse } from './reading/reading.ts';
import { readJson } from './wire/json.ts';

export interface ReportedCall {
  /** '' where no family is named. */
  readonly provider: string;
  readonly operation: OperationName;
  readonly path: string;
}

const contentType = 'application/json';

/** What a reported request means to rules. */
export function readReportedRequest(
  { provider, operation, path }: ReportedCall,
  body: Buffer,
): RequestReading {
  const protocol = protocolNamed(provider);
  if (protocol !== null) return protocol.readRequest(operation, body, { path, contentType });
  const { text, defects } = plainText(body, 'the request');
  const { facts } = unreadRequest('');
  return { facts: { ...facts, messages: [{ role: 'user', text, toolCalls: [] }], text }, defects };
}

/** What a reported answer means to rules. */
export function readReportedAnswer(
  { provider, operation }: ReportedCall,
  status: number,
  body: Buffer,
): ResponseReading {
  const protocol = protocolNamed(provider);
  if (protocol === null) {
    const { text, defects } = plainText(body, 'the answer');
    const { facts } = unreadResponse(status, '');
    return { facts: { ...facts, text }, defects, complete: true, failed: false };
  }
  if (!protocol.readsAnswer(operation)) return protocol.readResponse('unknown', status, Buffer.alloc(0));
  const form = protocol.streamFormOf(operation, contentType);
  if (form === null) return protocol.readResponse(operation, status, body);
  const stream = protocol.openStream(operation, status, form);
  stream.push(body);
  return stream.finish().reading;
}

/** A JSON text's value where it is a string, and else the JSON itself: what it means nobody here knows. */
function plainText(
  body: Buffer,
  what: string,
): { readonly text: string; readonly defects: readonly string[] } {
  const { value, defect } = readJson(body, what);
  const text = typeof value === 'string' ? value : body.toString('utf8');
  return { text, defects: defect === '' ? [] : [defect] };
}
