/** What providers document, as answers to serve: every transcript of test/golden/provider with the call it answers. */
import { readdirSync, readFileSync } from 'node:fs';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import { encodeFrame } from '../../src/provider/aws-eventstream.ts';
import type { OperationName, StreamForm } from '../../src/provider/protocol.ts';

export interface Transcript {
  readonly name: string;
  readonly family: ProtocolName;
  readonly operation: OperationName;
  /** Where a call that is answered like this goes. */
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly contentType: string;
  readonly form: StreamForm | null;
  readonly bytes: Buffer;
}

const folder = new URL('../golden/provider/', import.meta.url);

interface Place {
  readonly under: string;
  /** Takes the family off the name's front where it stands there. */
  readonly familyOf: (name: string) => ProtocolName;
  readonly named: boolean;
}

const ownForms: readonly ProtocolName[] = ['ollama', 'mistral', 'cohere'];
const places: readonly Place[] = [
  { under: '', familyOf: (name) => (name.startsWith('messages.') ? 'anthropic' : 'openai'), named: false },
  { under: 'gemini/', familyOf: () => 'gemini', named: false },
  { under: 'bedrock/', familyOf: () => 'bedrock', named: false },
  {
    under: 'own-forms/',
    familyOf: (name) => ownForms.find((family) => name.startsWith(family)) ?? 'openai',
    named: true,
  },
];

/** The call of each operation; the longer of two names that begin alike stands first. */
const calls: readonly (readonly [
  family: ProtocolName,
  operation: string,
  method: 'GET' | 'POST',
  path: string,
])[] = [
  ['openai', 'threads.runs.steps', 'GET', '/v1/threads/t/runs/r/steps'],
  ['openai', 'threads.runs', 'POST', '/v1/threads/t/runs'],
  ['openai', 'chat.completions', 'POST', '/v1/chat/completions'],
  ['openai', 'completions', 'POST', '/v1/completions'],
  ['openai', 'responses', 'POST', '/v1/responses'],
  ['anthropic', 'messages', 'POST', '/v1/messages'],
  ['gemini', 'stream_generate_content', 'POST', '/v1beta/models/gemini-3-pro:streamGenerateContent'],
  ['gemini', 'generate_content', 'POST', '/v1beta/models/gemini-3-pro:generateContent'],
  ['gemini', 'interactions', 'POST', '/v1beta/interactions'],
  ['bedrock', 'converse.stream', 'POST', '/model/amazon.nova-pro-v1%3A0/converse-stream'],
  ['bedrock', 'converse', 'POST', '/model/amazon.nova-pro-v1%3A0/converse'],
  ['ollama', 'chat', 'POST', '/api/chat'],
  ['ollama', 'generate', 'POST', '/api/generate'],
  ['mistral', 'chat.completions', 'POST', '/v1/chat/completions'],
  ['mistral', 'conversations', 'POST', '/v1/conversations'],
  ['cohere', 'chat.v1', 'POST', '/v1/chat'],
  ['cohere', 'chat', 'POST', '/v2/chat'],
];

const forms: Readonly<Record<string, { readonly form: StreamForm | null; readonly contentType: string }>> = {
  json: { form: null, contentType: 'application/json' },
  sse: { form: 'sse', contentType: 'text/event-stream' },
  array: { form: 'json-array', contentType: 'application/json' },
  ndjson: { form: 'ndjson', contentType: 'application/x-ndjson' },
  jsonl: { form: 'aws-eventstream', contentType: 'application/vnd.amazon.eventstream' },
};

/** All transcripts whose call is known; InvokeModel's need a model of their own each and are left to their own tests. */
export function transcripts(): readonly Transcript[] {
  return places.flatMap((place) =>
    readdirSync(new URL(place.under, folder))
      .filter((name) => /\.(json|sse|array|ndjson|jsonl)$/.test(name) && !name.endsWith('.reading.json'))
      .flatMap((name) => {
        const found = read(place, name);
        return found === null ? [] : [found];
      }),
  );
}

function read(place: Place, name: string): Transcript | null {
  const family = place.familyOf(name);
  const ending = name.slice(name.lastIndexOf('.') + 1);
  const { form, contentType } = forms[ending] ?? { form: null, contentType: '' };
  const operationText = place.named ? name.slice(family.length + 1) : name;
  const wanted = form === 'aws-eventstream' ? 'converse.stream' : '';
  const call = calls.find(
    ([of, operation]) =>
      of === family && (operation === wanted || (wanted === '' && operationText.startsWith(`${operation}.`))),
  );
  if (call === undefined || (wanted !== '' && !operationText.startsWith('converse.'))) return null;
  const [, operation, method, path] = call;
  const stored = readFileSync(new URL(place.under + name, folder));
  const bytes = form === 'aws-eventstream' ? framesOf(stored) : stored;
  return {
    name,
    family,
    operation: operation.replace('.stream', ''),
    method,
    path,
    contentType,
    form,
    bytes,
  };
}

function framesOf(lines: Buffer): Buffer {
  const frames = lines.toString('utf8').trim().split('\n');
  return Buffer.concat(
    frames.map((line) => {
      const [type, value]: [string, unknown] = JSON.parse(line);
      const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
      return encodeFrame(headers, JSON.stringify(value));
    }),
  );
}

/** A body that its provider would take as a question. */
export function questionFor(transcript: Transcript): string {
  return transcript.method === 'GET' ? '' : JSON.stringify({ model: 'm', stream: transcript.form !== null });
}
