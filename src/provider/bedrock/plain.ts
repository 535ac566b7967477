/**
 * What Bedrock's runtime of agents does besides agents: flows, which chain prompts, and questions to a store of
 * knowledge (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Agents_for_Amazon_Bedrock_Runtime.html).
 * They take words in and give words out; none of them hands a call to the workload. Pure.
 */

import type { OperationName, RequestReading } from '../protocol.ts';
import {
  openRequest,
  openRunningText,
  scalarParams,
  textWithin,
  unreadRequest,
  unreadResponse,
} from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { withModelsWithin } from './agent-models.ts';

const asking: ReadonlySet<string> = new Set([
  'retrieve',
  'rerank',
  'generatequery',
  'optimize-prompt',
  'agenticretrievestream',
]);

export const plainOperations: ReadonlySet<OperationName> = new Set(['flows.invoke', 'knowledge.query']);

/** The flow that a path runs, such as `flows/abcde12345`; null for none. It, and its alias, may be ARNs with slashes of their own. */
export function flowIn(segments: readonly string[]): string | null {
  const at = segments.lastIndexOf('flows');
  const aliases = segments.indexOf('aliases', at + 1);
  if (at === -1 || aliases <= at + 1 || aliases === segments.length - 1) return null;
  // Behind a run's own name it is stopped, or read back.
  const executions = segments.indexOf('executions', aliases + 1);
  const isRun = executions === -1 || executions === segments.length - 1;
  return isRun ? segments.slice(at, aliases).join('/') : null;
}

/** The operation of a path; null for any other. */
export function plainOperationOf(segments: readonly string[]): OperationName | null {
  if (flowIn(segments) !== null) return 'flows.invoke';
  return asking.has(segments.at(-1) ?? '') ? 'knowledge.query' : null;
}

const nothingElsewhere: ReadonlySet<string> = new Set();

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readPlainWords(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const text = textWithin(body);
  const facts = {
    ...unreadRequest('').facts,
    params: scalarParams(body, nothingElsewhere),
    messages: text === '' ? [] : [{ role: 'user', text, toolCalls: [] }],
    text,
  };
  return { facts: withModelsWithin(body, facts, defects), defects };
}

/** Opens a reader for one stream, whose every event is words. It has no last event of its own. */
export function createPlainStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const running = openRunningText();
  return {
    defects,
    absorbText: () => null,
    absorbEmpty: () => 'other',
    absorb(_type, value) {
      const said = textWithin(value);
      running.add(said);
      return said === '' ? 'other' : 'text';
    },
    reading() {
      const facts = { ...unreadResponse(status, '').facts, text: running.text() };
      return { facts, defects, complete: true, failed: false };
    },
  };
}
