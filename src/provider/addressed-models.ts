/**
 * Models that a call's address names, whatever its body does: a WebRTC offer's
 * (https://developers.openai.com/api/docs/guides/realtime-webrtc); any call's to LiteLLM, which asks whom the path or the
 * query names before whom the body does (https://github.com/BerriAI/litellm/pull/1921); Azure's behind a gateway
 * (https://developers.cloudflare.com/ai-gateway/usage/providers/azureopenai); and whoever is served at an endpoint of their
 * own, as at Databricks, SageMaker, Triton, Hugging Face and Cloudflare
 * (https://docs.databricks.com/api/workspace/servingendpoints/query). Pure.
 */

import { alsoAsking } from './asked/insteads.ts';
import { googleRoute, modelIn } from './gemini/route.ts';
import { modelHosts } from './hosts.ts';
import type { OperationName, RequestReading } from './protocol.ts';
import { modelsIn } from './realtime/openai-session.ts';
import { endsWithSegments, speltSegments } from './route.ts';

const addressed: ReadonlySet<OperationName> = new Set([
  'realtime.calls',
  'realtime.sessions',
  'chat.completions',
  'completions',
  'responses',
  'messages',
  'embeddings',
  'moderations',
  'images.generations',
  'images.edits',
  'audio.speech',
  'audio.transcriptions',
  'audio.translations',
  'served.any',
  'served.generate',
  'served.words',
  'hosted.model',
]);

/** What stands behind the name of a model, the longer first. */
const tails: readonly (readonly string[])[] = [
  ['chat', 'completions'],
  ['images', 'generations'],
  ['images', 'edits'],
  ['audio', 'speech'],
  ['audio', 'transcriptions'],
  ['audio', 'translations'],
  ['completions'],
  ['responses'],
  ['messages'],
  ['embeddings'],
  ['moderations'],
  ['rerank'],
  ['invocations'],
  ['generate'],
  ['infer'],
  ['generate_stream'],
  ['predictions'],
  ['completion'],
  ['text', 'chat'],
  ['text', 'chat_stream'],
  ['text', 'generation'],
  ['text', 'generation_stream'],
];

interface Place {
  /** What stands before the name. */
  readonly marker: string;
  /** Segments between the two, which say whose the model is. */
  readonly between: number;
  /** Only before this one, as others have their endpoints below that word. */
  readonly tail?: string;
}

const places: readonly Place[] = [
  { marker: 'engines', between: 0 },
  { marker: 'deployments', between: 0 },
  { marker: 'serving-endpoints', between: 0, tail: 'invocations' },
  { marker: 'endpoints', between: 0, tail: 'invocations' },
  { marker: 'models', between: 0 },
  { marker: 'apps', between: 0, tail: 'completion' },
  // The resource of Azure's comes first.
  { marker: 'azure-openai', between: 1 },
];

/** What an address has that may name somebody. Nearly none does, and one without need not be taken apart on every call. */
const mayName = new RegExp(`[^\\w\\-./]|${places.map(({ marker }) => marker).join('|')}`, 'i');

/** What may stand between the name and its tail. */
const beside: ReadonlySet<string> = new Set(['v1', 'extensions']);

/** Behind which the path has nothing but the name. */
const hosts: readonly (readonly string[])[] = [...modelHosts, ['agents']];

/** What is asked of who is named, behind the name. */
const verb = /(:run|\/(text_to_image|image_to_image|control_net|get_result)|\/message(\/|:)(send|stream))$/i;

/** The name that a host's path ends with, without the verb that may stand behind it. */
function hostedIn(spelt: readonly string[], segments: readonly string[]): string {
  for (let at = 0; at < segments.length; at += 1) {
    const host = hosts.find((one) => endsWithSegments(segments.slice(0, at + 1), one));
    if (host !== undefined && at + 1 < segments.length)
      return spelt
        .slice(at + 1)
        .join('/')
        .replace(verb, '');
  }
  return '';
}

/** As KServe's first protocol asks. */
function predictedIn(spelt: readonly string[]): string {
  const [, name = ''] = /^(.+):(?:predict|explain)$/i.exec(spelt.at(-1) ?? '') ?? [];
  return name;
}

/** The name in a path; '' for none. Names of several segments are one: `acme/large`. */
function nameIn(operation: OperationName, path: string): string {
  const spelt = speltSegments(path);
  const segments = spelt.map((segment) => segment.toLowerCase());
  if (operation === 'hosted.model') return hostedIn(spelt, segments) || namedBefore(spelt, segments);
  const predicted = predictedIn(spelt);
  if (predicted !== '') return predicted;
  const { segments: resource, verb } = googleRoute(path);
  return verb.endsWith('rawpredict') ? modelIn({ segments: resource, verb }) : namedBefore(spelt, segments);
}

function namedBefore(spelt: readonly string[], segments: readonly string[]): string {
  const tail = tails.find((one) => endsWithSegments(segments, one)) ?? [];
  if (tail.length === 0) return '';
  let end = segments.length - tail.length;
  while (beside.has(segments[end - 1] ?? '')) end -= 1;
  for (let at = 0; at < end; at += 1) {
    const place = places.find(
      ({ marker, tail: only }) => marker === segments[at] && (only === undefined || only === tail[0]),
    );
    if (place !== undefined) return spelt.slice(at + 1 + place.between, end).join('/');
  }
  return '';
}

/** The reading with each model that `target` names: nobody can say whether that counts or the body. */
export function withAddressed<Reading extends Pick<RequestReading, 'facts'>>(
  reading: Reading,
  operation: OperationName,
  target: string,
): Reading {
  if (!addressed.has(operation)) return reading;
  if (operation !== 'hosted.model' && !mayName.test(target)) return reading;
  const { facts } = reading;
  const named = [nameIn(operation, target), ...modelsIn(target)].filter((name) => name !== '');
  const model = facts.model || (named[0] ?? '');
  return { ...reading, facts: alsoAsking({ ...facts, model }, named) };
}
