/**
 * Transcripts in the form the providers' public documentation shows, `<operation>.<case>.sse` or `.json`,
 * each with the reading it must have in `<operation>.<case>.reading.json`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import type { OperationName } from '../../../src/provider/protocol.ts';

const folder = new URL('./', import.meta.url);
const names = readdirSync(folder).filter((name) => /\.(sse|json)$/.test(name) && !name.includes('.reading.'));
/** The longer of two names that begin alike stands first. */
const operations: readonly OperationName[] = [
  'chat.completions',
  'responses',
  'messages',
  'completions',
  'threads.runs.steps',
  'threads.runs',
];

function operationIn(name: string): OperationName {
  return operations.find((operation) => name.startsWith(`${operation}.`)) ?? 'unknown';
}

function readingOf(name: string): unknown {
  const operation = operationIn(name);
  const protocol = protocolOf(operation === 'messages' ? 'anthropic' : 'openai');
  const bytes = readFileSync(new URL(name, folder));
  if (name.endsWith('.json')) return protocol.readResponse(operation, 200, bytes);
  const stream = protocol.openStream(operation, 200, 'sse');
  const kinds = stream.push(bytes).map((event) => event.kind);
  return { kinds: kinds.join(' '), ...stream.finish().reading };
}

test('there are transcripts of every operation', () => {
  expect(new Set(names.map(operationIn))).toEqual(new Set(operations));
});

test.each(names)('%s reads as recorded', (name) => {
  const recorded = readFileSync(new URL(name.replace(/\.(sse|json)$/, '.reading.json'), folder), 'utf8');
  expect(readingOf(name)).toEqual(JSON.parse(recorded));
});
