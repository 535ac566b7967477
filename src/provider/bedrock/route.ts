/**
 * What a Bedrock path asks for and of which model. The model stands in the path, percent-encoded: an id, an
 * inference profile or an ARN with slashes of its own. Pure.
 */

import type { OperationName } from '../protocol.ts';
import { routeSegments } from '../route.ts';
import { agentOperationOf } from './agents.ts';
import { harness } from './harness.ts';
import { jobOperationOf } from './jobs.ts';
import { plainOperationOf } from './plain.ts';

const methodsWithoutAnswer: ReadonlySet<string> = new Set(['GET', 'DELETE', 'HEAD', 'OPTIONS']);

const operations: Readonly<Record<string, OperationName>> = {
  converse: 'converse',
  'converse-stream': 'converse',
  invoke: 'invoke',
  'invoke-with-response-stream': 'invoke',
  'invoke-with-bidirectional-stream': 'invoke.bidirectional',
  'count-tokens': 'count_tokens',
  'async-invoke': 'async_invoke',
};
const streamingActions: ReadonlySet<string> = new Set(['converse-stream', 'invoke-with-response-stream']);

/** What a flow came to that was not waited for. */
function readsFlow(method: string, path: string): boolean {
  const segments = routeSegments(path);
  const isRead = /^\s*GET\s*$/i.test(method) && segments.at(-1) === 'events';
  // Their names may be ARNs, with slashes of their own.
  return isRead && segments.includes('executions') && segments.includes('flows');
}

/** Any prefix is allowed, as gateways mount the API anywhere. */
export function bedrockOperationOf(method: string, path: string): OperationName {
  if (readsFlow(method, path)) return 'flows.invoke';
  if (methodsWithoutAnswer.has(method.trim().toUpperCase())) return 'unknown';
  const ofAgent = agentOperationOf(path);
  if (ofAgent !== null) return ofAgent;
  const segments = routeSegments(path);
  const last = segments.at(-1) ?? '';
  if (last === 'invoke' && segments.at(-2) === 'guardrail-checks') return 'guardrail.checks';
  if (last === 'invoke' && segments.at(-2) === 'harnesses') return harness;
  if (last === 'apply' && segments.includes('guardrail')) return 'guardrail.apply';
  // The name of what runs, an ARN, may have slashes of its own.
  if (last === 'invocations' && segments.includes('runtimes')) return 'runtimes.invoke';
  const other = jobOperationOf(segments) ?? plainOperationOf(segments);
  if (other !== null) return other;
  return Object.hasOwn(operations, last) ? (operations[last] ?? 'unknown') : 'unknown';
}

/** True when the path asks for an answer in pieces. */
export function asksForStream(path: string): boolean {
  return streamingActions.has(routeSegments(path).at(-1) ?? '');
}

/** What an id, an inference profile or an ARN consists of. */
const modelId = /^[A-Za-z0-9][A-Za-z0-9._:-]*(\/[A-Za-z0-9][A-Za-z0-9._:-]*)*$/;

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Not percent-encoded text: it stays as it is, and is then no model id.
    return part;
  }
}

export interface PathModel {
  /** In the case in which it was written; '' when it cannot be told. */
  readonly model: string;
  readonly defect: string;
}

/**
 * The model that a path names. A spelling that another server might resolve to another model, such as dot
 * segments or a second encoding, is a defect: rules on models must not be led astray.
 */
export function modelInPath(path: string): PathModel {
  const plain = path.split(/[?#]/, 1)[0] ?? '';
  const segments = plain.replace(/\/+$/, '').split('/');
  const at = segments.indexOf('model');
  const model = decoded(segments.slice(at + 1, -1).join('/'));
  const isClear = at !== -1 && segments.indexOf('model', at + 1) === -1 && modelId.test(model);
  return isClear ? { model, defect: '' } : { model: '', defect: 'the path does not clearly name a model' };
}
