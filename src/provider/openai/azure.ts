/**
 * Azure OpenAI: OpenAI's API at a resource of the customer's, where a deployment in the path says which model
 * runs (https://learn.microsoft.com/azure/ai-foundry/openai/reference), or as `/openai/v1/…` where the body
 * does. Errors have a status of their own, and a filtered prompt is one of them. Pure.
 */

import type { Protocol, ResponseReading } from '../protocol.ts';
import { unreadResponse } from '../reading/reading.ts';
import { routeSegments } from '../route.ts';
import { isRecord, parsedRecord, textOf } from '../wire/json.ts';
import { anthropicOperations, openai } from './family.ts';

const errorStatusMin = 400;
const contentFilter = 'content_filter';
/** An error is short; what is longer is none of Azure's. */
const errorBytesMax = 64 * 1024;

/** The deployment that a path names, as it is spelt there; '' where it names none. */
function deploymentIn(path: string): string {
  const segments = routeSegments(path);
  const place = segments.indexOf('deployments');
  const name = place === -1 ? '' : (segments[place + 1] ?? '');
  // Routes are compared in lower case; rules should see the name as its owner wrote it.
  return path.split('/').find((part) => part.toLowerCase() === name) ?? name;
}

/** A filtered prompt is an answer that a rule may want to know: the reason stands where a filtered answer has it. */
function readError(status: number, body: Buffer): ResponseReading {
  const reading = unreadResponse(status, '');
  const value = body.length > errorBytesMax ? null : parsedRecord(body.toString('utf8'));
  const error = isRecord(value?.error) ? value.error : {};
  if (error.code !== contentFilter) return reading;
  const refusal = textOf(error.message);
  return { ...reading, facts: { ...reading.facts, finishReason: contentFilter, refusal } };
}

export const azure: Protocol = {
  ...openai,
  name: 'azure',
  readRequest(operation, body, head) {
    const reading = openai.readRequest(operation, body, head);
    const deployment = operation === 'unknown' ? '' : deploymentIn(head.path);
    if (deployment === '') return reading;
    const { model: named, params } = reading.facts;
    // The deployment runs, whatever model the body names beside it: a rule that lists models must see that one.
    const known = named === '' || named === deployment ? { deployment } : { deployment, model: named };
    return { ...reading, facts: { ...reading.facts, model: deployment, params: { ...params, ...known } } };
  },
  readResponse(operation, status, body) {
    if (status >= errorStatusMin) return readError(status, body);
    return openai.readResponse(operation, status, body);
  },
  errorBody(operation, code, httpStatus, message) {
    if (anthropicOperations.has(operation)) return openai.errorBody(operation, code, httpStatus, message);
    const type = httpStatus === 403 ? 'permission_error' : null;
    return JSON.stringify({ error: { code, message, type, param: null, status: httpStatus } });
  },
};
