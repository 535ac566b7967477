/**
 * Amazon Bedrock's runtime behind one `Protocol`
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html), and the
 * OpenAI and Anthropic forms that it serves beside its own. Pure.
 */
import { type ErrorCode, httpStatusByCode } from '../../core/errors.ts';
import { unamendable } from '../amending/amendment.ts';
import { anthropic } from '../anthropic/family.ts';
import { openai } from '../openai/family.ts';
import type { OperationName, Protocol, RequestHead, RequestReading, ResponseReading } from '../protocol.ts';
import {
  joined,
  note,
  openAnswer,
  openRequest,
  textWithin,
  unreadRequest,
  unreadResponse,
} from '../reading/reading.ts';
import { openEventStream, openUnreadableStream, openUnreadStream } from '../reading/stream.ts';
import { streamFormOf } from '../reading/stream-form.ts';
import { readWords } from '../reading/words.ts';
import { createEngineStreamReader, readEngineAnswer } from '../vertex/engine.ts';
import { encodeFrame } from '../wire/aws-eventstream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { createAgentStreamReader, readAgentRequest, readGeneratedResponse } from './agents.ts';
import { readConverseBody, readConverseRequest, readConverseResponse } from './converse.ts';
import { amendConverseJson, amendConverseStream } from './converse-amend.ts';
import { createConverseStreamReader } from './converse-stream.ts';
import { eventFrame, keepAliveEventType, openFrameStream } from './frames.ts';
import { createHarnessStreamReader, harness, readHarnessRequest } from './harness.ts';
import { readInvokeRequest, readInvokeResponse, readPlainRequest } from './invoke.ts';
import { amendInvokeJson, amendInvokeStream } from './invoke-amend.ts';
import { createInvokeStreamReader, decodedText } from './invoke-stream.ts';
import { jobOperations, readJobRequest } from './jobs.ts';
import { withKept } from './kept.ts';
import { createPlainStreamReader, plainOperations, readPlainWords } from './plain.ts';
import { asksForStream, bedrockOperationOf, modelInPath } from './route.ts';

/** Answers from this status on carry an error envelope and no tool calls. */
const errorStatusMin = 400;

const delegates: ReadonlyMap<OperationName, Protocol> = new Map([
  ['chat.completions', openai],
  ['responses', openai],
  ['messages', anthropic],
]);

function operationOf(method: string, path: string): OperationName {
  const own = bedrockOperationOf(method, path);
  if (own !== 'unknown') return own;
  for (const family of [openai, anthropic]) {
    const operation = family.operationOf(method, path);
    if (delegates.get(operation) === family) return operation;
  }
  return 'unknown';
}

/** Answers of these are counts, scores or a receipt. */
const withoutText: ReadonlySet<OperationName> = new Set([
  'unknown',
  'count_tokens',
  'async_invoke',
  'guardrail.checks',
  ...jobOperations,
]);

function readJsonRequest(
  bytes: Buffer,
  read: (body: JsonRecord, defects: string[]) => RequestReading,
): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  return body === null ? unread : read(body, defects);
}

/** What is counted is a request of another operation. */
function readCountRequest(body: Buffer): RequestReading {
  return readJsonRequest(body, (value, defects) => {
    const input = isRecord(value.input) ? value.input : {};
    if (isRecord(input.converse)) return readConverseBody(input.converse, defects);
    const text = isRecord(input.invokeModel) ? decodedText(input.invokeModel.body) : null;
    if (text !== null) return readInvokeRequest(Buffer.from(text));
    note(defects, 'it is not clear what is to be counted');
    return readPlainRequest(value, defects);
  });
}

function readBody(operation: OperationName, body: Buffer): RequestReading {
  switch (operation) {
    case 'converse':
      return readConverseRequest(body);
    case 'invoke':
      return readInvokeRequest(body);
    case 'count_tokens':
      return readCountRequest(body);
    case 'guardrail.checks':
      return readJsonRequest(body, readConverseBody);
    case 'guardrail.apply':
    case 'async_invoke':
      return readJsonRequest(body, readPlainRequest);
    case 'invoke.bidirectional':
      return unreadRequest('a stream in both directions cannot be read');
    default:
      return unreadRequest('');
  }
}

/** Those of agents and knowledge bases, at an endpoint of their own. */
const ofAgents: ReadonlySet<OperationName> = new Set(['agents.invoke', 'retrieve_and_generate']);

/** An agent of the customer's own in AgentCore, which answers whatever it likes. */
const runtime: OperationName = 'runtimes.invoke';

const operationsOnModels: ReadonlySet<OperationName> = new Set(['converse', 'invoke', 'count_tokens']);

function readRequest(operation: OperationName, body: Buffer, head: RequestHead): RequestReading {
  const family = delegates.get(operation);
  if (family !== undefined) return family.readRequest(operation, body, head);
  if (ofAgents.has(operation)) return withKept(readAgentRequest(body, head.path), head.path);
  if (operation === harness) return withKept(readHarnessRequest(body), head.path);
  if (jobOperations.has(operation)) return readJobRequest(operation, body);
  if (plainOperations.has(operation) || operation === runtime)
    return withKept(readPlainWords(body), head.path);
  const reading = readBody(operation, body);
  if (!operationsOnModels.has(operation)) {
    const model = operation === 'async_invoke' ? textOf(reading.facts.params['modelId']) : '';
    return { ...reading, facts: { ...reading.facts, model } };
  }
  const { model, defect } = modelInPath(head.path);
  const defects = reading.defects.slice();
  note(defects, defect);
  return { facts: { ...reading.facts, model, stream: asksForStream(head.path) }, defects };
}

/** What a guardrail made of the text it was given. */
function readGuardrailResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const { facts } = unreadResponse(status, '');
  const text = joined('', textWithin(body.outputs));
  return {
    facts: { ...facts, text, finishReason: textOf(body.action) },
    defects,
    complete: true,
    failed: false,
  };
}

function readResponse(operation: OperationName, status: number, body: Buffer): ResponseReading {
  if (status >= errorStatusMin) return unreadResponse(status, '');
  const family = delegates.get(operation);
  if (family !== undefined) return family.readResponse(operation, status, body);
  if (operation === runtime) return readEngineAnswer(status, body);
  if (plainOperations.has(operation)) return readWords(status, body);
  if (operation === 'converse') return readConverseResponse(status, body);
  if (operation === 'invoke') return readInvokeResponse(status, body);
  if (operation === 'retrieve_and_generate') return readGeneratedResponse(status, body);
  if (operation === 'agents.invoke' || operation === harness)
    return unreadResponse(status, 'an agent answers in frames, not in one whole');
  return operation === 'guardrail.apply' ? readGuardrailResponse(status, body) : unreadResponse(status, '');
}

const openStream: Protocol['openStream'] = (operation, status, form) => {
  if (status >= errorStatusMin || withoutText.has(operation)) return openUnreadStream(status);
  const family = delegates.get(operation);
  if (family !== undefined && form === 'sse') return family.openStream(operation, status, form);
  if (operation === runtime && form === 'sse') return openEventStream(createEngineStreamReader(status));
  if (form === 'aws-eventstream') {
    if (plainOperations.has(operation)) return openFrameStream(createPlainStreamReader(status));
    if (operation === 'converse') return openFrameStream(createConverseStreamReader(status));
    if (ofAgents.has(operation)) return openFrameStream(createAgentStreamReader(status));
    if (operation === 'invoke') return openFrameStream(createInvokeStreamReader(status));
    if (operation === harness) return openFrameStream(createHarnessStreamReader(status));
  }
  return openUnreadableStream(status);
};

/** The service's own names by status; the SDKs raise the class of that name. */
const errorTypes: ReadonlyMap<number, string> = new Map([
  [403, 'AccessDeniedException'],
  [404, 'ResourceNotFoundException'],
  [429, 'ThrottlingException'],
  [503, 'ServiceUnavailableException'],
]);

function errorType(httpStatus: number): string {
  const fallback = httpStatus >= 500 ? 'InternalServerException' : 'ValidationException';
  return errorTypes.get(httpStatus) ?? fallback;
}

function openaiType(httpStatus: number): string {
  if (httpStatus === 403) return 'permission_error';
  return httpStatus >= 500 ? 'server_error' : 'invalid_request_error';
}

/**
 * Only names that the operation's own errors have are raised by every client; one of them, for a denial, is among
 * those that none tries again.
 */
function exceptionFrame(code: ErrorCode, message: string): Buffer {
  const later = httpStatusByCode[code] >= 500;
  const headers = {
    ':exception-type': later ? 'serviceUnavailableException' : 'validationException',
    ':content-type': 'application/json',
    ':message-type': 'exception',
  };
  return encodeFrame(
    headers,
    JSON.stringify({ message, code, type: later ? 'server_error' : 'permission_error' }),
  );
}

export const bedrock: Protocol = {
  name: 'bedrock',
  operationOf,
  readsAnswer: (operation) => !withoutText.has(operation),
  readRequest,
  readResponse,
  streamFormOf: (_operation, contentType) => streamFormOf(contentType),
  openStream,
  // The Anthropic SDK, which asks through InvokeModel too, looks for the error one level deeper than Amazon's.
  errorBody(operation, code, httpStatus, message) {
    const family = delegates.get(operation);
    if (family !== undefined) return family.errorBody(operation, code, httpStatus, message);
    const error = { message, type: openaiType(httpStatus), param: null, code };
    return JSON.stringify({ message, code, error });
  },
  errorHeaders: (_code, httpStatus) => ({ 'x-amzn-errortype': errorType(httpStatus) }),
  errorEvent(operation, form, code, message) {
    const family = delegates.get(operation);
    return family === undefined || form !== 'sse'
      ? exceptionFrame(code, message)
      : family.errorEvent(operation, form, code, message);
  },
  keepAliveEvent(operation, form, model) {
    if (form === 'aws-eventstream') return eventFrame(keepAliveEventType, {});
    return delegates.get(operation)?.keepAliveEvent(operation, form, model) ?? null;
  },
  amendResponse(operation, original, form, amendment) {
    const family = delegates.get(operation);
    if (family !== undefined) return family.amendResponse(operation, original, form, amendment);
    if (operation === 'converse') {
      return form === null
        ? amendConverseJson(original, amendment)
        : amendConverseStream(original, amendment);
    }
    if (operation === 'invoke') {
      return form === null ? amendInvokeJson(original, amendment) : amendInvokeStream(original, amendment);
    }
    throw unamendable('an answer of this operation is not understood');
  },
};
