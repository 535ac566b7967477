/**
 * A server that speaks another family's API beside its own: vLLM and llama.cpp Anthropic's beside OpenAI's,
 * Ollama both beside its own. Each operation is read by the family whose it is. Must not know any family.
 */
import type { OperationName, Protocol } from './protocol.ts';
import { fillerOf } from './reading/stream-form.ts';

export interface AlsoSpoken {
  readonly protocol: Protocol;
  /** Those of its operations that servers of this kind offer; none of them has a name of the server's own. */
  readonly operations: ReadonlySet<OperationName>;
}

/** The protocol with other families' operations read as theirs. What is not `own`’s is asked of the others. */
export function speakingAlso(own: Protocol, others: readonly AlsoSpoken[]): Protocol {
  const whose = (operation: OperationName): Protocol =>
    others.find(({ operations }) => operations.has(operation))?.protocol ?? own;

  function operationOf(method: string, path: string): OperationName {
    const known = own.operationOf(method, path);
    if (known !== 'unknown') return known;
    for (const { protocol, operations } of others) {
      const operation = protocol.operationOf(method, path);
      if (operations.has(operation)) return operation;
    }
    return 'unknown';
  }

  return {
    ...own,
    operationOf,
    readsAnswer: (operation) => whose(operation).readsAnswer(operation),
    readsAnswerBy: (operation) => whose(operation).readsAnswerBy?.(operation) ?? null,
    fileIdIn: (operation, body) => whose(operation).fileIdIn?.(operation, body) ?? '',
    readRequest: (operation, body, head) => whose(operation).readRequest(operation, body, head),
    readResponse: (operation, status, body) => whose(operation).readResponse(operation, status, body),
    readResponseFrom: (operation, status, file) =>
      whose(operation).readResponseFrom?.(operation, status, file) ?? null,
    streamFormOf: (operation, contentType) => whose(operation).streamFormOf(operation, contentType),
    openStream: (operation, status, form) => whose(operation).openStream(operation, status, form),
    segmentsOf: (operation) => whose(operation).segmentsOf?.(operation) ?? null,
    errorBody: (operation, code, httpStatus, message) =>
      whose(operation).errorBody(operation, code, httpStatus, message),
    errorEvent: (operation, form, code, message, isFirst) =>
      whose(operation).errorEvent(operation, form, code, message, isFirst),
    keepAliveEvent: (operation, form, model) => whose(operation).keepAliveEvent(operation, form, model),
    filler(operation, form) {
      const family = whose(operation);
      return family.filler === undefined ? fillerOf(form) : family.filler(operation, form);
    },
    amendResponse: (operation, original, form, amendment) =>
      whose(operation).amendResponse(operation, original, form, amendment),
  };
}
