/**
 * The one way to amend an answer: by its family, then read again and held against what was asked for. What a family
 * writes back may miss a spelling that its reader understands, and would then deliver what nobody approved. Pure.
 */

import type { Amendment, OperationName, Protocol, ResponseReading, StreamForm } from '../protocol.ts';
import { confirmCalls } from './amended-calls.ts';
import { planAmendment } from './amendment.ts';

const okStatus = 200;

function read(
  protocol: Protocol,
  operation: OperationName,
  form: StreamForm | null,
  body: Buffer,
): ResponseReading {
  if (form === null) return protocol.readResponse(operation, okStatus, body);
  const stream = protocol.openStream(operation, okStatus, form);
  stream.push(body);
  return stream.finish().reading;
}

/**
 * The answer with the amendment, in the form of the original. Throws HoldpointError `invalid_argument` when the
 * amendment does not fit, or when the result says anything but the original with the amendment.
 */
export function amendAnswer(
  protocol: Protocol,
  operation: OperationName,
  original: Buffer,
  form: StreamForm | null,
  amendment: Amendment,
): Buffer {
  const before = read(protocol, operation, form, original);
  const amended = protocol.amendResponse(operation, original, form, amendment);
  confirmCalls(before, read(protocol, operation, form, amended), planAmendment(before, amendment), amendment);
  return amended;
}
