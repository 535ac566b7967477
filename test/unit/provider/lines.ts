/** Writes and reads answers of newline-delimited JSON, and of any form by its name, for the provider tests. */

import { HoldpointError } from '../../../src/core/errors.ts';
import { amendAnswer } from '../../../src/provider/amending/amend-answer.ts';
import type {
  Amendment,
  OperationName,
  Protocol,
  RequestReading,
  ResponseReading,
  StreamEvent,
  StreamForm,
} from '../../../src/provider/protocol.ts';
import { headOf } from './streams.ts';

/** One line per value; a string stands as it is. */
export function lines(...values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : `${JSON.stringify(value)}\n`)).join('');
}

/** A call of OpenAI's chat with `n` as its argument. */
export const payCall = (id: string, n: number) => ({
  id,
  type: 'function',
  function: { name: 'pay', arguments: JSON.stringify({ n }) },
});

export interface FormRead extends ResponseReading {
  readonly kinds: readonly StreamEvent['kind'][];
}

/** Reads an answer in a form: null for a whole one. */
export function readAs(
  form: StreamForm | null,
  protocol: Protocol,
  operation: OperationName,
  bytes: string | Buffer,
): FormRead {
  if (form === null) return { ...protocol.readResponse(operation, 200, Buffer.from(bytes)), kinds: [] };
  const stream = protocol.openStream(operation, 200, form);
  const kinds = stream.push(Buffer.from(bytes)).map((event) => event.kind);
  return { ...stream.finish().reading, kinds };
}

/** Reads a JSON request body. */
export function asked(
  protocol: Protocol,
  operation: OperationName,
  body: unknown,
  path = '/',
): RequestReading {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return protocol.readRequest(operation, Buffer.from(text), headOf(path));
}

/** The amended answer, as text. */
export function amended(
  form: StreamForm | null,
  protocol: Protocol,
  operation: OperationName,
  original: string,
  amendment: Amendment,
): string {
  return amendAnswer(protocol, operation, Buffer.from(original), form, amendment).toString('utf8');
}

/** The code of the HoldpointError an action throws, or what it did instead. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof HoldpointError ? error.code : String(error);
  }
  return 'nothing was thrown';
}
