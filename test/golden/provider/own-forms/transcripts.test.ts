/**
 * Transcripts in the form the public documentation of Azure, Vertex AI, Ollama, Mistral and Cohere shows, and
 * hosts of anybody's models, `<family>.<operation>.<case>.<form>`, each with the reading it must have in `….reading.json`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import type { StreamForm } from '../../../../src/provider/protocol.ts';

const folder = new URL('./', import.meta.url);
const families = ['azure', 'vertex', 'ollama', 'mistral', 'cohere', 'openai'] as const;
const forms: Readonly<Record<string, StreamForm | null>> = {
  json: null,
  sse: 'sse',
  ndjson: 'ndjson',
  array: 'json-array',
};
const names = readdirSync(folder).filter(
  (name) => /\.(json|sse|ndjson|array)$/.test(name) && !name.endsWith('.reading.json'),
);

function readingOf(name: string): unknown {
  const [family = '', ...rest] = name.split('.');
  const protocol = protocolOf(families.find((known) => known === family) ?? 'openai');
  const form = forms[rest.at(-1) ?? ''] ?? null;
  const operation = rest.slice(0, -2).join('.');
  const bytes = readFileSync(new URL(name, folder));
  if (form === null) return protocol.readResponse(operation, 200, bytes);
  const stream = protocol.openStream(operation, 200, form);
  const kinds = stream.push(bytes).map((event) => event.kind);
  return { kinds: kinds.join(' '), ...stream.finish().reading };
}

test('there are transcripts of every family', () => {
  expect(new Set(names.map((name) => name.split('.')[0]))).toEqual(new Set(families));
});

test.each(names)('%s reads as recorded', (name) => {
  const recorded = readFileSync(new URL(`${name}.reading.json`, folder), 'utf8');
  expect(readingOf(name)).toEqual(JSON.parse(recorded));
});
