/**
 * What Amazon keeps and a path names: an agent, a flow, an agent in a container of the customer's own, a harness. Where the body names
 * no model it is what answers, and nobody can tell from outside what it is made of: it counts as a model, so that rules ask for
 * it (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html). Pure.
 */

import type { RequestReading } from '../protocol.ts';
import { routeSegments } from '../route.ts';
import { flowIn } from './plain.ts';

/** Such as `agents/abcde12345`, in lower case as paths are compared; '' where the path names none. */
export function keptIn(path: string): string {
  const segments = routeSegments(path);
  // The name of what runs, an ARN, may have slashes of its own.
  if (segments.at(-1) === 'invocations' && segments.includes('runtimes'))
    return segments.slice(segments.indexOf('runtimes'), -1).join('/');
  // Which one stands in the query.
  if (segments.at(-2) === 'harnesses') return 'harnesses';
  // Counted from the end, as the operation is: names may be words of the path themselves.
  if (segments.at(-5) === 'agentaliases') return `agents/${segments.at(-6)}`;
  return flowIn(segments) ?? '';
}

/** The reading with what the path names, where the body names no model. */
export function withKept(reading: RequestReading, path: string): RequestReading {
  const { facts } = reading;
  return facts.model === '' ? { ...reading, facts: { ...facts, model: keptIn(path) } } : reading;
}
