/**
 * Transcripts in the form Google's public documentation shows, `<operation>.<case>.json` for a whole answer,
 * `.sse` for events and `.array` for a streamed array, each with the reading it must have in
 * `<operation>.<case>.<form>.reading.json`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';

const folder = new URL('./', import.meta.url);
const names = readdirSync(folder).filter(
  (name) => /\.(sse|json|array)$/.test(name) && !name.includes('.reading.'),
);
const gemini = protocolOf('gemini');

function readingOf(name: string): unknown {
  const operation = name.split('.', 1)[0] ?? '';
  const bytes = readFileSync(new URL(name, folder));
  if (name.endsWith('.json')) return gemini.readResponse(operation, 200, bytes);
  const stream = gemini.openStream(operation, 200, name.endsWith('.sse') ? 'sse' : 'json-array');
  const kinds = stream.push(bytes).map((event) => event.kind);
  return { kinds: kinds.join(' '), ...stream.finish().reading };
}

test.each(names)('%s reads as recorded', (name) => {
  const recorded = readFileSync(new URL(`${name}.reading.json`, folder), 'utf8');
  expect(readingOf(name)).toEqual(JSON.parse(recorded));
});
