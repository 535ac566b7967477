/**
 * Members of an answer in another spelling than its API's. To clients that heed no case, such as those written in Go or
 * on Json.NET, `Tool_Calls` is a tool call; to everybody else, rules among them, it is nothing. No provider writes so:
 * an answer with such a member means two things. Pure.
 */
import { folded, respelledAs } from '../wire/folded-name.ts';
import { isRecord } from '../wire/json.ts';

/** What carries the words and calls of any family's answers, or leads to them. */
const carriers: readonly string[] = [
  'action',
  'args',
  'arguments',
  'call_id',
  'candidates',
  'choices',
  'code',
  'content',
  'content_block',
  'custom',
  'delta',
  'error',
  'executableCode',
  'function',
  'functionCall',
  'functionCalls',
  'function_call',
  'index',
  'input',
  'item',
  'message',
  'modelTurn',
  'name',
  'namespace',
  'operation',
  'output',
  'output_index',
  'outputs',
  'part',
  'partial_json',
  'parts',
  'refusal',
  'response',
  'serverContent',
  'session',
  'text',
  'toolCall',
  'tool_calls',
  'tool_plan',
  'transcript',
  'type',
];
const names: ReadonlySet<string> = new Set(carriers);
const byFolded: ReadonlyMap<string, string> = new Map(carriers.map((name) => [folded(name), name]));

/** Members of theirs follow nobody's spelling: what tools are handed and gave back, schemas, what a request said. */
const foreign: ReadonlySet<string> = new Set([
  'args',
  'arguments',
  'attributes',
  'format',
  'functionResponse',
  'functionResponses',
  'function_response',
  'function_responses',
  'generationConfig',
  'generation_config',
  'input',
  'metadata',
  'parameters',
  'predictions',
  'response_format',
  'result',
  'results',
  'schema',
  'structuredContent',
  'structured_content',
  'tools',
  'variables',
]);

/** The first member that may be read as one of an answer's, in words; '' where there is none. */
export function respelledIn(value: unknown): string {
  if (Array.isArray(value)) return firstOf(value);
  if (!isRecord(value)) return '';
  for (const name in value) {
    const member = value[name];
    const meant = names.has(name) ? name : (byFolded.get(folded(name)) ?? name);
    if (meant !== name) return respelledAs(name, meant);
    if (typeof member !== 'object' || foreign.has(name)) continue;
    const within = respelledIn(member);
    if (within !== '') return within;
  }
  return '';
}

function firstOf(list: readonly unknown[]): string {
  for (const element of list) {
    const within = respelledIn(element);
    if (within !== '') return within;
  }
  return '';
}
