/**
 * What is read of each operation of OpenAI's API: the words a request carries, and what an answer may ask to be
 * done or may say. An operation without an answer's reader gives nothing that rules judge (vectors, pictures,
 * sound, files, plain objects), so its answer passes as it comes. Pure.
 */

import { unamendable } from '../amending/amendment.ts';
import { readFileContent } from '../batches/batch-results.ts';
import type { Amendment, OperationName, RequestHead, RequestReading, ResponseReading } from '../protocol.ts';
import { unreadRequest } from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import {
  amendCompletion,
  createCompletionStreamReader,
  readCompletion,
} from '../served/completions-by-shape.ts';
import { readGatewayAnswer, readGatewayRequest } from '../served/gateway-model.ts';
import { amendGatewayAnswer } from '../served/gateway-model-amend.ts';
import { createGatewayStreamReader } from '../served/gateway-model-stream.ts';
import { amendHosted, readHostedAnswer, readHostedRequest } from '../served/hosted-models.ts';
import { createHostedStreamReader } from '../served/hosted-models-stream.ts';
import {
  amendLlamaStack,
  createLlamaStackStreamReader,
  readLlamaStackRequest,
  readLlamaStackResponse,
} from '../served/llama-stack.ts';
import { readLlamaRequest } from '../served/llamacpp-completion.ts';
import {
  amendLmStudio,
  createLmStudioStreamReader,
  readLmStudioRequest,
  readLmStudioResponse,
} from '../served/lmstudio-chat.ts';
import {
  amendGenerated,
  createGenerateStreamReader,
  readAnyRequest,
  readGenerated,
  readGenerateRequest,
} from '../served/served-models.ts';
import { isRecord } from '../wire/json.ts';
import { createAgentStreamReader } from './agent-stream.ts';
import { openaiResultLines, readFileUpload, refuseBatchInParts } from './batches.ts';
import { readChatRequest, readChatResponse } from './chat.ts';
import { amendChat } from './chat-amend.ts';
import { createChatStreamReader } from './chat-stream.ts';
import { readDecisions } from './decision-answers.ts';
import { amendEvents } from './events-amend.ts';
import { readInlineBatch, readInlineResults } from './inline-batches.ts';
import { amendRecords, readRecords } from './records.ts';
import { type Find, findWithin } from './records-find.ts';
import { createRecordsStreamReader } from './records-stream.ts';
import { readResponsesRequest, readResponsesResponse } from './responses.ts';
import { amendResponses } from './responses-amend.ts';
import { createResponsesStreamReader } from './responses-stream.ts';
import { createRunSegmentReader } from './run-segments.ts';
import { readTextRequest } from './text-requests.ts';
import { readSessionRequest, readThreadRequest } from './threads.ts';
import { createTranscriptStreamReader, readTranscript } from './transcripts.ts';
import { readEvaluation, readFineTuning } from './tuning.ts';

type ReadRequest = (body: Buffer, head: RequestHead) => RequestReading;

/** How an answer of status below 400 is read, whole and streamed, and how a reviewer may change it. */
export interface AnswerReading {
  readonly whole: (status: number, body: Buffer) => ResponseReading;
  readonly stream: (status: number) => StreamReader;
  readonly amend: (original: Buffer, streaming: boolean, amendment: Amendment) => Buffer;
}

export interface Operation {
  readonly request: ReadRequest;
  /** null where the answer gives nothing to judge. */
  readonly answer: AnswerReading | null;
}

const nothing: ReadRequest = () => unreadRequest('');

/** A request of these members; `text` null for every text in it. */
function words(text: readonly string[] | null, system: readonly string[] = []): ReadRequest {
  return (body, head) => readTextRequest(body, head, { system, text });
}

const chat: AnswerReading = { whole: readChatResponse, stream: createChatStreamReader, amend: amendChat };
const responses: AnswerReading = {
  whole: readResponsesResponse,
  stream: createResponsesStreamReader,
  amend: amendResponses,
};
const completions: AnswerReading = {
  whole: readCompletion,
  stream: createCompletionStreamReader,
  amend: amendCompletion,
};
const llamaStack: AnswerReading = {
  whole: readLlamaStackResponse,
  stream: createLlamaStackStreamReader,
  amend: amendLlamaStack,
};
const lmStudio: AnswerReading = {
  whole: readLmStudioResponse,
  stream: createLmStudioStreamReader,
  amend: amendLmStudio,
};
const records: AnswerReading = {
  whole: readRecords,
  stream: createRecordsStreamReader,
  amend: amendRecords,
};
/** A stored segment of a run is a stream without the run's end. */
const runs: AnswerReading = {
  ...records,
  stream: createRunSegmentReader,
  amend: amendEvents(createRunSegmentReader),
};
const agentEvents: AnswerReading = {
  ...records,
  stream: createAgentStreamReader,
  amend: amendEvents(createAgentStreamReader),
};
const transcript: AnswerReading = {
  whole: readTranscript,
  stream: createTranscriptStreamReader,
  amend: amendRecords,
};

/** A file is never streamed as events; its amendment would be another file. */
const fileContent: AnswerReading = {
  whole: (status, body) => readFileContent(status, body, openaiResultLines),
  stream: records.stream,
  amend: () => {
    throw unamendable('it is a file of many answers');
  },
};
const generated: AnswerReading = {
  whole: readGenerated,
  stream: createGenerateStreamReader,
  amend: amendGenerated,
};
const hosted: AnswerReading = {
  whole: readHostedAnswer,
  stream: createHostedStreamReader,
  amend: amendHosted,
};
/** A list of calls under a name of its own. */
const findParsed: Find = (value) =>
  findWithin(isRecord(value) ? { tool_calls: value.calls, text: value.normal_text } : value);
const parsedCalls: AnswerReading = {
  whole: (status, body) => readRecords(status, body, findParsed),
  stream: (status) => createRecordsStreamReader(status, findParsed),
  amend: (original, streaming, amendment) => amendRecords(original, streaming, amendment, findParsed),
};
const gatewayModel: AnswerReading = {
  whole: readGatewayAnswer,
  stream: createGatewayStreamReader,
  amend: amendGatewayAnswer,
};
const batchResults: AnswerReading = { ...fileContent, whole: readInlineResults };

const operations: ReadonlyMap<OperationName, Operation> = new Map<OperationName, Operation>([
  ['chat.completions', { request: readChatRequest, answer: chat }],
  ['chat.completions.render', { request: readChatRequest, answer: null }],
  ['chat.completions.list', { request: nothing, answer: records }],
  ['responses', { request: readResponsesRequest, answer: responses }],
  ['responses.compact', { request: readResponsesRequest, answer: responses }],
  ['responses.input_tokens', { request: readResponsesRequest, answer: null }],
  ['responses.input_items', { request: nothing, answer: records }],
  ['completions', { request: words(['prompt', 'suffix']), answer: completions }],
  ['llamacpp.completion', { request: readLlamaRequest, answer: completions }],
  ['served.any', { request: readAnyRequest, answer: hosted }],
  ['served.generate', { request: readGenerateRequest, answer: generated }],
  ['served.calls', { request: readGenerateRequest, answer: parsedCalls }],
  ['served.words', { request: readGenerateRequest, answer: null }],
  ['tools.call', { request: words(null), answer: null }],
  ['served.load', { request: words([]), answer: null }],
  ['hosted.model', { request: readHostedRequest, answer: hosted }],
  ['gateway.model', { request: readGatewayRequest, answer: gatewayModel }],
  ['llamastack.chat', { request: readLlamaStackRequest, answer: llamaStack }],
  ['lmstudio.chat', { request: readLmStudioRequest, answer: lmStudio }],
  // llama.cpp calls it `content`; vLLM takes messages too.
  ['embeddings', { request: words(['input', 'content', 'messages']), answer: null }],
  ['moderations', { request: words(['input']), answer: null }],
  ['images.generations', { request: words(['prompt']), answer: null }],
  ['images.edits', { request: words(['prompt']), answer: null }],
  ['images.variations', { request: words([]), answer: null }],
  ['videos', { request: words(['prompt', 'name', 'content']), answer: null }],
  ['audio.speech', { request: words(['input', 'text'], ['instructions']), answer: null }],
  ['audio.voices', { request: words(['name']), answer: null }],
  ['audio.transcriptions', { request: words(['prompt']), answer: transcript }],
  ['audio.translations', { request: words(['prompt']), answer: transcript }],
  ['assistants', { request: readThreadRequest, answer: null }],
  ['threads', { request: readThreadRequest, answer: null }],
  ['threads.messages', { request: readThreadRequest, answer: records }],
  ['threads.runs', { request: readThreadRequest, answer: runs }],
  ['threads.runs.steps', { request: nothing, answer: records }],
  ['conversations', { request: readThreadRequest, answer: null }],
  ['conversations.items', { request: readThreadRequest, answer: records }],
  ['chatkit.sessions', { request: words(null), answer: null }],
  ['chatkit.threads', { request: nothing, answer: records }],
  ['agents', { request: words(null), answer: null }],
  ['memories', { request: words(null), answer: null }],
  ['agents.sessions', { request: words(null), answer: records }],
  ['agents.sessions.stream', { request: nothing, answer: agentEvents }],
  ['decisions', { request: words(null), answer: { ...records, whole: readDecisions } }],
  ['evals', { request: words(null), answer: null }],
  ['evals.runs', { request: readEvaluation, answer: records }],
  ['fine_tuning', { request: readFineTuning, answer: null }],
  ['realtime.sessions', { request: readSessionRequest, answer: null }],
  ['realtime.calls', { request: readSessionRequest, answer: null }],
  ['vector_stores', { request: words(['name', 'description']), answer: null }],
  ['vector_stores.search', { request: words(['query']), answer: records }],
  ['files', { request: readFileUpload, answer: null }],
  ['files.content', { request: nothing, answer: fileContent }],
  ['content', { request: nothing, answer: null }],
  ['uploads', { request: (body, head) => refuseBatchInParts(words([])(body, head)), answer: null }],
  ['containers', { request: words(['name']), answer: null }],
  ['skills', { request: words([]), answer: null }],
  ['batches', { request: readInlineBatch, answer: null }],
  ['batches.outputs', { request: nothing, answer: batchResults }],
]);

/** How an operation is read; undefined for one that is not. */
export function openaiOperation(operation: OperationName): Operation | undefined {
  return operations.get(operation);
}
