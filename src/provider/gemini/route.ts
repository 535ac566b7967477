/**
 * The routes of Google's generative APIs: `<resource>:<verb>`, at `generativelanguage.googleapis.com` and at
 * Vertex AI (https://ai.google.dev/api, https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest).
 * Google takes `X-HTTP-Method-Override`, so the method says little. Pure.
 */
import { endsWithSegments, routeSegments } from '../route.ts';

export interface GoogleRoute {
  /** Decoded and in lower case, the verb taken off. */
  readonly segments: readonly string[];
  /** In lower case; '' for none. */
  readonly verb: string;
}

/** Takes a path apart. */
export function googleRoute(path: string): GoogleRoute {
  const segments = [...routeSegments(path)];
  const last = segments.pop() ?? '';
  const colon = last.lastIndexOf(':');
  if (colon === -1) return { segments: [...segments, last], verb: '' };
  return { segments: [...segments, last.slice(0, colon)], verb: last.slice(colon + 1) };
}

/**
 * The model a path names: `gemini-2.5-pro` for a published one, `tunedmodels/x` and `endpoints/1` for one of
 * the customer's own; '' where it names none.
 */
export function modelIn({ segments }: GoogleRoute): string {
  const name = segments.at(-1) ?? '';
  const collection = segments.at(-2) ?? '';
  if (collection === 'models') return name;
  return collection === 'tunedmodels' || collection === 'endpoints' ? `${collection}/${name}` : '';
}

const operationByVerb: Readonly<Record<string, string>> = {
  generatecontent: 'generate_content',
  streamgeneratecontent: 'stream_generate_content',
  counttokens: 'count_tokens',
  computetokens: 'count_tokens',
  embedcontent: 'embed_content',
  batchembedcontents: 'embed_content',
  asyncbatchembedcontent: 'embed_content',
  batchgeneratecontent: 'batch_generate_content',
  updategeneratecontentbatch: 'batch_generate_content',
  updateembedcontentbatch: 'embed_content',
  predict: 'predict',
  predictlongrunning: 'predict',
  explain: 'predict',
  serverstreamingpredict: 'predict',
  directpredict: 'predict',
};

/** The operation of a path with one of the verbs above; null for any other path. */
export function contentOperation(route: GoogleRoute): string | null {
  return Object.hasOwn(operationByVerb, route.verb) ? (operationByVerb[route.verb] ?? null) : null;
}

const methodsThatStore: ReadonlySet<string> = new Set(['POST', 'PATCH', 'PUT']);

/** True where contents are stored for later calls. */
export function storesContents(method: string, { segments, verb }: GoogleRoute): boolean {
  if (!methodsThatStore.has(method.trim().toUpperCase()) || verb !== '') return false;
  return segments.at(-1) === 'cachedcontents' || segments.at(-2) === 'cachedcontents';
}

/** True for methods that are answered with headers alone. */
export function isWithoutAnswer(method: string): boolean {
  return /^\s*(HEAD|OPTIONS)\s*$/i.test(method);
}

/** True below the OpenAI-compatible endpoints: `/v1beta/openai/` at Google AI, `endpoints/openapi/` at Vertex AI. */
export function speaksOpenAi({ segments }: GoogleRoute): boolean {
  if (segments.includes('openai') || segments.includes('openapi')) return true;
  return endsWithSegments(segments, ['chat', 'completions']);
}

/**
 * True where an interaction is made, or read back: it has the steps that its answer had, calls included.
 * Vertex AI reads streams back with a verb of their own.
 */
export function isInteraction(method: string, { segments, verb }: GoogleRoute): boolean {
  if (/^\s*DELETE\s*$/i.test(method) || (verb !== '' && verb !== 'stream')) return false;
  if (segments.at(-1) === 'interactions') return !/^\s*GET\s*$/i.test(method);
  if (segments.at(-2) === 'interactions') return true;
  return segments.at(-3) === 'interactions' && segments.at(-1) === 'cancel';
}

/** True where a file is fetched, which may be the answers of a batch. */
export function isDownload(method: string, { segments, verb }: GoogleRoute): boolean {
  return /^\s*GET\s*$/i.test(method) && verb === 'download' && segments.at(-2) === 'files';
}

/** True where a batch is read back, or all of them are: the answers may stand in them. */
export function isBatch(method: string, { segments, verb }: GoogleRoute): boolean {
  const isNamed = segments.at(-2) === 'batches' || segments.at(-1) === 'batches';
  return /^\s*GET\s*$/i.test(method) && verb === '' && isNamed;
}

/** What agents are made of. */
const managed: ReadonlySet<string> = new Set(['agents', 'triggers', 'environments']);

/**
 * What else takes words in: agents, the files that are put before them, what they are asked on a schedule or at once, and
 * questions that are answered by a choice
 * (https://ai.google.dev/api); null for nothing.
 */
export function managedOperation(method: string, { segments, verb }: GoogleRoute): string | null {
  if (!methodsThatStore.has(method.trim().toUpperCase()) || verb !== '') return null;
  if (segments.at(-1) === 'decisions') return 'decisions';
  if (segments.at(-1) === 'executions') return segments.at(-3) === 'triggers' ? 'agents' : null;
  return segments.slice(-2).some((name) => managed.has(name)) ? 'agents' : null;
}

/** True where a token is made that somebody else then opens Live sessions with (https://ai.google.dev/api/live#AuthToken). */
export function makesToken(method: string, { segments, verb }: GoogleRoute): boolean {
  if (!methodsThatStore.has(method.trim().toUpperCase()) || verb !== '') return false;
  return ['auth_tokens', 'authtokens'].includes(segments.at(-1) ?? '');
}
