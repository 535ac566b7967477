/**
 * What Google AI and Vertex AI have in common: several dialects behind one `Protocol`, and one envelope for
 * errors. Pure.
 */
import type { ProtocolName } from '../../core/protocol-name.ts';
import type { OperationName, Protocol } from '../protocol.ts';
import { unreadResponse } from '../reading/reading.ts';
import { openUnreadStream } from '../reading/stream.ts';
import { fillerOf } from '../reading/stream-form.ts';
import { googleErrorBody } from './error.ts';

/** Answers from this status on carry an error envelope and no tool calls. */
const errorStatusMin = 400;

/** How some of a family's operations are written; a whole protocol is a dialect too. */
export type Dialect = Pick<
  Protocol,
  | 'readsAnswer'
  | 'readsAnswerBy'
  | 'readRequest'
  | 'readResponse'
  | 'readResponseFrom'
  | 'fileIdIn'
  | 'streamFormOf'
  | 'openStream'
  | 'errorEvent'
  | 'keepAliveEvent'
  | 'filler'
  | 'amendResponse'
> &
  // Google's own where it is absent.
  Partial<Pick<Protocol, 'errorBody'>>;

/** Puts dialects together. `dialectOf` knows every operation that `operationOf` names. */
export function googleProtocol(
  name: ProtocolName,
  operationOf: Protocol['operationOf'],
  dialectOf: (operation: OperationName) => Dialect,
): Protocol {
  return {
    name,
    operationOf,
    readsAnswer: (operation) => dialectOf(operation).readsAnswer(operation),
    readsAnswerBy: (operation) => dialectOf(operation).readsAnswerBy?.(operation) ?? null,
    readRequest: (operation, body, head) => dialectOf(operation).readRequest(operation, body, head),
    readResponse(operation, status, body) {
      if (status >= errorStatusMin) return unreadResponse(status, '');
      return dialectOf(operation).readResponse(operation, status, body);
    },
    readResponseFrom: (operation, status, file) =>
      status < errorStatusMin
        ? (dialectOf(operation).readResponseFrom?.(operation, status, file) ?? null)
        : null,
    fileIdIn: (operation, body) => dialectOf(operation).fileIdIn?.(operation, body) ?? '',
    streamFormOf: (operation, contentType) => dialectOf(operation).streamFormOf(operation, contentType),
    openStream(operation, status, form) {
      if (status >= errorStatusMin) return openUnreadStream(status);
      return dialectOf(operation).openStream(operation, status, form);
    },
    errorBody(operation, code, httpStatus, message) {
      const { errorBody } = dialectOf(operation);
      if (operation === 'unknown' || errorBody === undefined)
        return googleErrorBody(code, httpStatus, message);
      return errorBody(operation, code, httpStatus, message);
    },
    errorHeaders: () => ({}),
    errorEvent: (operation, form, code, message, isFirst) =>
      dialectOf(operation).errorEvent(operation, form, code, message, isFirst),
    keepAliveEvent: (operation, form, model) => dialectOf(operation).keepAliveEvent(operation, form, model),
    filler(operation, form) {
      const { filler } = dialectOf(operation);
      return filler === undefined ? fillerOf(form) : filler(operation, form);
    },
    amendResponse: (operation, original, form, amendment) =>
      dialectOf(operation).amendResponse(operation, original, form, amendment),
  };
}
