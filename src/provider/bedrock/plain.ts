/**
 * What Bedrock's runtime of agents does besides agents: flows, which chain prompts, and questions to a store of
 * knowledge (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Agents_for_Amazon_Bedrock_Runtime.html).
 * What AgentCore does for who asks: code, commands and clicks that it runs, payments, what an agent is to remember, and judges
 * (https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_Operations.html).
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
import { endsWithSegments } from '../route.ts';
import { withModelsWithin } from './agent-models.ts';

const asking: ReadonlySet<string> = new Set([
  'retrieve',
  'rerank',
  'generatequery',
  'optimize-prompt',
  'agenticretrievestream',
]);

export const plainOperations: ReadonlySet<OperationName> = new Set([
  ...['flows.invoke', 'knowledge.query', 'tools.invoke', 'memories', 'evaluations'],
]);

/** AgentCore's, by what the path has somewhere and how it ends. */
const ofCore: readonly (readonly [within: string, tail: string, OperationName])[] = [
  ['code-interpreters', 'tools/invoke', 'tools.invoke'],
  ['browsers', 'sessions/invoke', 'tools.invoke'],
  // The name of what runs, an ARN, may have slashes of its own.
  ['runtimes', 'commands', 'tools.invoke'],
  ['payments', 'processpayment', 'tools.invoke'],
  ['memories', 'events', 'memories'],
  ['memories', 'ingest', 'memories'],
  ['memories', 'memoryrecords/batchcreate', 'memories'],
  ['memories', 'memoryrecords/batchupdate', 'memories'],
  ['evaluations', 'batch-evaluate', 'evaluations'],
  // Which writes prompts anew by what was said.
  ['recommendations', 'recommendations', 'evaluations'],
];

function coreOperationOf(segments: readonly string[]): OperationName | null {
  // Which judge is asked may be an ARN too.
  const judged = segments.indexOf('evaluate');
  if (judged !== -1 && segments[judged - 1] === 'evaluations') return 'evaluations';
  const found = ofCore.find(
    ([within, tail]) => segments.includes(within) && endsWithSegments(segments, tail.split('/')),
  );
  return found?.[2] ?? null;
}

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
  if (asking.has(segments.at(-1) ?? '')) return 'knowledge.query';
  return coreOperationOf(segments);
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
