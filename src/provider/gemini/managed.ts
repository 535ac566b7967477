/**
 * What is kept at Google for agents and asked of them later, and choices that a model makes: written as OpenAI writes such
 * requests, and refused as Google refuses (https://ai.google.dev/gemini-api/docs/custom-agents). Pure.
 */
import { openai } from '../openai/family.ts';
import { joined, openRequest } from '../reading/reading.ts';
import { routeSegments } from '../route.ts';
import { isRecord, textOf } from '../wire/json.ts';
import { sourceText } from './interactions.ts';
import type { Dialect } from './protocol.ts';

const { errorBody: _openais, ...asOpenai } = openai;

/** The words of all files within a value that are encoded. */
function encodedText(value: unknown): string {
  if (Array.isArray(value)) return value.map(encodedText).reduce(joined, '');
  if (!isRecord(value)) return '';
  const own = textOf(value['encoding']) === '' ? '' : sourceText(value);
  return Object.values(value).map(encodedText).reduce(joined, own);
}

/** What is run again as it is kept, such as `triggers/t`; '' for a request that says itself what is asked. */
function keptIn(path: string): string {
  const segments = routeSegments(path);
  return segments.at(-1) === 'executions' ? segments.slice(-3, -1).join('/') : '';
}

export const managed: Dialect = {
  ...asOpenai,
  readRequest(operation, bytes, head) {
    const reading = openai.readRequest(operation, bytes, head);
    const { body } = openRequest(bytes);
    const { facts } = reading;
    const text = encodedText(body);
    const messages = text === '' ? [] : [{ role: 'user', text, toolCalls: [] }];
    return {
      ...reading,
      facts: {
        ...facts,
        model: facts.model || keptIn(head.path),
        messages: [...facts.messages, ...messages],
        text: joined(facts.text, text),
      },
    };
  },
};
