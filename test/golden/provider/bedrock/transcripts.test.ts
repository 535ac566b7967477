/**
 * Transcripts in the form that Amazon's documentation shows: `<operation>.<case>.json` is a whole answer,
 * `.jsonl` a stream with one frame's event name and data a line (of a `chunk`, what its bytes say). Each has the
 * reading it must have in `<operation>.<case>.<form>.reading.json`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bedrock } from '../../../../src/provider/bedrock/family.ts';
import { framesOf } from '../../../support/transcripts.ts';

const folder = new URL('./', import.meta.url);
const names = readdirSync(folder).filter((name) => /\.jsonl?$/.test(name) && !name.includes('.reading.'));

function readingOf(name: string): unknown {
  const [operation = ''] = name.split('.');
  const bytes = readFileSync(new URL(name, folder));
  if (name.endsWith('.json')) return bedrock.readResponse(operation, 200, bytes);
  const stream = bedrock.openStream(operation, 200, 'aws-eventstream');
  const kinds = stream.push(framesOf(bytes)).map((event) => event.kind);
  return { kinds: kinds.join(' '), ...stream.finish().reading };
}

test('there are transcripts of both operations, whole and streamed', () => {
  const kinds = names.map((name) => name.replace(/\..*\./, '.'));
  expect(new Set(kinds)).toEqual(new Set(['converse.json', 'converse.jsonl', 'invoke.json', 'invoke.jsonl']));
});

test.each(names)('%s reads as recorded', (name) => {
  const recorded = readFileSync(new URL(`${name}.reading.json`, folder), 'utf8');
  expect(readingOf(name)).toEqual(JSON.parse(recorded));
});
