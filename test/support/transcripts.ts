/** What providers document, as answers to serve: every transcript of test/golden/provider with the call it answers. */
import { readdirSync, readFileSync } from 'node:fs';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import type { OperationName, StreamForm } from '../../src/provider/protocol.ts';
import { encodeFrame } from '../../src/provider/wire/aws-eventstream.ts';

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

const ownForms: readonly ProtocolName[] = ['azure', 'vertex', 'ollama', 'mistral', 'cohere', 'openai'];
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

const vertexModels = '/v1/projects/p/locations/europe-west4/publishers/google/models';
const vertexClaude =
  '/v1/projects/p/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4-5@20250929';
const azureDeployment = '/openai/deployments/my-gpt';

/**
 * The call of each operation, or of what its transcripts' names begin with, and where it goes to stream if that is
 * elsewhere; the longer of two names that begin alike stands first.
 */
const calls: readonly (readonly [
  family: ProtocolName,
  operation: string,
  method: 'GET' | 'POST',
  path: string,
  streamPath?: string,
])[] = [
  ['openai', 'threads.runs.steps', 'GET', '/v1/threads/t/runs/r/steps'],
  ['openai', 'threads.runs', 'POST', '/v1/threads/t/runs'],
  ['openai', 'chat.completions', 'POST', '/v1/chat/completions'],
  ['openai', 'completions', 'POST', '/v1/completions'],
  ['openai', 'responses', 'POST', '/v1/responses'],
  ['openai', 'hosted.model', 'POST', '/client/v4/accounts/a/ai/run/@cf/meta/llama-4-scout-17b-16e-instruct'],
  ['anthropic', 'messages', 'POST', '/v1/messages'],
  ['gemini', 'stream_generate_content', 'POST', '/v1beta/models/gemini-3-pro:streamGenerateContent'],
  ['gemini', 'generate_content', 'POST', '/v1beta/models/gemini-3-pro:generateContent'],
  ['gemini', 'interactions', 'POST', '/v1beta/interactions'],
  [
    'bedrock',
    'converse',
    'POST',
    '/model/amazon.nova-pro-v1%3A0/converse',
    '/model/amazon.nova-pro-v1%3A0/converse-stream',
  ],
  ...(
    [
      ['invoke.claude', 'anthropic.claude-sonnet-4-5-20250929-v1%3A0'],
      ['invoke.nova', 'amazon.nova-pro-v1%3A0'],
      ['invoke.llama', 'meta.llama3-3-70b-instruct-v1%3A0'],
      ['invoke.command', 'cohere.command-r-v1%3A0'],
    ] as const
  ).map(
    ([begin, model]) =>
      [
        'bedrock',
        begin,
        'POST',
        `/model/${model}/invoke`,
        `/model/${model}/invoke-with-response-stream`,
      ] as const,
  ),
  ['azure', 'chat.completions', 'POST', `${azureDeployment}/chat/completions?api-version=2024-10-21`],
  ['azure', 'responses', 'POST', '/openai/v1/responses'],
  ['vertex', 'stream_generate_content', 'POST', `${vertexModels}/gemini-2.5-flash:streamGenerateContent`],
  ['vertex', 'generate_content', 'POST', `${vertexModels}/gemini-2.5-flash:generateContent`],
  ['vertex', 'messages', 'POST', `${vertexClaude}:rawPredict`, `${vertexClaude}:streamRawPredict`],
  [
    'vertex',
    'chat.completions',
    'POST',
    '/v1/projects/p/locations/europe-west4/endpoints/openapi/chat/completions',
  ],
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

/** All transcripts. Throws on one whose call is not known. */
export function transcripts(): readonly Transcript[] {
  return places.flatMap((place) =>
    readdirSync(new URL(place.under, folder))
      .filter((name) => /\.(json|sse|array|ndjson|jsonl)$/.test(name) && !name.endsWith('.reading.json'))
      .map((name) => read(place, name)),
  );
}

function read(place: Place, name: string): Transcript {
  const family = place.familyOf(name);
  const ending = name.slice(name.lastIndexOf('.') + 1);
  const { form, contentType } = forms[ending] ?? { form: null, contentType: '' };
  const operationText = place.named ? name.slice(family.length + 1) : name;
  const call = calls.find(
    ([of, begin]) =>
      of === family && (operationText.startsWith(`${begin}.`) || operationText.startsWith(`${begin}-`)),
  );
  if (call === undefined) throw new Error(`Nobody knows which call ${name} answers.`);
  const [, begin, method, wholePath, streamPath = wholePath] = call;
  const path = form === null ? wholePath : streamPath;
  const operation = begin.startsWith('invoke.') ? 'invoke' : begin;
  const stored = readFileSync(new URL(place.under + name, folder));
  const bytes = form === 'aws-eventstream' ? framesOf(stored) : stored;
  return {
    name,
    family,
    operation,
    method,
    path,
    contentType,
    form,
    bytes,
  };
}

/** Amazon's frames, of one line each: the event's name and its data, or of a `chunk` what its bytes say. */
export function framesOf(lines: Buffer): Buffer {
  const frames = lines.toString('utf8').trim().split('\n');
  return Buffer.concat(
    frames.map((line) => {
      const [type, value]: [string, unknown] = JSON.parse(line);
      const data =
        type === 'chunk' ? { bytes: Buffer.from(JSON.stringify(value)).toString('base64') } : value;
      const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
      return encodeFrame(headers, JSON.stringify(data));
    }),
  );
}

/** A body that its provider would take as a question. */
export function questionFor(transcript: Transcript): string {
  // Here the path names the model and says whether it streams, and what else is in the body is the model's own.
  if (transcript.operation === 'invoke') return JSON.stringify({ prompt: 'Please.' });
  return transcript.method === 'GET' ? '' : JSON.stringify({ model: 'm', stream: transcript.form !== null });
}
