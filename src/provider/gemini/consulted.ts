/**
 * Models that a request to Gemini has asked besides the one its path names: the one that a router is told to take, and those
 * that rank what was found (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerationConfig,
 * .../Tool#RagRetrievalConfig). Rules see the request with each. Pure.
 */

import { isRecord, textOf } from '../wire/json.ts';
import { camelCased } from './parts.ts';

/** Schemas and what only the customer's own functions know: `modelName` may be the name of a parameter there. */
const foreign: ReadonlySet<string> = new Set([
  'functionDeclarations',
  'responseSchema',
  'responseJsonSchema',
  'responseFormat',
]);

/** Adds every model that a value names. The value must be bounded in depth, as readJson makes it. */
export function addModelNames(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const element of value) addModelNames(element, into);
    return;
  }
  if (!isRecord(value)) return;
  for (const [key, member] of Object.entries(value)) {
    const name = camelCased(key);
    if (name === 'modelName' && textOf(member) !== '') into.add(textOf(member));
    else if (!foreign.has(name)) addModelNames(member, into);
  }
}
