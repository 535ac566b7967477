/**
 * The Vertex AI family behind one `Protocol`: Gemini, the partners' models in their own dialects, and the
 * OpenAI-compatible endpoint (https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest). Pure.
 */
import { anthropic } from '../anthropic/family.ts';
import { asking, askingOperation, isAsking } from '../gemini/asking.ts';
import { content, isContentOperation } from '../gemini/content.ts';
import { interactions } from '../gemini/interactions-dialect.ts';
import { googleProtocol } from '../gemini/protocol.ts';
import {
  contentOperation,
  type GoogleRoute,
  googleRoute,
  isInteraction,
  isWithoutAnswer,
  modelIn,
  speaksOpenAi,
  storesContents,
} from '../gemini/route.ts';
import { mistral } from '../mistral/family.ts';
import { openai } from '../openai/family.ts';
import type { OperationName, RequestHead, RequestReading } from '../protocol.ts';
import { batchPrediction } from './batch.ts';
import { engine, engineVerbs } from './engine.ts';
import { rawPredict } from './raw-predict.ts';

/** True where a job is made that reads its requests from storage. */
function makesBatchPrediction(method: string, { segments, verb }: GoogleRoute): boolean {
  return !/^\s*(GET|DELETE)\s*$/i.test(method) && verb === '' && segments.at(-1) === 'batchpredictionjobs';
}

const rawVerbs: ReadonlySet<string> = new Set([
  'rawpredict',
  'streamrawpredict',
  'directrawpredict',
  'invoke',
]);

/**
 * What a path asks of the container at an endpoint, behind `invoke`; null where it asks none
 * (https://cloud.google.com/vertex-ai/docs/predictions/use-arbitrary-custom-routes).
 */
function invokedOperation(method: string, { segments }: GoogleRoute): OperationName | null {
  const at = segments.lastIndexOf('endpoints') + 2;
  if (at < 2 || segments[at] !== 'invoke') return null;
  const known = openai.operationOf(method, `/${segments.slice(at + 1).join('/')}`);
  return known === 'unknown' && !/^\s*(GET|DELETE)\s*$/i.test(method) ? 'raw_predict' : known;
}

/** True where an agent is asked by the Agent2Agent protocol, or one of its tasks is read back. */
function asksAgent(method: string, { segments }: GoogleRoute): boolean {
  const at = segments.lastIndexOf('reasoningengines') + 2;
  return at >= 2 && segments[at] === 'a2a' && segments.length > at + 1 && !/^\s*DELETE\s*$/i.test(method);
}

/** The partners' models that speak no chat, by what their names have in them. */
function partnersOperation(route: GoogleRoute, publisher: string | undefined): OperationName {
  if (publisher !== 'anthropic')
    return publisher === 'mistralai' && modelIn(route).includes('ocr') ? 'ocr' : 'chat.completions';
  return route.segments.at(-1) === 'count-tokens' ? 'raw_count_tokens' : 'messages';
}

function operationOf(method: string, path: string): OperationName {
  if (isWithoutAnswer(method)) return 'unknown';
  const route = googleRoute(path);
  const operation = contentOperation(route);
  if (operation !== null) return operation;
  if (storesContents(method, route)) return 'cached_contents';
  if (isInteraction(method, route)) return 'interactions';
  if (engineVerbs.has(route.verb) && route.segments.at(-2) === 'reasoningengines')
    return 'reasoning_engines.query';
  if (asksAgent(method, route)) return 'reasoning_engines.query';
  const invoked = invokedOperation(method, route);
  if (invoked !== null) return invoked;
  if (makesBatchPrediction(method, route)) return 'batch_prediction_jobs';
  const asked = askingOperation(method, route);
  if (asked !== null) return asked;
  if (!rawVerbs.has(route.verb)) return speaksOpenAi(route) ? openai.operationOf(method, path) : 'unknown';
  const publisher = route.segments[route.segments.lastIndexOf('publishers') + 1];
  return route.segments.includes('publishers') ? partnersOperation(route, publisher) : 'raw_predict';
}

/** The path names the model and says that the answer streams; the body may say so again. */
function withPath(reading: RequestReading, { path }: RequestHead): RequestReading {
  const route = googleRoute(path);
  const model = modelIn(route) || reading.facts.model;
  const stream = reading.facts.stream || route.verb === 'streamrawpredict';
  return { ...reading, facts: { ...reading.facts, model, stream } };
}

const messages: typeof anthropic = {
  ...anthropic,
  readRequest: (_operation, body, head) => withPath(anthropic.readRequest('messages', body, head), head),
};

const chat: typeof openai = {
  ...openai,
  readRequest: (operation, body, head) => withPath(openai.readRequest(operation, body, head), head),
};

const documents: typeof mistral = {
  ...mistral,
  readRequest: (operation, body, head) => withPath(mistral.readRequest(operation, body, head), head),
};

export const vertex = googleProtocol('vertex', operationOf, (operation) => {
  if (isContentOperation(operation)) return content;
  if (operation === 'interactions') return interactions;
  if (operation === 'reasoning_engines.query') return engine;
  if (operation === 'batch_prediction_jobs') return batchPrediction;
  if (isAsking(operation)) return asking;
  if (operation === 'messages') return messages;
  if (operation === 'raw_count_tokens') return { ...messages, readsAnswer: () => false };
  if (operation === 'ocr') return documents;
  return operation === 'raw_predict' ? rawPredict : chat;
});
